"""The parts of one memory experiment, with CNOTs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import stim
from numpy.typing import NDArray

from cascade_qec.circuits.noise import NoiseModel, Rate, Strength
from cascade_qec.circuits.text import append
from cascade_qec.codes import BASES, Basis, CSSCode
from cascade_qec.codes.schedule import Pairs
from cascade_qec.errors import CascadeError


@dataclass(frozen=True)
class Layer:
    """One layer of CNOTs: targets in pairs, and the data qubits that none of them touches."""

    cnots: list[int]
    idle: list[int]

    @classmethod
    def of(cls, pairs: Pairs, n: int) -> Layer:
        """From its CNOTs and the number of data qubits."""
        cnots = [qubit for pair in pairs for qubit in pair]
        return cls(cnots, sorted({*range(n)}.difference(cnots)))


class MemoryBuilder:
    """Writes one memory experiment with CNOTs, and resets and measurements in both bases.

    Ancillas that the schedule lets rest in the first or the last layer of CNOTs are reset or measured there.
    """

    resting_ancillas_are_used = True

    def __init__(self, code: CSSCode, basis: Basis, noise: NoiseModel) -> None:
        self.code = code
        self.basis: Basis = basis
        self.noise = noise
        checks_x, checks_z = len(code.hx), len(code.hz)
        self.data = list(range(code.n))
        self.ancillas: dict[Basis, list[int]] = {
            "X": list(range(code.n, code.n + checks_x)),
            "Z": list(range(code.n + checks_x, code.n + checks_x + checks_z)),
        }
        plan = code.schedule
        neighbours: dict[Basis, NDArray[np.int64]] = {kind: code.neighbours(kind) for kind in BASES}
        self.layers = [Layer.of(pairs, code.n) for pairs in plan.layers(neighbours, self.ancillas)]
        # Kinds of check whose ancillas are reset during the first layer, and measured during the last.
        kinds: tuple[Basis, ...] = BASES if self.resting_ancillas_are_used else ()
        self.reset_in_first: list[Basis] = [kind for kind in kinds if plan.rests(kind, 0)]
        self.measured_in_last: list[Basis] = [kind for kind in kinds if plan.rests(kind, -1)]
        self.reset_between: list[Basis] = [kind for kind in BASES if kind not in self.reset_in_first]
        self.measured_between: list[Basis] = [kind for kind in BASES if kind not in self.measured_in_last]
        # Data qubits are prepared as late as possible: those that the first layer leaves alone in that layer,
        # if it resets qubits anyway.
        self.late_data = self.layers[0].idle if self.reset_in_first else []
        # Position of each kind's first outcome in the measurement record, from the end of a round.
        self.record_start: dict[Basis, int] = {}
        self.outcomes_per_round = checks_x + checks_z
        start = -self.outcomes_per_round
        for kind in (*self.measured_in_last, *self.measured_between):
            self.record_start[kind] = start
            start += len(self.ancillas[kind])
        # What a round turns checks and observables by: outcomes of its own.
        self.turned_checks = {kind: plan.turned(kind, code.checks(kind), neighbours) for kind in BASES}
        self.turned_observables = plan.turned(basis, code.logicals(basis), neighbours)

    def build(self, rounds: int) -> stim.Circuit:
        circuit = stim.Circuit()
        self._coordinates(circuit)
        self._prepare(circuit)
        circuit.append("TICK", [])
        circuit += self._round(first=True, last=rounds == 1)
        if rounds > 1:
            circuit += self._round(first=False, last=False) * (rounds - 2)
            circuit += self._round(first=False, last=True)
        self._readout(circuit)
        return circuit

    def _prepare(self, circuit: stim.Circuit) -> None:
        """The initial reset, but for what is reset in the first layer of CNOTs."""
        self._reset(circuit, self.basis, [q for q in self.data if q not in self.late_data])
        for kind in self.reset_between:
            self._reset(circuit, kind, self.ancillas[kind])

    def _round(self, *, first: bool, last: bool) -> stim.Circuit:
        """One round from its first CNOTs to its detectors and, unless last, the preparation of the next."""
        circuit = stim.Circuit()
        for number, layer in enumerate(self.layers):
            idle_rate = self.noise.idle
            idle = layer.idle
            if number == 0:
                for kind in self.reset_in_first:
                    self._reset(circuit, kind, self.ancillas[kind])
                    idle_rate = self.noise.idle_during_measurement
                if first:
                    self._reset(circuit, self.basis, self.late_data)
                    idle = [q for q in idle if q not in self.late_data]
                append_noise(circuit, "DEPOLARIZE1", self.data, self.noise.data_before_round)
            append(circuit, "CX", layer.cnots)
            append_noise(circuit, "DEPOLARIZE2", layer.cnots, self.noise.two_qubit)
            if number == len(self.layers) - 1:
                for kind in self.measured_in_last:
                    self._measure(circuit, kind, self.ancillas[kind])
                    idle_rate = self.noise.idle_during_measurement
            append_noise(circuit, "DEPOLARIZE1", idle, idle_rate)
            circuit.append("TICK", [])

        for kind in self.measured_between:
            self._measure(circuit, kind, self.ancillas[kind])
        if not last:
            for kind in self.reset_between:
                self._reset(circuit, kind, self.ancillas[kind])
            append_noise(circuit, "DEPOLARIZE1", self.data, self.noise.idle_during_measurement)
        self._round_detectors(circuit, first=first)
        if not last:
            circuit.append("TICK", [])
        return circuit

    def _readout(self, circuit: stim.Circuit) -> None:
        """Data readout with its detectors and observables."""
        self._measure(circuit, self.basis, self.data)
        circuit.append("SHIFT_COORDS", [], (0, 0, 1))
        coords, planes = (at.tolist() for at in (self.code.detector_coords(self.basis), self.code.planes(self.basis)))
        ancilla_start = self.record_start[self.basis] - self.code.n
        for check, row in enumerate(self.code.checks(self.basis)):
            outcomes = [ancilla_start + check, *(np.flatnonzero(row) - self.code.n)]
            outcomes += (ancilla_start + np.flatnonzero(self.turned_checks[self.basis][check])).tolist()
            append(circuit, "DETECTOR", _records(outcomes), (*coords[check], 0, planes[check]))
        for index, row in enumerate(self.code.logicals(self.basis)):
            append(circuit, "OBSERVABLE_INCLUDE", _records(np.flatnonzero(row) - self.code.n), index)

    def _round_detectors(self, circuit: stim.Circuit, *, first: bool) -> None:
        """Each outcome against the previous round's; in the first round against the known initial state."""
        if not first:
            circuit.append("SHIFT_COORDS", [], (0, 0, 1))
        for kind in (self.basis,) if first else BASES:
            planes = self.code.planes(kind).tolist()
            for check, coords in enumerate(self.code.detector_coords(kind).tolist()):
                now = self.record_start[kind] + check
                outcomes = [now]
                if not first:
                    before = self.record_start[kind] - self.outcomes_per_round
                    outcomes += [before + check, *(before + np.flatnonzero(self.turned_checks[kind][check]))]
                append(circuit, "DETECTOR", _records(outcomes), (*coords, 0, planes[check]))
        for index, row in enumerate(self.turned_observables):
            if row.any():
                append(
                    circuit, "OBSERVABLE_INCLUDE", _records(self.record_start[self.basis] + np.flatnonzero(row)), index
                )

    def _reset(self, circuit: stim.Circuit, kind: Basis, qubits: list[int]) -> None:
        if qubits:
            append(circuit, "RX" if kind == "X" else "R", qubits)
            append_noise(circuit, "Z_ERROR" if kind == "X" else "X_ERROR", qubits, self.noise.reset)

    def _measure(self, circuit: stim.Circuit, kind: Basis, qubits: list[int]) -> None:
        # A flipped outcome and a flip before the measurement are the same here: no qubit is used again before
        # its next reset.
        name = "MX" if kind == "X" else "M"
        for some, flip in _by_place(qubits, 1, self.noise.measurement):
            append(circuit, name, some, flip or ())

    def _coordinates(self, circuit: stim.Circuit) -> None:
        """Positions for drawing: a grid of data qubits and ancillas like that of Stim's generated circuits."""
        positions = [self.code.qubit_positions, *(self.code.check_positions(kind) for kind in BASES)]
        for qubit, place in enumerate(np.concatenate(positions).tolist()):
            append(circuit, "QUBIT_COORDS", [qubit], place)


def _records(outcomes: list[int] | np.ndarray) -> list[str]:
    return [f"rec[{outcome}]" for outcome in outcomes]


def append_noise(circuit: stim.Circuit, channel: str, qubits: list[int], strength: Strength) -> None:
    for some, rate in _by_place(qubits, 2 if channel == "DEPOLARIZE2" else 1, strength):
        if isinstance(rate, tuple) and any(rate):
            append(circuit, "PAULI_CHANNEL_1", some, rate)
        elif not isinstance(rate, tuple) and rate > 0:
            append(circuit, channel, some, rate)


def _by_place(qubits: list[int], size: int, strength: Strength) -> Iterator[tuple[list[int], Rate]]:
    """The qubits in groups that have one strength: all of them, or one qubit or pair at a time."""
    if not isinstance(strength, Mapping):
        if qubits:
            yield qubits, strength
        return
    known: Mapping[Any, Rate] = strength
    for start in range(0, len(qubits), size):
        some = qubits[start : start + size]
        names = some if size == 1 else [tuple(some), tuple(some[::-1])]
        rates = [known[name] for name in names if name in known]
        if not rates:
            where = f"qubit{'s' * (size > 1)} {' and '.join(map(str, some))}"
            raise CascadeError(f"expected a noise model with a strength for {where}, got one for {len(known)} others")
        yield some, rates[0]
