"""What is known of a device: how good its qubits and pairs are, and how long everything takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from cascade_qec.errors import CascadeError


@dataclass(frozen=True, kw_only=True)
class Qubit:
    """One qubit.

    Attributes
    ----------
    t1, t2
        Relaxation and coherence time (echo, as qubits that wait are refocused), in seconds.
    gate_error
        Average error of a gate, as randomized benchmarking gives it.
    readout_error
        Probability of a wrong outcome, mean of both states.
    reset_error
        Probability of the wrong state after a reset.
    """

    t1: float
    t2: float
    gate_error: float
    readout_error: float
    reset_error: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Times:
    """How long gates, readout and reset take, in seconds."""

    single_qubit: float
    two_qubit: float
    readout: float
    reset: float = 0.0


@dataclass(frozen=True)
class Device:
    """Qubits by name, pairs that have a gate, and times.

    Attributes
    ----------
    name
    qubits
    pairs
        Average error of the two-qubit gate of each pair, which stands in one order.
    times

    Raises
    ------
    CascadeError
        If a time is not positive, an error not between 0 and 1/2, or a pair not of two of the qubits.
    """

    name: str
    qubits: Mapping[str, Qubit]
    pairs: Mapping[tuple[str, str], float]
    times: Times

    def __post_init__(self) -> None:
        if not self.qubits:
            raise CascadeError(f"{self.name}: expected qubits, got none")
        for time in ("single_qubit", "two_qubit", "readout"):
            _check(f"times, {time}", getattr(self.times, time), 0, 1, "s")
        _check("times, reset", self.times.reset, -1e-300, 1, "s")
        for name, qubit in self.qubits.items():
            for field in fields(qubit):
                bounds = (0, 1e6, "s") if field.name in ("t1", "t2") else (-1e-300, 1 / 2, "")
                _check(f"qubit {name}, {field.name}", getattr(qubit, field.name), *bounds)
        for pair, error in self.pairs.items():
            if len({*pair} & self.qubits.keys()) != 2:
                raise CascadeError(f"expected pairs of two of the qubits, got {' '.join(pair)}")
            if self.pair_error(pair[1], pair[0]) != error:
                raise CascadeError(f"expected one error of each pair, got two of {' '.join(pair)}")
            _check(f"pair {' '.join(pair)}", error, -1e-300, 1 / 2, "")

    def pair_error(self, a: str, b: str) -> float | None:
        """That of a pair in either order; None where it has no gate."""
        return self.pairs.get((a, b), self.pairs.get((b, a)))


def _check(what: str, value: float, above: float, below: float, unit: str) -> None:
    if not above < value < below:
        bounds = f"between {max(above, 0):g} and {below:g} {unit}".rstrip()
        raise CascadeError(f"{what}: expected a number {bounds}, got {value:g}")
