"""What a laboratory is: a dozen lines between hardware and whoever uses it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from cascade_calibration.laboratory.parameters import Experiment
from cascade_calibration.measurement import Measurement
from cascade_calibration.quantities import Quantity


class Laboratory(Protocol):
    """Qubits, and experiments that can be run on them.

    Nobody calls `run` but :class:`Guarded`, which checks every parameter before.
    """

    @property
    def name(self) -> str:
        """What it is called in logs."""
        ...

    @property
    def experiments(self) -> Mapping[str, Experiment]:
        """By name, with the bounds of all that they may be told."""
        ...

    @property
    def targets(self) -> Mapping[str, Mapping[str, Quantity]]:
        """What is known of each qubit beforehand, from its design say: settings by name."""
        ...

    def seconds(self, experiment: str, parameters: Mapping[str, float]) -> float:
        """How long a run takes, as far as it can be told before."""
        ...

    def run(self, experiment: str, target: str, parameters: Mapping[str, float]) -> Measurement:
        """Set whatever the experiment needs, and measure; `parameters` are all of the experiment's, in base units.

        The attribute `seconds` of the measurement says how long it took, if that is known better than by the clock.

        Raises
        ------
        CascadeError
            If the hardware refuses or fails.
        """
        ...
