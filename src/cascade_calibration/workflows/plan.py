"""A dry run: what a workflow would do, as far as it can be told before anything is measured."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cascade_calibration.laboratory import Laboratory
from cascade_calibration.workflows.workflow import Settings, Workflow, started
from cascade_qec.errors import CascadeError


@dataclass(frozen=True)
class Planned:
    """A step for a target.

    Attributes
    ----------
    parameters
        Values that are known; texts of those that earlier steps must tell.
    seconds
        Of one run; None while parameters are open.
    """

    target: str
    step: str
    experiment: str
    parameters: dict[str, str]
    criteria: tuple[str, ...]
    seconds: float | None


def plan(workflow: Workflow, laboratory: Laboratory, settings: Settings | None = None) -> Iterator[Planned]:
    """The steps of each target. Nothing is run.

    Raises
    ------
    CascadeError
        If workflow and laboratory do not fit, or a value that is known already is not allowed.
    """
    guarded = workflow.guarded(laboratory, settings)
    for target, known in started(guarded, settings).items():
        for step in workflow.steps:
            experiment = guarded.experiment(step.experiment)
            shown: dict[str, str] = {}
            values: dict[str, object] = {}
            for parameter in experiment.parameters:
                name, expression = parameter.name, step.parameters.get(parameter.name)
                needed = expression.names if expression else {name} if parameter.default is None else set[str]()
                if needed <= known.keys():
                    value = expression.value(known, {}) if expression else known.get(name)
                    if value is not None:
                        values[name], shown[name] = parameter.check(value), str(value)
                else:
                    shown[name] = expression.text if expression else "as learnt"
            try:
                seconds = guarded.seconds(step.experiment, guarded.check(step.experiment, target, values))
            except CascadeError:
                if len(values) == len(shown):
                    raise
                seconds = None
            yield Planned(target, step.name, step.experiment, shown, tuple(one.text for one in step.criteria), seconds)
