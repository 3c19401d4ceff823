"""`cascade collect`: a plan to counts of shots and errors, by Monte-Carlo."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cascade_qec import limits
from cascade_qec.cli.options import AllowUnmeasured, there
from cascade_qec.errors import CascadeError

if TYPE_CHECKING:
    from cascade_qec.evaluation.collection import Cell, Plan, Progress


def collect(
    plan: Annotated[
        Path | None, typer.Argument(help="What to collect, a TOML file (see benchmarks/collections/).", callback=there)
    ] = None,
    save_resume_filepath: Annotated[
        Path | None,
        typer.Option("--save_resume_filepath", "--out", help="CSV file to add rows to.  [default: PLAN's name .csv]"),
    ] = None,
    codes: Annotated[str, typer.Option(help="Without a plan: codes, separated by commas.")] = "",
    p: Annotated[str, typer.Option(help="Without a plan: noise rates.")] = "",
    rounds: Annotated[str, typer.Option(help="Without a plan: numbers of rounds; d is the code's distance.")] = "d",
    bases: Annotated[str, typer.Option(help="Without a plan: bases, Z, X or both.")] = "Z,X",
    decoders: Annotated[str, typer.Option(help="Without a plan: decoders by name; cascade is the code's model.")] = "",
    noise: Annotated[str, typer.Option(help="Without a plan: noise model.")] = "uniform",
    max_shots: Annotated[
        int | None,
        typer.Option(min=1, max=limits.SHOTS, help="Shots of each task that are enough.  [default: 1,000,000]"),
    ] = None,
    max_errors: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=limits.SHOTS,
            help="Errors of each task that are enough.  [default: 1,000; with --max_shots alone no such limit]",
        ),
    ] = None,
    max_batch_seconds: Annotated[
        float, typer.Option(min=0.1, max=limits.SECONDS, help="Workers report at least this often.")
    ] = 30.0,
    processes: Annotated[
        int | None, typer.Option(min=1, max=limits.PROCESSES, help="Workers.  [default: one for each core]")
    ] = None,
    ray: Annotated[
        str | None, typer.Option(help="Workers on a Ray cluster: its address, auto, or local for one of its own.")
    ] = None,
    allow_unmeasured: AllowUnmeasured = False,
    device: Annotated[str, typer.Option(help="Of models: auto, cpu, cuda or cuda:N.")] = "auto",
    precision: Annotated[str, typer.Option(help="Of models: auto, float32, bfloat16, float16, fp8 or int8.")] = "auto",
) -> None:
    """Collect shots and errors of decoders by Monte-Carlo.

    Every combination of codes, noise rates, rounds, bases and decoders is a task. Rows are added to the CSV file,
    which is sinter's, as they come; when interrupted, the same command goes on. Shots and errors that the file
    already has count.
    """
    from cascade_qec.cli.progress import interruptible, progress, tell
    from cascade_qec.cli.rate_table import line, print_collection
    from cascade_qec.decoders import settings
    from cascade_qec.decoders.named import MODEL_PREFIX
    from cascade_qec.evaluation import collection

    flags = {"codes": codes, "p": p, "rounds": rounds, "bases": bases, "decoders": decoders, "noise": noise}
    wanted = _plan(plan, flags, max_shots=max_shots, max_errors=max_errors)
    if save_resume_filepath is None:
        if plan is None:
            raise CascadeError("expected --save_resume_filepath, the CSV file to add rows to, or a plan that names it")
        save_resume_filepath = Path(f"{plan.stem}.csv")
    tasks = collection.cells(wanted, skipped=lambda reason: tell(f"Skipped: {reason}"))
    machine = collection.Machine(device, precision, allow_unmeasured)
    if any(task.decoder.startswith(MODEL_PREFIX) for task in tasks):
        machine = machine.resolved()
    for decoder in dict.fromkeys(task.decoder for task in tasks):
        tell(f"{decoder}: {settings(machine.decoder(decoder)) or 'no parameters'}")
    latest: dict[Cell, Progress] = {}
    with (
        interruptible(f"what was collected is in {save_resume_filepath}; the same command goes on from there"),
        collection.CollectionStore(save_resume_filepath) as store,
        _pool(ray, processes) as pool,
        progress("tasks") as show,
    ):

        def report(found: Progress) -> None:
            latest[found.cell] = found
            show(sum(task.finished for task in latest.values()), len(tasks), line(found))

        effort = collection.collect(
            tasks, store=store, pool=pool, machine=machine, max_batch_seconds=max_batch_seconds, report=report
        )
    print_collection(list(latest.values()))
    text = f"{save_resume_filepath}: {effort.shots:,} shots added"
    if effort.shots:
        share = effort.sampling_seconds / effort.worker_seconds
        text += f" in {effort.worker_seconds:.0f} s of workers' time, {share:.0%} of it sampling and decoding"
    tell(text + (f"; {effort.deaths} workers died and were replaced" if effort.deaths else ""))


def _plan(path: Path | None, flags: dict[str, str], **most: int | None) -> Plan:
    """The plan of a file or of flags, with limits that were given as flags in the place of its own."""
    from cascade_qec.evaluation.collection import make_plan, read_plan

    given = {name: limit for name, limit in most.items() if limit is not None}
    if path is not None:
        used = [f"--{name}" for name in ("codes", "p", "decoders") if flags[name]]
        if used:
            raise CascadeError(f"expected either a plan or flags that say what to collect, got {path} and {used[0]}")
        plan = read_plan(path)
        experiments = [table.model_copy(update=given) for table in plan.experiments]
        return plan.model_copy(update={"experiments": experiments, **given})
    for name in ("codes", "p", "decoders"):
        if not flags[name]:
            raise CascadeError(f"expected a plan, or --codes, --p and --decoders; --{name} is missing")
    table: dict[str, Any] = {name: _split(text) for name, text in flags.items() if name != "noise"}
    table["p"] = [_number(text, "p", float) for text in table["p"]]
    table["rounds"] = [text if text == "d" else _number(text, "rounds", int) for text in table["rounds"]]
    return make_plan({"experiments": [table | {"noise": flags["noise"]}], **given}, "flags")


def _pool(ray: str | None, processes: int | None) -> Any:
    if ray is not None:
        from cascade_qec.evaluation.collection.ray import RayPool

        return RayPool(ray, processes)
    from cascade_qec.evaluation.collection.workers import LocalPool

    return LocalPool(processes or os.cpu_count() or 1)


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _number(text: str, flag: str, kind: type[int] | type[float]) -> float:
    try:
        return kind(text)
    except ValueError:
        raise CascadeError(f"--{flag}: expected numbers separated by commas, got {text!r}") from None
