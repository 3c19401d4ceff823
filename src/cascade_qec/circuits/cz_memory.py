"""The same memory experiments for hardware with CZ and H gates, and resets and measurements in the Z basis."""

from __future__ import annotations

import stim

from cascade_qec.circuits.memory_builder import Layer, MemoryBuilder, append_noise
from cascade_qec.circuits.noise import Strength
from cascade_qec.circuits.text import append
from cascade_qec.codes import Basis


class CZMemoryBuilder(MemoryBuilder):
    """Writes one memory experiment with CZ.

    A CNOT is a CZ between Hadamards on its target. Those of an ancilla stand before its first and after its last
    gate, where X ancillas need them for their basis. A data qubit is turned by H only between gates with
    ancillas of different kinds, all those of one moment in one layer.
    """

    # Resets and measurements are slow: nothing else happens in their layers. Rounds are whole, and so data qubits are
    # prepared before the ancillas of the first one and read out after those of the last.
    resting_ancillas_are_used = False

    def _prepare(self, circuit: stim.Circuit) -> None:
        self._reset(circuit, self.basis, self.data)
        circuit.append("TICK", [])
        self._reset_ancillas(circuit)

    def _round(self, *, first: bool, last: bool) -> stim.Circuit:
        circuit = stim.Circuit()
        ancillas = {*self.ancillas["X"], *self.ancillas["Z"]}
        # Data qubits prepared, or to be read out, in the X basis.
        diagonal = set(self.data) if self.basis == "X" else set()
        append_noise(circuit, "DEPOLARIZE1", self.data, self.noise.data_before_round)
        turned = {*self.ancillas["Z"]}
        for number, layer in enumerate(self.layers):
            wanted = self._turned_for(layer, turned)
            flips = wanted ^ turned
            if number == 0:
                flips = (flips ^ diagonal if first else flips) | ancillas
            self._turn(circuit, flips)
            turned = wanted
            append(circuit, "CZ", layer.cnots)
            append_noise(circuit, "DEPOLARIZE2", layer.cnots, self.noise.two_qubit)
            self._idle(circuit, set(layer.cnots), self.noise.idle)
            circuit.append("TICK", [])
        self._turn(circuit, (turned ^ diagonal if last else turned) | ancillas)

        for kind in self.measured_between:
            self._measure(circuit, kind, self.ancillas[kind])
        self._wait(circuit, self.noise.idle_during_measurement)
        circuit.append("TICK", [])
        if not last:
            self._reset_ancillas(circuit)
        self._round_detectors(circuit, first=first)
        if not last:
            circuit.append("TICK", [])
        return circuit

    def _reset_ancillas(self, circuit: stim.Circuit) -> None:
        for kind in self.reset_between:
            self._reset(circuit, kind, self.ancillas[kind])
        alone = self.noise.idle_during_reset
        self._wait(circuit, self.noise.idle_during_measurement if alone is None else alone)

    def _turned_for(self, layer: Layer, turned: set[int]) -> set[int]:
        """Qubits that must stand turned in a layer: targets do, controls do not, others stay as they are."""
        return (turned | {*layer.cnots[1::2]}) - {*layer.cnots[::2]}

    def _turn(self, circuit: stim.Circuit, qubits: set[int]) -> None:
        if qubits:
            append(circuit, "H", sorted(qubits))
            append_noise(circuit, "DEPOLARIZE1", sorted(qubits), self.noise.single_qubit)
            alone = self.noise.idle_during_single_qubit
            self._idle(circuit, qubits, self.noise.idle if alone is None else alone)
            circuit.append("TICK", [])

    def _idle(self, circuit: stim.Circuit, busy: set[int], strength: Strength) -> None:
        everyone = [*self.data, *self.ancillas["X"], *self.ancillas["Z"]]
        append_noise(circuit, "DEPOLARIZE1", [q for q in everyone if q not in busy], strength)

    def _wait(self, circuit: stim.Circuit, strength: Strength) -> None:
        """Data qubits while ancillas are measured or reset."""
        append_noise(circuit, "DEPOLARIZE1", self.data, self.noise.idle)
        append_noise(circuit, "DEPOLARIZE1", self.data, strength)

    def _reset(self, circuit: stim.Circuit, kind: Basis, qubits: list[int]) -> None:
        super()._reset(circuit, "Z", qubits)

    def _measure(self, circuit: stim.Circuit, kind: Basis, qubits: list[int]) -> None:
        super()._measure(circuit, "Z", qubits)
