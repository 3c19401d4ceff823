"""A circuit with its own noise exchanged for a known one, so that what is recognised does not depend on the noise."""

from __future__ import annotations

import stim

from cascade_qec.error_models import refused

_RATE = 0.001


def is_annotation(name: str) -> bool:
    """Whether an instruction does nothing to the qubits."""
    data = stim.gate_data(name)
    return not (data.is_unitary or data.is_reset or data.produces_measurements or data.is_noisy_gate)


def perfect(circuit: stim.Circuit) -> list[stim.CircuitInstruction]:
    """The circuit's instructions without noise and without loops."""
    flat = circuit.without_noise().flattened()
    return [instruction for instruction in flat if isinstance(instruction, stim.CircuitInstruction)]


def probed(circuit: stim.Circuit) -> stim.DetectorErrorModel:
    """Error model of a circuit whose every gate, reset and measurement fails at one rate, whatever its own noise is.

    Raises
    ------
    CascadeError
        If a detector or an observable of the perfect circuit is random.
    """
    noisy = stim.Circuit()
    for instruction in perfect(circuit):
        name = instruction.name
        data = stim.gate_data(name)
        qubits = [target.value for target in instruction.targets_copy() if target.is_qubit_target]
        if data.produces_measurements and data.is_single_qubit_gate:
            noisy.append("DEPOLARIZE1", qubits, _RATE)
        if data.is_unitary and data.is_two_qubit_gate and len(qubits) == len(instruction.targets_copy()):
            for layer in _layers(qubits):
                noisy.append(name, layer)
                noisy.append("DEPOLARIZE2", layer, _RATE)
            continue
        noisy.append(instruction)
        if data.is_reset or (data.is_unitary and data.is_single_qubit_gate):
            noisy.append("DEPOLARIZE1", qubits, _RATE)
    try:
        return noisy.detector_error_model()
    except ValueError as error:
        raise refused(error) from error


def _layers(qubits: list[int]) -> list[list[int]]:
    """Pairs in their order, in runs in which no qubit comes twice: Stim merges what stands between two of them."""
    layers: list[list[int]] = []
    busy: set[int] = set()
    for pair in zip(qubits[::2], qubits[1::2], strict=True):
        if not layers or not busy.isdisjoint(pair):
            layers.append([])
            busy = set()
        layers[-1] += pair
        busy.update(pair)
    return layers
