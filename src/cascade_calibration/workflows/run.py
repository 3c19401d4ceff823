"""A run of a workflow: one proposal after another, each checked, carried out, judged and written down."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from dataclasses import asdict, replace
from hashlib import sha256
from pathlib import Path

from cascade_calibration import analysis
from cascade_calibration.analysis import Verdict
from cascade_calibration.laboratory import Guarded, Laboratory
from cascade_calibration.measurement import Measurement
from cascade_calibration.quantities import Quantity
from cascade_calibration.readers import read
from cascade_calibration.workflows.decisions import Decision, decide
from cascade_calibration.workflows.log import FILE, NOTE, Entry, Log, read_log
from cascade_calibration.workflows.state import Proposal, Reason, State, Target
from cascade_calibration.workflows.workflow import Settings, Step, Workflow, started
from cascade_qec.errors import CascadeError
from cascade_qec.files import check_folder
from cascade_qec.locks import take_lock

Diagnose = Callable[[Measurement, str], Verdict]
_LOCK = ".lock"


class Run:
    """A workflow at work on a laboratory.

    `proposal` is what would be run next, checked against all bounds and budgets; `advance` runs it, or another within
    the same bounds; `finish` goes on to the end. Everything is in the log before the next thing happens, so that a run
    that is killed goes on from its folder. Make one by :meth:`begin` or :meth:`resume`.
    """

    def __init__(
        self,
        workflow: Workflow,
        laboratory: Guarded,
        state: State,
        folder: Path | None,
        diagnose: Diagnose,
        held: ExitStack,
    ) -> None:
        self.workflow, self.laboratory, self.state = workflow, laboratory, state
        self.proposal: Proposal | None = None
        self._log = held.enter_context(closing(Log(folder / FILE if folder else None)))
        self._folder, self._diagnose, self._held, self._ended = folder, diagnose, held, False

    @classmethod
    def begin(
        cls,
        workflow: Workflow,
        laboratory: Laboratory,
        folder: Path | None,
        *,
        settings: Settings | None = None,
        diagnose: Diagnose = analysis.diagnose,
    ) -> Run:
        """Start one.

        Parameters
        ----------
        folder
            New or empty, for the log and the measurements; None keeps the log in memory, and no measurements.
        settings
            What is known of targets besides what the laboratory says, from an earlier run say.
        diagnose
            Who reads measurements: ``(measurement, family) -> Verdict``.

        Raises
        ------
        CascadeError
            If workflow and laboratory do not fit, or the folder has something in it.
        """
        guarded = workflow.guarded(laboratory, settings)
        targets = {name: Target(settings=known) for name, known in started(guarded, settings).items()}
        state = State(targets=targets, target=next(iter(targets), ""), step=workflow.steps[0].name, why="first step")
        with ExitStack() as held:
            if folder is not None:
                check_folder(folder)
                folder.mkdir(parents=True, exist_ok=True)
                _lock(folder, held)
                others = sorted(one.name for one in folder.iterdir() if not one.name.startswith((FILE, _LOCK)))
                found = "a run that has begun" if has_begun(folder) else ", ".join(others[:3])
                if found:
                    raise CascadeError(f"{folder}: expected a new or empty folder, or to resume; found {found}")
            run = cls(workflow, guarded, state, folder, diagnose, held)
            told = {"workflow": workflow.model_dump(mode="json"), "laboratory": laboratory.name}
            run._log.append("begin", {**told, "state": state.model_dump(mode="json")})
            run._prepare()
            run._held = held.pop_all()
            return run

    @classmethod
    def resume(cls, folder: Path, laboratory: Laboratory, *, diagnose: Diagnose = analysis.diagnose) -> Run:
        """Go on with one that ended in whatever way; one that is finished has no proposal.

        Raises
        ------
        CascadeError
            If there is none, its log was changed, it is going on in another process, or the laboratory is another.
        """
        with ExitStack() as held:
            if has_begun(folder):
                _lock(folder, held)
            entries = read_log(folder)
            if not entries:
                raise CascadeError(f"{folder}: expected a run that has begun, found an empty log")
            begun, ended = entries[0].body, entries[-1].kind == "end"
            if begun["laboratory"] != laboratory.name:
                raise CascadeError(f"{folder}: expected the laboratory {begun['laboratory']}, got {laboratory.name}")
            workflow = Workflow.model_validate(begun["workflow"])
            guarded = Guarded(laboratory, workflow.bounds)
            run = cls(workflow, guarded, _latest(entries), folder, diagnose, held)
            if not ended:
                run._go_on([one for one in entries if one.kind not in ("resume", NOTE)])
            run._held = held.pop_all()
            return run

    def advance(self, parameters: Mapping[str, object] | None = None, *, by: str = "") -> Decision:
        """Run the proposal, and decide.

        Parameters
        ----------
        parameters
            To change, within the same bounds; ``"20 us"`` or quantities.
        by
            Who changes or approves, for the log.

        Raises
        ------
        CascadeError
            If nothing is proposed, the workflow wants an approval, or a change is not allowed; nothing was run then.
            Whatever else goes wrong is a decision.
        """
        proposal = self.proposal
        if proposal is None:
            raise CascadeError("expected a proposal to run, found a run that has ended")
        if self.workflow.approval == "person" and not by:
            raise CascadeError(
                f"{self.workflow.name}: expected somebody to approve each run, see `cascade calibration serve`"
            )
        if parameters or by:
            proposal = self._proposed({**proposal.parameters, **(parameters or {})}, by or proposal.by)
            if reason := self._over_budget(proposal):
                raise CascadeError(f"expected a run within the {reason}, got one of {proposal.seconds:.4g} s")
            self._propose(proposal)
        began = time.monotonic()
        try:
            measurement = self.laboratory.run(proposal.experiment, proposal.target, proposal.parameters)
        except CascadeError as error:
            return self._settle(
                Decision("abandon", f"{proposal.step}: {error}", "laboratory"), time.monotonic() - began
            )
        seconds = _seconds(measurement, time.monotonic() - began)
        file = ""
        if self._folder:
            file = f"{proposal.run:04d}_{proposal.target}_{proposal.step}.nc"
            measurement.save(self._folder / file)
        at = {"run": proposal.run, "target": proposal.target, "step": proposal.step}
        self._log.append("measure", {**at, "seconds": seconds, "file": file, **self._sum(file)})
        return self._judge(measurement, seconds)

    def note(self, body: Mapping[str, object]) -> None:
        """Write into the log what nothing depends on, such as what a model said.

        Raises
        ------
        CascadeError
            If the log cannot be written.
        """
        self._log.append(NOTE, body)

    def entries(self, after: int = 0) -> list[Entry]:
        """The log so far, from the entry after number `after` on."""
        return list(self._log.entries(after))

    def measurement(self, number: int) -> tuple[Measurement, str]:
        """A measurement of this run as it was written, and its family.

        Raises
        ------
        CascadeError
            If there is none of that number, or the file was changed.
        """
        found = {one.kind: one for one in self.entries() if one.body.get("run") == number}
        if "measure" not in found or self._folder is None:
            raise CascadeError(f"expected the number of a run that was measured, got {number}")
        experiment = self.laboratory.experiment(found["propose"].body["experiment"])
        return _kept(self._folder, found["measure"]), experiment.family

    def stop(self, text: str, *, by: str) -> None:
        """End the run now.

        Raises
        ------
        CascadeError
            If the log cannot be written.
        """
        if self.state.target:
            self._end("stopped", f"{text} ({by})")

    def finish(self, report: Callable[[Proposal, Decision], None] = lambda proposal, decision: None) -> State:
        """Run proposals to the end, and show each with its decision."""
        while self.proposal is not None:
            proposal = self.proposal
            report(proposal, self.advance())
        return self.state

    def close(self) -> None:
        """Close the log, and let others have the folder."""
        self._held.close()

    def __enter__(self) -> Run:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _go_on(self, entries: list[Entry]) -> None:
        """From the last entry, as if nothing had happened since."""
        self._log.append("resume", {})
        last = entries[-1]
        if last.kind in ("propose", "measure"):
            self.proposal = _proposal(next(one for one in reversed(entries) if one.kind == "propose"))
        if last.kind == "measure" and self._folder:
            self._judge(_kept(self._folder, last), last.body["seconds"])
        elif last.kind != "propose":
            self._prepare()

    def _prepare(self) -> None:
        """Make the next proposal, giving up targets that have none; or end."""
        self.proposal = None
        while self.state.target and self.proposal is None:
            try:
                proposal = self._proposed(self._parameters(), "workflow")
            except CascadeError as error:
                self._decided(Decision("abandon", f"{self.state.step}: {error}", "out of bounds"))
                continue
            if reason := self._over_budget(proposal):
                self._end(reason, f"{self.state.step} would take {proposal.seconds:.4g} s")
            else:
                self._propose(proposal)
        if not self.state.target and not self._ended:
            self._write_end()

    def _parameters(self) -> dict[str, Quantity]:
        step, settings = self._step, self._target.settings
        own = {one.name for one in self.laboratory.experiment(step.experiment).parameters}
        given = {name: value for name, value in settings.items() if name in own}
        given |= {name: one.value(settings, {}) for name, one in step.parameters.items()}
        return given | self.state.changes

    def _proposed(self, parameters: Mapping[str, object], by: str) -> Proposal:
        step, state = self._step, self.state
        checked = self.laboratory.check(step.experiment, state.target, parameters)
        return Proposal(
            run=state.runs + 1,
            target=state.target,
            step=step.name,
            experiment=step.experiment,
            parameters=checked,
            why=state.why,
            by=by,
            seconds=self.laboratory.seconds(step.experiment, checked),
        )

    def _over_budget(self, proposal: Proposal) -> Reason | None:
        budget = self.workflow.budget
        if self.state.runs >= budget.runs:
            return "budget of runs"
        return "budget of time" if self.state.seconds + proposal.seconds > budget.time.value else None

    def _propose(self, proposal: Proposal) -> None:
        if proposal != self.proposal:
            self._log.append("propose", proposal.as_dict())
        self.proposal = proposal

    def _judge(self, measurement: Measurement, seconds: float) -> Decision:
        """What the measurement of the proposal shows, and what to do."""
        assert self.proposal is not None
        step, proposal, target = self._step, self.proposal, self._target
        experiment = self.laboratory.experiment(step.experiment)
        try:
            verdict = self._diagnose(measurement, experiment.family)
        except CascadeError as error:
            return self._settle(Decision("abandon", f"{step.name}: {error}", "unreadable"), seconds)
        attempts = target.attempts.get(step.name, 0) + 1
        decision = decide(step, experiment, proposal, verdict, target.settings, attempts)
        return self._settle(replace(decision, verdict=verdict), seconds)

    def _settle(self, decision: Decision, seconds: float) -> Decision:
        """Write a decision down, and go on to the next proposal."""
        self._decided(decision, seconds)
        self._prepare()
        return decision

    def _decided(self, decision: Decision, seconds: float | None = None) -> None:
        """Write down; without `seconds` nothing was run."""
        at = {"target": self.state.target, "step": self.state.step}
        self.state = _after(self.state, decision, self.workflow, seconds)
        kept = {"action": decision.action, "reason": decision.reason, "text": decision.text}
        more: dict[str, object] = {
            "run": self.state.runs,
            "criteria": [asdict(one) for one in decision.criteria],
            "learnt": {name: one.model_dump() for name, one in decision.learnt.items()},
        }
        if decision.verdict:
            more["verdict"] = decision.verdict.as_dict()
        self._log.append("decide", {**at, **kept, **more, "state": self.state.model_dump(mode="json")})

    def _end(self, reason: Reason, text: str) -> None:
        """Give up all targets that are not done."""
        self.state = self.state.model_copy(update={"target": "", "step": "", "changes": {}}, deep=True)
        for target in self.state.targets.values():
            if not target.reason:
                target.reason, target.text = reason, text
        self._write_end()

    def _write_end(self) -> None:
        self.proposal, self._ended = None, True
        outcomes = {name: {"reason": one.reason, "text": one.text} for name, one in self.state.targets.items()}
        self._log.append("end", {"outcomes": outcomes, "state": self.state.model_dump(mode="json")})

    @property
    def _step(self) -> Step:
        return self.workflow[self.state.step]

    @property
    def _target(self) -> Target:
        return self.state.targets[self.state.target]

    def _sum(self, file: str) -> dict[str, str]:
        return {"sha256": sha256((self._folder / file).read_bytes()).hexdigest()} if self._folder else {}


def _lock(folder: Path, held: ExitStack) -> None:
    if take_lock(held.enter_context((folder / _LOCK).open("ab"))) is False:
        raise CascadeError(f"{folder}: expected a run that nobody works on, found it in use")


def has_begun(folder: Path) -> bool:
    """Whether there is a run in a folder that can be resumed.

    Raises
    ------
    CascadeError
        If there is something else in the place of its log.
    """
    return (folder / FILE).exists() and bool(read_log(folder))


def elapsed(folder: Path) -> float:
    """Seconds that went by in the laboratory, by the log: where a simulated one goes on.

    Raises
    ------
    CascadeError
        If there is no run.
    """
    return sum(one.body["seconds"] for one in read_log(folder) if one.kind == "measure")


def last_state(folder: Path) -> State:
    """Where the run in a folder stands.

    Raises
    ------
    CascadeError
        If there is none.
    """
    entries = read_log(folder)
    if not entries:
        raise CascadeError(f"{folder}: expected a run that has begun, found an empty log")
    return _latest(entries)


def _after(state: State, decision: Decision, workflow: Workflow, seconds: float | None) -> State:
    """Where a run stands after a decision on what took so many seconds, or on nothing that was run."""
    state = state.model_copy(deep=True)
    target, step = state.targets[state.target], workflow[state.step]
    if seconds is not None:
        state.runs, state.seconds = state.runs + 1, state.seconds + seconds
        target.attempts[step.name] = target.attempts.get(step.name, 0) + 1
    if decision.action == "retry":
        state.changes |= decision.changes
        state.why = decision.text
        return state
    state.changes, state.why = {}, decision.text
    if decision.action == "go back":
        state.step = decision.to
    elif decision.action == "accept":
        target.results |= decision.learnt
        target.settings |= {name: Quantity(one.value, one.unit) for name, one in decision.learnt.items()}
        state.step, state.why = workflow.after(step), f"{step.name} is done"
    if decision.action == "abandon" or not state.step:
        target.reason, target.text = decision.reason, decision.text
        state.target = next((name for name, one in state.targets.items() if not one.reason), "")
        state.step, state.why = (workflow.steps[0].name, "first step") if state.target else ("", "")
    return state


def _latest(entries: list[Entry]) -> State:
    found = next(one for one in reversed(entries) if "state" in one.body)
    return State.model_validate(found.body["state"])


def _proposal(entry: Entry) -> Proposal:
    parameters = {name: Quantity(**value) for name, value in entry.body["parameters"].items()}
    return replace(Proposal(**entry.body), parameters=parameters)


def _kept(folder: Path, entry: Entry) -> Measurement:
    """A measurement of the log, as it was written."""
    path = folder / entry.body["file"]
    if not path.is_file() or sha256(path.read_bytes()).hexdigest() != entry.body["sha256"]:
        raise CascadeError(f"{path}: expected the measurement of the log, found none or another")
    (measurement,) = read(path)
    return measurement


def _seconds(measurement: Measurement, elapsed: float) -> float:
    """How long a run took: what the laboratory says, or else the clock on the wall."""
    said = measurement.dataset.attrs.get("seconds")
    return float(said) if isinstance(said, int | float) and 0 <= said < float("inf") else elapsed
