"""A circuit with its own noise exchanged for a known one, so that what is recognised does not depend on the noise."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import stim

from cascade_qec.circuits.text import append
from cascade_qec.error_models import refused

_RATE = 0.001

_Group = list[stim.GateTarget]


def is_annotation(name: str) -> bool:
    """Whether an instruction does nothing to the qubits."""
    data = stim.gate_data(name)
    return not (data.is_unitary or data.is_reset or data.produces_measurements or data.is_noisy_gate)


def perfect(circuit: stim.Circuit) -> list[stim.CircuitInstruction]:
    """The circuit's instructions without noise, without loops, and without the gates that sweep bits control.

    Those are Pauli operators, chosen for each shot: they change no error, and Stim leaves them out as well.
    """
    flat = circuit.without_noise().flattened()
    return list(chain(*(_unswept(each) for each in flat if isinstance(each, stim.CircuitInstruction))))


def _unswept(instruction: stim.CircuitInstruction) -> list[stim.CircuitInstruction]:
    """The instruction as it is, or what is left of it: one or none."""
    if not any(target.is_sweep_bit_target for target in instruction.targets_copy()):
        return [instruction]
    groups = [group for group in instruction.target_groups() if not any(t.is_sweep_bit_target for t in group)]
    return [stim.CircuitInstruction(instruction.name, list(chain(*groups)))] if groups else []


def probed(circuit: stim.Circuit) -> stim.DetectorErrorModel:
    """Error model of a circuit whose every gate, reset and measurement fails at one rate, whatever its own noise is.

    Qubits fail before measurements, of products too, and after everything else; outcomes are flipped besides. Every
    Pauli error anywhere in the circuit is a product of these faults.

    Raises
    ------
    CascadeError
        If a detector or an observable of the perfect circuit is random.
    """
    noisy = stim.Circuit()
    for instruction in perfect(circuit):
        name = instruction.name
        data = stim.gate_data(name)
        if is_annotation(name) or name == "MPAD":
            noisy.append(instruction)
            continue
        layers = _layers(instruction.target_groups())
        for layer in layers:
            # A gate that an outcome controls changes only what is to be expected of the qubit.
            groups = [_qubits(group) for group in layer if not any(t.is_measurement_record_target for t in group)]
            qubits = list(chain(*groups))
            if data.produces_measurements and qubits:
                append(noisy, "DEPOLARIZE1", qubits, _RATE)
            if data.produces_measurements:
                noisy.append(name, _targets(layer), _RATE)
            else:
                noisy.append(instruction if len(layers) == 1 else stim.CircuitInstruction(name, _targets(layer)))
            if (data.is_reset or data.is_unitary) and qubits:
                append(noisy, "DEPOLARIZE2" if data.is_two_qubit_gate else "DEPOLARIZE1", qubits, _RATE)
    try:
        return noisy.detector_error_model()
    except ValueError as error:
        raise refused(error) from error


def _layers(groups: Sequence[_Group]) -> list[list[_Group]]:
    """Groups of targets in their order, in runs in which no qubit comes twice.

    Stim merges what stands between two instructions of one name, and so does `perfect` once noise is gone.
    """
    layers: list[list[_Group]] = []
    busy: set[int] = set()
    for group in groups:
        qubits = _qubits(group)
        if not layers or not busy.isdisjoint(qubits):
            layers.append([])
            busy = set()
        layers[-1].append(group)
        busy.update(qubits)
    return layers


def _qubits(group: _Group) -> list[int]:
    return list(dict.fromkeys(target.value for target in group if not target.is_measurement_record_target))


def _targets(layer: Sequence[_Group]) -> list[stim.GateTarget]:
    """The groups as an instruction has them: with combiners between the Paulis of a product."""
    targets: list[stim.GateTarget] = []
    for group in layer:
        for number, target in enumerate(group):
            if number and target.pauli_type != "I":
                targets.append(stim.target_combiner())
            targets.append(target)
    return targets
