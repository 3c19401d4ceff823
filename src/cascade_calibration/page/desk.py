"""A run of a workflow as the page shows it: what is next, what was found, and what a person decides."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cascade_calibration import analysis
from cascade_calibration.analysis import Curve, Map, Verdict
from cascade_calibration.assistant import Model, explain
from cascade_calibration.measurement import Measurement
from cascade_calibration.units import with_prefix
from cascade_calibration.workflows import Proposal, Result, Run
from cascade_qec.errors import CascadeError

Shown = dict[str, Any]
"""What becomes JSON."""

_KEPT = 16
"""Measurements that are at hand; others are read again."""
_PIXELS = 200
"""Rows and columns of a map that are sent at most."""


class Desk:
    """A run, one thing at a time, each in a thread of its own.

    Parameters
    ----------
    open_run
        Begins or resumes the run, which is told who reads measurements.
    model
        That explains measurements; None for none.

    Attributes
    ----------
    version
        Grows whenever there is something new to show.
    """

    def __init__(self, open_run: Callable[[Callable[[Measurement, str], Verdict]], Run], model: Model | None) -> None:
        self.version = 0
        self._model = model
        self._seen: dict[int, tuple[Measurement, Verdict]] = {}
        self._number = 0
        self._busy, self._problem, self._on = "", "", False
        self._at_work = threading.Lock()
        self._worker: threading.Thread | None = None
        self._run = open_run(self._diagnose)

    def close(self) -> None:
        """Wait for what is at work, and close the run."""
        self._on = False
        if self._worker:
            self._worker.join()
        self._run.close()

    def shown(self) -> Shown:
        """Everything that the page shows but log and pictures."""
        run, state = self._run, self._run.state
        return {
            "version": self.version,
            "workflow": run.workflow.name,
            "about": run.workflow.about,
            "laboratory": run.laboratory.name,
            "approval": run.workflow.approval,
            "spent": {"runs": state.runs, "seconds": state.seconds},
            "budget": {"runs": run.workflow.budget.runs, "seconds": run.workflow.budget.time.value},
            "busy": self._busy,
            "on": self._on,
            "problem": self._problem,
            "model": self._model.name if self._model else "",
            "targets": [
                {
                    "name": name,
                    "reason": one.reason,
                    "text": one.text,
                    "results": {key: str(result.estimate) for key, result in one.results.items()},
                }
                for name, one in state.targets.items()
            ],
            "proposal": self._proposed(),
            "queue": self._queue(),
        }

    def entries(self, after: int) -> list[Shown]:
        """The log, without the states, which the page does not show; of decisions, what was learnt as text besides."""
        return [
            {
                "number": one.number,
                "time": one.time,
                "kind": one.kind,
                "digest": one.digest,
                "body": {key: value for key, value in one.body.items() if key not in ("state", "workflow")},
                "learnt": {name: str(Result(**found).estimate) for name, found in one.body.get("learnt", {}).items()},
            }
            for one in self._run.entries(after)
        ]

    def measured(self, number: int) -> Shown:
        """A run's verdict and picture.

        Raises
        ------
        CascadeError
            If there is none of that number.
        """
        _, verdict = self._measurement(number)
        return {
            "run": number,
            "family": verdict.family,
            "status": verdict.status,
            "probability": verdict.probability,
            "good": verdict.status == analysis.get(verdict.family).success,
            "facts": [(title, text) for title, text in verdict.facts() if text],
            "picture": _picture(verdict.picture),
        }

    def approve(self, number: int, parameters: Mapping[str, str], *, suggested: bool = False) -> None:
        """Run the proposal of that number, with parameters changed.

        Raises
        ------
        CascadeError
            If another is next by now, something is at work, or a change is not allowed.
        """
        proposal = self._next(number)
        self._run.laboratory.check(proposal.experiment, proposal.target, {**proposal.parameters, **parameters})
        by = f"page, as {self._model.name} suggested" if suggested and self._model else "page"
        self._start("measuring", lambda: self._advance(number, parameters, by))

    def go(self, on: bool) -> None:
        """Run on without being asked, or stop doing so after the run at work.

        Raises
        ------
        CascadeError
            If the workflow wants an approval of each run, or something is at work.
        """
        if not on:
            self._on = False
            self._changed()
            return
        if self._run.workflow.approval == "person":
            raise CascadeError(f"{self._run.workflow.name} wants each run to be approved")

        def work() -> None:
            while self._on and self._run.proposal is not None:
                self._advance(self._run.proposal.run, {}, "")

        self._start("measuring", work, on=True)

    def stop(self) -> None:
        """End the run for good.

        Raises
        ------
        CascadeError
            If something is at work.
        """
        self._start("stopping", lambda: self._run.stop("stopped", by="page"))

    def explain(self, number: int) -> None:
        """Have the model explain a run; what it says is in the log.

        Raises
        ------
        CascadeError
            If there is no model or no such run, or something is at work.
        """
        model, (measurement, verdict) = self._model, self._measurement(number)
        if model is None:
            raise CascadeError("expected a model to ask, got none: start the page with --model")
        target = next(one.body["target"] for one in self._run.entries() if one.body.get("run") == number)
        settings, proposal = self._run.state.targets[target].settings, self._run.proposal
        if proposal is not None and proposal.target == target:  # what the model leaves out stays as it is planned
            settings = {**settings, **proposal.parameters}
        named = Measurement(measurement.dataset.assign_attrs(target=target))

        def work() -> None:
            said = explain(model, named, verdict, self._run.laboratory, settings)
            self._run.note({"run": number, "target": target, **said.as_dict()})

        self._start("asking the model", work)

    def _advance(self, number: int, parameters: Mapping[str, str], by: str) -> None:
        self._number = self._next(number).run  # nobody else is at work now, but somebody may have been
        self._run.advance(parameters, by=by)
        self._changed()

    def _next(self, number: int) -> Proposal:
        """What is next, if it is the run of that number."""
        proposal = self._run.proposal
        if proposal is None or proposal.run != number:
            raise CascadeError(f"expected approval of what is next, got that of run {number}: look again")
        return proposal

    def _start(self, busy: str, work: Callable[[], None], *, on: bool = False) -> None:
        if not self._at_work.acquire(blocking=False):
            raise CascadeError(f"expected nothing at work, found the page {self._busy}")
        self._busy, self._problem, self._on = busy, "", on

        def working() -> None:
            try:
                work()
            except CascadeError as error:
                self._problem = str(error)
            finally:
                self._busy, self._on = "", False
                self._at_work.release()
                self._changed()

        self._worker = threading.Thread(target=working, name=busy)
        self._worker.start()
        self._changed()

    def _changed(self) -> None:
        self.version += 1

    def _diagnose(self, measurement: Measurement, family: str) -> Verdict:
        verdict = analysis.diagnose(measurement, family)
        if self._number:  # otherwise a run that was killed goes on, before anybody looks
            self._keep(self._number, measurement, verdict)
        return verdict

    def _measurement(self, number: int) -> tuple[Measurement, Verdict]:
        if number not in self._seen:
            measurement, family = self._run.measurement(number)
            self._keep(number, measurement, analysis.diagnose(measurement, family))
        return self._seen[number]

    def _keep(self, number: int, measurement: Measurement, verdict: Verdict) -> None:
        self._seen[number] = measurement, verdict
        for old in list(self._seen)[:-_KEPT]:
            self._seen.pop(old, None)

    def _proposed(self) -> Shown | None:
        proposal = self._run.proposal
        if proposal is None:
            return None
        experiment = self._run.laboratory.experiment(proposal.experiment)
        return {
            "run": proposal.run,
            "target": proposal.target,
            "step": proposal.step,
            "experiment": proposal.experiment,
            "about": experiment.about,
            "why": proposal.why,
            "seconds": proposal.seconds,
            "criteria": [one.text for one in self._run.workflow[proposal.step].criteria],
            "parameters": [
                {"name": one.name, "about": one.about, "span": one.span, "value": str(proposal.parameters[one.name])}
                for one in experiment.parameters
            ],
        }

    def _queue(self) -> list[Shown]:
        """Steps that follow if all goes well, of this target and then of those whose turn has not come."""
        workflow, state = self._run.workflow, self._run.state
        queue: list[Shown] = []
        for target in (name for name, one in state.targets.items() if not one.reason):
            step = state.step if target == state.target else workflow.steps[0].name
            while step and len(queue) < 200:
                queue.append({"target": target, "step": step, "about": workflow[step].about})
                step = workflow.after(workflow[step])
        return queue[1:]


def _picture(picture: Curve | Map | None) -> Shown | None:
    """Numbers to draw, in units that are easy to read."""
    if picture is None:
        return None
    x_factor, x_unit = with_prefix(picture.x_unit, *picture.x)
    y_factor, y_unit = with_prefix(picture.y_unit, *picture.y)
    if isinstance(picture, Map):
        rows, columns = (np.unique(np.linspace(0, n - 1, min(n, _PIXELS)).astype(int)) for n in picture.values.shape)
        values = picture.values[np.ix_(rows, columns)]
        low, high = np.nanpercentile(values, (1, 99))  # so that outliers do not take all contrast
        levels = np.nan_to_num(255 * np.clip((values - low) / (high - low if high > low else 1), 0, 1)).astype(int)
        return {
            "kind": "map",
            "x": {"label": _label(picture.x_axis, x_unit), "values": x_factor * picture.x[columns]},
            "y": {"label": _label(picture.y_axis, y_unit), "values": y_factor * picture.y[rows]},
            "levels": levels,
            "lines": {name: [x_factor * x, y_factor * y] for name, (x, y) in picture.lines.items()},
        }
    used = np.ones(len(picture.x), bool) if picture.outliers is None else ~picture.outliers
    fit: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None
    if picture.fine_x is not None and picture.fine_fit is not None:
        fit = x_factor * picture.fine_x, y_factor * picture.fine_fit
    elif picture.fit is not None:
        fit = x_factor * picture.x, y_factor * picture.fit
    return {
        "kind": "curve",
        "x": {"label": _label(picture.axis, x_unit), "values": x_factor * picture.x},
        "y": {"label": _label("signal", y_unit), "values": y_factor * picture.y},
        "used": used,
        "fit": fit,
        "marks": {name: x_factor * place for name, place in picture.marks.items()},
    }


def _label(name: str, unit: str) -> str:
    return f"{name} [{unit}]" if unit else name
