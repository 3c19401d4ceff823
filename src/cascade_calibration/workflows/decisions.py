"""From a verdict to what is next; nothing here knows a laboratory, a log or the time."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from cascade_calibration.analysis import Range, Verdict, get
from cascade_calibration.laboratory import Experiment
from cascade_calibration.quantities import Quantity
from cascade_calibration.workflows.criteria import Checked, Criterion
from cascade_calibration.workflows.expressions import Expression
from cascade_calibration.workflows.state import Proposal, Reason, Result
from cascade_calibration.workflows.workflow import Step
from cascade_qec.errors import CascadeError

_SPARE = 1.3
"""How many times more shots than an uncertainty asks for."""


@dataclass(frozen=True)
class Decision:
    """What is done about a verdict.

    Attributes
    ----------
    action
        "accept" goes on to the next step, "retry" runs this one with `changes`, "go back" runs the step `to`, and
        "abandon" gives the target up for a `reason`.
    text
        Why, in a sentence.
    verdict
        What it was decided on; None where there is none.
    """

    action: Literal["accept", "retry", "go back", "abandon"]
    text: str
    reason: Reason = "done"
    criteria: tuple[Checked, ...] = ()
    learnt: Mapping[str, Result] = field(default_factory=dict[str, Result])
    changes: Mapping[str, Quantity] = field(default_factory=dict[str, Quantity])
    to: str = ""
    verdict: Verdict | None = field(default=None, repr=False, compare=False)


def decide(
    step: Step,
    experiment: Experiment,
    proposal: Proposal,
    verdict: Verdict,
    settings: Mapping[str, Quantity],
    attempts: int,
) -> Decision:
    """What to do after a run.

    Parameters
    ----------
    settings
        In force.
    attempts
        Runs of this step for this target, this one among them.
    """
    criteria = step.criteria
    if not any(one.kind == "status" for one in criteria):
        criteria = (Criterion.of(f"status {get(experiment.family).success}"), *criteria)
    known = {**settings, **proposal.parameters}
    try:
        checked = tuple(one.check(verdict, known) for one in criteria)
    except CascadeError as error:
        return Decision("abandon", f"{step.name}: {error}", "no way on")
    unmet = [one for one in checked if not one.met]
    found = {
        name: Quantity(one.value, one.unit) for name, one in verdict.parameters.items() if math.isfinite(one.value)
    }
    if not unmet:
        try:
            learnt = {name: _learnt(one, known, verdict, proposal) for name, one in step.learns.items()}
        except CascadeError as error:
            return Decision("abandon", f"{step.name}: {error}", "no way on", checked)
        return Decision("accept", "all criteria are met", criteria=checked, learnt=learnt)
    wrong = f"{step.name}: " + "; ".join(f"{one.criterion}, found {one.found}" for one in unmet)
    if attempts >= step.attempts:
        return Decision("abandon", f"{wrong}, in {attempts} attempts", "attempts", checked)
    own = step.on.get(verdict.status)
    if isinstance(own, str):
        return Decision("go back", f"{wrong}: go back to {own}", criteria=checked, to=own)
    try:
        if own is not None:
            changes = {name: one.value(known, found) for name, one in own.items()}
        elif any(one.excess == 0 for one in unmet):
            changes = _suggested(verdict.suggested_range, experiment)
        else:
            changes = _more_shots(max(one.excess for one in unmet), experiment, proposal)
    except CascadeError as error:
        return Decision("abandon", f"{wrong}: {error}", "no way on", checked)
    if all(proposal.parameters.get(name) == value for name, value in changes.items()):
        return Decision("abandon", f"{wrong}, and nothing else to try", "no way on", checked)
    told = ", ".join(f"{name} {value}" for name, value in changes.items())
    return Decision("retry", f"{wrong}: try {told}", criteria=checked, changes=changes)


def _learnt(one: Expression, known: Mapping[str, Quantity], verdict: Verdict, proposal: Proposal) -> Result:
    def at(end: Literal["value", "low", "high"]) -> Quantity:
        return one.value(
            known,
            {name: Quantity(getattr(verdict.parameters[name], end), verdict.parameters[name].unit) for name in used},
        )

    used = [name for name in one.measured if name in verdict.parameters]
    value = at("value")
    low, high = sorted((at("low").value, at("high").value))
    return Result(value=value.value, low=low, high=high, unit=value.unit, step=proposal.step, run=proposal.run)


def _suggested(ranges: tuple[Range, ...], experiment: Experiment) -> dict[str, Quantity]:
    """A verdict's ranges as parameters, cut to their bounds; none where there is no such sweep."""
    changes: dict[str, Quantity] = {}
    for one in ranges:
        if one.axis not in experiment.axes:
            continue
        start, stop, points = (experiment[f"{one.axis}_{end}"] for end in ("from", "to", "points"))
        if one.unit != start.unit or not all(math.isfinite(number) for number in (one.low, one.high, one.points)):
            continue
        low, high = (Quantity(end.nearest(value), end.unit) for end, value in ((start, one.low), (stop, one.high)))
        if low.value < high.value:
            changes |= {start.name: low, stop.name: high, points.name: Quantity(points.nearest(one.points))}
    return changes


def _more_shots(excess: float, experiment: Experiment, proposal: Proposal) -> dict[str, Quantity]:
    """As many as make an uncertainty so many times smaller."""
    if "shots" not in proposal.parameters or not math.isfinite(excess):
        return {}
    wanted = proposal.parameters["shots"].value * _SPARE * min(excess, 1e6) ** 2
    return {"shots": Quantity(experiment["shots"].nearest(round(wanted)))}
