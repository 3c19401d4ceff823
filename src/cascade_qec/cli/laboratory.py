"""``cascade calibration demo``, ``run`` and ``log``: workflows at work on a laboratory."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cascade_qec import limits
from cascade_qec.cli.options import there
from cascade_qec.cli.progress import interruptible, tell
from cascade_qec.errors import CascadeError

if TYPE_CHECKING:
    from cascade_calibration.analysis import Verdict
    from cascade_calibration.demonstration import Stage
    from cascade_calibration.workflows import Decision, Proposal, State
    from cascade_calibration.workflows.run import Settings

_Key = tuple[str, str]
"""A target, and the name of what was learnt."""

EarlierRun = Annotated[
    Path | None, typer.Option("--settings", help="Folder of an earlier run: start from its settings.", callback=there)
]


def settings_of(earlier: Path | None) -> Settings | None:
    """Settings that an earlier run ended with."""
    from cascade_calibration.workflows import last_state

    return earlier and {name: one.settings for name, one in last_state(earlier).targets.items()}


def run(
    workflow: Annotated[str, typer.Argument(help="bring_up, retune, check, or a TOML file.")],
    laboratory: Annotated[
        str, typer.Option(help="simulated:SEED[?qubits=N&hours=H&broken=QUBIT.ELEMENT]", metavar="NAME")
    ],
    out: Annotated[Path, typer.Option(help="New folder for the log and the measurements.")] = Path("run"),
    settings: EarlierRun = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --out, if there is one.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry_run", help="Show what would be run, and run nothing.")] = False,
) -> None:
    """Run a workflow on a laboratory until its criteria are met, within bounds and budgets.

    All that is proposed, measured and decided is in a log that only grows. Exit status 1 if a target was given up; the
    table says why.
    """
    from cascade_calibration import workflows
    from cascade_calibration.laboratory import open_laboratory

    loaded = workflows.load_workflow(workflow)
    known = settings_of(settings)
    if dry_run:
        _show_plan(list(workflows.plan(loaded, open_laboratory(laboratory), known)))
        return
    going_on = resume and workflows.has_begun(out)
    opened = open_laboratory(laboratory, elapsed=workflows.elapsed(out) if going_on else 0.0)
    with interruptible(f"all runs so far are in {out}; the same command with --resume goes on"):
        if going_on:
            started = workflows.Run.resume(out, opened)
        else:
            started = workflows.Run.begin(loaded, opened, out, settings=known)
        with started:
            if started.workflow.name != loaded.name:
                raise CascadeError(f"{out}: expected to resume {started.workflow.name}, got {loaded.name}")
            state = started.finish(_tell)
    _show_results(state)
    print(f"Log: cascade calibration log {out}")
    if any(one.reason != "done" for one in state.targets.values()):
        raise typer.Exit(1)


def log(
    folder: Annotated[Path, typer.Argument(help="Of a run.", callback=there)],
    as_json: Annotated[bool, typer.Option("--json", help="Print the entries as JSON, one a line.")] = False,
) -> None:
    """Show the log of a run: what was proposed, measured and decided, and why. It is checked for changes."""
    from cascade_calibration.workflows import Entry, read_log
    from cascade_qec.cli.table import Column, show

    entries = read_log(folder)
    if as_json:
        for one in entries:
            print(json.dumps(asdict(one)))
        return
    columns = [
        Column[Entry]("", lambda one: str(one.number), right=True),
        Column[Entry]("time", lambda one: one.time[:19], spare=1),
        Column[Entry]("entry", lambda one: one.kind),
        Column[Entry]("run", lambda one: str(one.body.get("run", "")), right=True),
        Column[Entry]("target", lambda one: one.body.get("target", "")),
        Column[Entry]("step", lambda one: one.body.get("step", "")),
        Column[Entry]("what", _what, most=60),
    ]
    show(entries, columns)


def demo(
    out: Annotated[Path, typer.Option(help="New folder for logs, measurements and figures.")] = Path(
        "calibration-demo"
    ),
    seed: Annotated[int, typer.Option(help="Of the simulated chip.", min=0, max=limits.SEED)] = 1,
    qubits: Annotated[int, typer.Option(help="Of the chip.", min=1, max=16)] = 2,
) -> None:
    """Bring up simulated qubits, let them drift for a day, and tune them again; then tell decoders of another drift.

    The second part is on a chip large enough for a code: its noise is learnt anew from shots, see `loop`.
    """
    from cascade_calibration.demonstration import demonstrate
    from cascade_qec.cli.device_loop import loop

    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise CascadeError(f"{out}: expected a new or an empty folder, found another")
    shown: dict[str, Verdict] = {}

    def note(stage: str, proposal: Proposal, decision: Decision) -> None:
        _tell(proposal, decision, stage)
        if decision.verdict and decision.action == "accept":
            shown[f"{stage}_{proposal.target}_{proposal.step}"] = decision.verdict

    with interruptible(f"what was measured is in {out}"):
        stages = demonstrate(seed, out, note, qubits=qubits)
        figures = _save_figures(shown, out / "figures")
    _show_demo(stages)
    print(f"Figures: {figures}")
    for stage in stages:
        print(f"Log: cascade calibration log {stage.folder}")
    print()
    loop(seed=seed)


def _tell(proposal: Proposal, decision: Decision, stage: str = "") -> None:
    tell(f"{stage + ': ' if stage else ''}{proposal.run} {proposal.target} {proposal.step}: {_briefly(decision)}")


def _briefly(decision: Decision) -> str:
    found = ", ".join(f"{name} {one.estimate}" for name, one in decision.learnt.items())
    return found or f"{decision.action}, {decision.text}"


def _show_plan(planned: list) -> None:
    from cascade_calibration.workflows import Planned
    from cascade_qec.cli.table import Column, show

    columns = [
        Column[Planned]("step", lambda one: one.step),
        Column[Planned]("target", lambda one: one.target),
        Column[Planned]("experiment", lambda one: one.experiment, spare=1),
        Column[Planned]("parameters", lambda one: ", ".join(f"{name} {text}" for name, text in one.parameters.items())),
        Column[Planned]("until", lambda one: "; ".join(one.criteria), spare=1),
        Column[Planned]("s", lambda one: "" if one.seconds is None else f"{one.seconds:.1f}", right=True),
    ]
    show(planned, columns)


def _show_results(state: State) -> None:
    from cascade_calibration.workflows import Result, together
    from cascade_qec.cli.table import Column, show

    wide = together(state.results)
    Row = tuple[tuple[str, str], Result]
    columns = [
        Column[Row]("target", lambda row: row[0][0]),
        Column[Row]("parameter", lambda row: row[0][1]),
        Column[Row]("found", lambda row: str(row[1].estimate)),
        Column[Row]("95 %", lambda row: row[1].interval),
        Column[Row]("99 % of all together", lambda row: wide[row[0]].interval, spare=1),
        Column[Row]("run", lambda row: str(row[1].run), right=True),
    ]
    show(state.results.items(), columns, section=lambda row: row[0][0])
    for name, one in state.targets.items():
        print(f"{name}: {one.reason}{'' if one.reason == 'done' else f', {one.text}'}")
    print(f"Runs: {state.runs}, in {state.seconds / 60:.1f} minutes of the laboratory's time")


def _save_figures(verdicts: dict[str, Verdict], folder: Path) -> Path:
    from cascade_calibration.figures import draw
    from cascade_qec.plotting import save

    folder.mkdir()
    for name, verdict in verdicts.items():
        if name.startswith("bring_up_q0"):  # enough to look at
            save(draw(verdict, name.replace("_", " ")), folder / f"{name}.png")
    return folder


def _show_demo(stages: list[Stage]) -> None:
    from cascade_calibration.demonstration import HOURS
    from cascade_qec.cli.table import Column, show

    bring_up, check, retune = stages

    def found(stage: Stage, key: _Key) -> str:
        return str(stage.state.results[key].estimate) if key in stage.state.results else ""

    def hidden(stage: Stage, key: _Key) -> str:
        if key not in stage.truth:
            return ""
        # to as many digits as what was found
        number, _, rest = str(replace(stage.state.results[key].estimate, value=stage.truth[key])).partition(" ± ")
        return " ".join([number, *rest.split()[1:]])

    columns = [
        Column[_Key]("qubit", lambda key: key[0]),
        Column[_Key]("parameter", lambda key: key[1]),
        Column[_Key]("found", lambda key: found(bring_up, key)),
        Column[_Key]("hidden", lambda key: hidden(bring_up, key)),
        Column[_Key](f"{HOURS} h later", lambda key: found(retune, key)),
        Column[_Key]("hidden then", lambda key: hidden(retune, key)),
    ]
    keys = sorted({*bring_up.truth, *retune.truth}, key=lambda key: (key[0], list(bring_up.truth).index(key)))
    minutes = " and ".join(f"{stage.state.seconds / 60:.0f}" for stage in (bring_up, retune))
    intervals = sum(len(stage.intervals) for stage in (bring_up, retune))
    missed = sum(len(stage.missed) for stage in (bring_up, retune))
    show(
        keys,
        columns,
        "A chip of which only the design was known: brought up, left to drift, and tuned again",
        [
            f"Runs of experiments: {bring_up.state.runs} and {retune.state.runs}, in {minutes} minutes of the "
            "laboratory's time. ± is the standard error.",
            f"Of {intervals} intervals that are to hold all together, {missed} miss what is hidden.",
        ],
        section=lambda key: key[0],
    )
    for target in check.state.targets:
        old, used, new = (found(stage, (target, "error_per_clifford")) for stage in (bring_up, check, retune))
        print(f"{target}: error per gate {old}; {HOURS} h later {used or 'too large'}; tuned again {new}")
    for stage in stages:
        for name, one in stage.state.targets.items():
            if one.reason != "done":
                print(f"{name} was given up in {stage.workflow}: {one.reason}, {one.text}")


def _what(entry: object) -> str:
    from cascade_calibration.workflows import Entry

    assert isinstance(entry, Entry)
    body = entry.body
    if entry.kind == "propose":
        values = ", ".join(f"{name} {_quantity(one)}" for name, one in body["parameters"].items())
        return f"{body['experiment']} ({body['why']}; by {body['by']}): {values}"
    if entry.kind == "measure":
        return f"{body['file']}, {body['seconds']:.4g} s"
    if entry.kind == "decide":
        seen = f"{body['verdict']['status']} ({body['verdict']['probability']:.0%}): " if "verdict" in body else ""
        return f"{seen}{body['action']}, {body['text']}"
    if entry.kind == "end":
        return "; ".join(f"{name}: {one['reason']}" for name, one in body["outcomes"].items())
    return f"{body['workflow']['name']} on {body['laboratory']}" if entry.kind == "begin" else ""


def _quantity(one: dict) -> str:
    from cascade_calibration.quantities import Quantity

    return str(Quantity(**one))
