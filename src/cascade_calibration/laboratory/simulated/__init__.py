"""A simulated laboratory: qubits with hidden parameters that drift, crosstalk, broken elements."""

from __future__ import annotations

from collections.abc import Mapping
from zlib import crc32

import numpy as np

from cascade_calibration.laboratory.simulated.experiments import KINDS, clifford_error, fidelity, measured, seconds
from cascade_calibration.laboratory.simulated.qubit import BROKEN, draw
from cascade_calibration.measurement import Measurement
from cascade_calibration.quantities import Quantity
from cascade_qec.errors import CascadeError, unknown

__all__ = ["BROKEN", "SimulatedLaboratory"]

_MOST_QUBITS = 16


class SimulatedLaboratory:
    """A chip whose parameters nobody is told, as a :class:`Laboratory`.

    What an experiment shows depends on what it is told: pulses at a wrong frequency hardly excite, a readout beside the
    resonator sees nothing. The laboratory has a clock of its own, which each run moves on; qubits drift with it. A run
    gives the same for the same seed, clock and parameters.

    Parameters
    ----------
    broken
        One of :data:`BROKEN` by qubit.
    clock
        Of the laboratory at the start, in s.

    Raises
    ------
    CascadeError
        If the seed, the number of qubits or the clock cannot be, or what is broken is unknown.
    """

    def __init__(
        self, seed: int, *, qubits: int = 2, broken: Mapping[str, str] | None = None, clock: float = 0.0
    ) -> None:
        if not 0 <= seed < 2**63 or not 1 <= qubits <= _MOST_QUBITS or not 0 <= clock < 1e9:
            raise CascadeError(
                f"expected a seed, 1 to {_MOST_QUBITS} qubits and a clock in seconds, got {seed}, {qubits} and {clock}"
            )
        self.experiments = {name: kind.experiment for name, kind in KINDS.items()}
        self.name, self.clock, self._seed = f"simulated:{seed}", clock, seed
        names, broken = [f"q{i}" for i in range(qubits)], broken or {}
        for name, what in broken.items():
            if name not in names:
                raise unknown("qubit", name, names)
            if what not in BROKEN:
                raise unknown("broken element", what, BROKEN)
        self._hidden = {
            name: draw(np.random.default_rng([seed, i]), i, broken.get(name, "")) for i, name in enumerate(names)
        }
        self.targets = {
            name: {
                "designed_readout_frequency": Quantity(one.designed[0], "Hz"),
                "designed_qubit_frequency": Quantity(one.designed[1], "Hz"),
            }
            for name, one in self._hidden.items()
        }

    def seconds(self, experiment: str, parameters: Mapping[str, float]) -> float:
        """How long a run takes, by the laboratory's clock."""
        return seconds(experiment, parameters)

    def run(self, experiment: str, target: str, parameters: Mapping[str, float]) -> Measurement:
        """Measure; the clock moves on. The measurement's `clock` is the middle of it."""
        took = seconds(experiment, parameters)
        middle = self.clock + took / 2
        asked = crc32(repr((experiment, target, sorted(parameters.items()))).encode())
        rng = np.random.default_rng([self._seed, asked, int(1e3 * middle)])
        qubits = {name: one.at(middle) for name, one in self._hidden.items()}
        found = measured(experiment, target, qubits, parameters, rng)
        self.clock += took
        return Measurement(found.dataset.assign_attrs(clock=middle, seconds=took))

    def truth(self, target: str, settings: Mapping[str, float], clock: float) -> dict[str, float]:
        """What a workflow should find out about a qubit at a time, in base units.

        Parameters
        ----------
        settings
            In force, in base units: how good gates and readout are depends on them.
        """
        qubit = self._hidden[target].at(clock)
        return {
            "readout_frequency": qubit.resonator,
            "qubit_frequency": qubit.frequency,
            "pi_amplitude": qubit.pi_amplitude,
            "t1": qubit.t1,
            "t2": qubit.t2,
            "t2_star": qubit.t2_star,
            "assignment_fidelity": fidelity(qubit, settings),
            "error_per_clifford": clifford_error(qubit, settings),
        }
