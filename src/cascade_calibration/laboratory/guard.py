"""The only door to a laboratory: what is out of bounds does not pass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from cascade_calibration.laboratory.parameters import Experiment, Parameter
from cascade_calibration.laboratory.protocol import Laboratory
from cascade_calibration.measurement import Measurement
from cascade_calibration.quantities import Quantity
from cascade_qec.errors import CascadeError, unknown


class Guarded:
    """A laboratory whose parameters are checked before each run.

    Parameters
    ----------
    bounds
        Narrower bounds by name of the parameter, for all experiments that have it. They never widen the laboratory's.

    Raises
    ------
    CascadeError
        If a bound names no parameter of any experiment, has another unit, or leaves nothing.
    """

    def __init__(self, laboratory: Laboratory, bounds: Mapping[str, tuple[Quantity, Quantity]] | None = None) -> None:
        self._laboratory, bounds = laboratory, bounds or {}
        self.name = laboratory.name
        self.targets = {name: dict(known) for name, known in laboratory.targets.items()}
        names = {one.name for experiment in laboratory.experiments.values() for one in experiment.parameters}
        for name in bounds:
            if name not in names:
                raise unknown("parameter", name[:80], sorted(names))

        def narrowed(one: Parameter) -> Parameter:
            return one.within(*bounds[one.name]) if one.name in bounds else one

        self.experiments: Mapping[str, Experiment] = {
            name: replace(one, parameters=tuple(map(narrowed, one.parameters)))
            for name, one in laboratory.experiments.items()
        }

    def experiment(self, name: str) -> Experiment:
        """An experiment by its name.

        Raises
        ------
        CascadeError
            If there is none.
        """
        if name not in self.experiments:
            raise unknown("experiment", name[:80], self.experiments)
        return self.experiments[name]

    def check(self, experiment: str, target: str, given: Mapping[str, object]) -> dict[str, Quantity]:
        """All parameters, as they may be run.

        Raises
        ------
        CascadeError
            If the experiment, the target or a parameter is unknown, or a value is not allowed.
        """
        if target not in self.targets:
            raise unknown("target", target[:80], self.targets)
        return self.experiment(experiment).check(given)

    def seconds(self, experiment: str, parameters: Mapping[str, Quantity]) -> float:
        """How long a run takes, as far as the laboratory can tell before.

        Raises
        ------
        CascadeError
            If it does not tell a finite time.
        """
        seconds = self._laboratory.seconds(experiment, _values(parameters))
        if not 0 <= seconds < float("inf"):
            raise CascadeError(f"expected the laboratory to tell how long a run takes, got {seconds} seconds")
        return seconds

    def run(self, experiment: str, target: str, given: Mapping[str, object]) -> Measurement:
        """Check, and measure.

        Raises
        ------
        CascadeError
            As `check`, before anything reaches the laboratory; or if the laboratory fails.
        """
        return self._laboratory.run(experiment, target, _values(self.check(experiment, target, given)))


def _values(parameters: Mapping[str, Quantity]) -> dict[str, float]:
    return {name: one.value for name, one in parameters.items()}
