# Stim's annotations have loops even in flattened circuits.
# pyright: reportAttributeAccessIssue=false

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest
import stim

from cascade_qec import codes
from cascade_qec.circuits import SI1000, NoiseModel, UniformDepolarizing, memory

NAMES = pytest.mark.parametrize("name", ["surface_d3", "surface_d5", "bb72", "colour_d3"])
BASES = pytest.mark.parametrize("basis", ["X", "Z"])
SILENT = ("QUBIT_COORDS", "SHIFT_COORDS", "DETECTOR", "OBSERVABLE_INCLUDE")


def layers(circuit: stim.Circuit) -> Iterator[list[stim.CircuitInstruction]]:
    """What happens between two TICKs."""
    layer: list[stim.CircuitInstruction] = []
    for instruction in circuit.flattened():
        if instruction.name == "TICK":
            yield layer
            layer = []
        elif instruction.name not in SILENT:
            layer.append(instruction)
    yield layer


def symptoms(circuit: stim.Circuit) -> dict[tuple[str, ...], float]:
    """Probability of each mechanism by the detectors and observables that it flips."""
    model = circuit.detector_error_model(flatten_loops=True)
    return {
        tuple(sorted(map(str, error.targets_copy()))): error.args_copy()[0] for error in model if error.type == "error"
    }


@NAMES
@BASES
@pytest.mark.parametrize("rounds", [1, 2, 4])
def test_without_noise_nothing_ever_clicks(name, basis, rounds):
    perfect = memory(codes.get(name), rounds=rounds, basis=basis, noise=NoiseModel(native="CZ"))
    detectors, observables = perfect.compile_detector_sampler(seed=5).sample(64, separate_observables=True)
    assert not detectors.any()
    assert not observables.any()
    # Raises if a detector or an observable is random.
    assert perfect.detector_error_model().num_errors == 0
    assert memory(codes.get(name), rounds=rounds, basis=basis, noise=SI1000(0.001)).without_noise() == perfect


@NAMES
@BASES
@pytest.mark.parametrize("rounds", [1, 2, 5])
def test_detectors_and_places_are_those_of_the_circuit_with_cnots(name, basis, rounds):
    code = codes.get(name)
    ours = memory(code, rounds=rounds, basis=basis, noise=SI1000(0.001))
    cnots = memory(code, rounds=rounds, basis=basis)
    assert ours.get_detector_coordinates() == cnots.get_detector_coordinates()
    assert ours.get_final_qubit_coordinates() == cnots.get_final_qubit_coordinates()
    assert ours.num_observables == code.k


@NAMES
@BASES
def test_every_layer_is_of_one_kind_and_uses_a_qubit_once(name, basis):
    kinds = Counter()
    for layer in layers(memory(codes.get(name), rounds=4, basis=basis, noise=NoiseModel(native="CZ"))):
        (kind,) = {instruction.name for instruction in layer}
        kinds[kind] += 1
        qubits = [target.value for instruction in layer for target in instruction.targets_copy()]
        assert len(qubits) == len(set(qubits))
    assert set(kinds) == {"R", "H", "CZ", "M"}
    # Four rounds, and the preparation and the readout of the data qubits.
    assert kinds["R"] == kinds["M"] == 5
    assert kinds["CZ"] == 4 * codes.get(name).schedule.depth


@NAMES
@BASES
def test_without_noise_of_their_own_gates_the_mechanisms_are_those_of_cnots(name, basis):
    """CZ between Hadamards on the target is a CNOT, and depolarization does not care for Hadamards."""
    code = codes.get(name)
    noise = NoiseModel(two_qubit=0.003, measurement=0.002, reset=0.001)
    found, expected = (
        symptoms(memory(code, rounds=3, basis=basis, noise=replace(noise, native=native))) for native in ("CZ", "CX")
    )
    assert found == pytest.approx(expected)


@NAMES
@BASES
def test_more_places_for_faults_make_no_other_mechanisms(name, basis):
    """Hadamards, idling ancillas and separate layers add to the probabilities: every fault is one of CNOTs already."""
    code = codes.get(name)
    everything = replace(UniformDepolarizing(0.001), single_qubit=0.001)
    found, expected = (
        symptoms(memory(code, rounds=3, basis=basis, noise=replace(everything, native=native)))
        for native in ("CZ", "CX")
    )
    assert found.keys() == expected.keys()
    assert all(found[key] >= expected[key] * (1 - 1e-9) for key in found)


@BASES
@pytest.mark.parametrize("d", [3, 5])
def test_circuit_distance_is_the_code_distance(d, basis):
    circuit = memory(codes.get(f"surface_d{d}"), rounds=d, basis=basis, noise=SI1000(0.001))
    assert len(circuit.shortest_graphlike_error()) == d


@NAMES
@BASES
def test_text_does_not_grow_with_rounds(name, basis):
    short, long = (memory(codes.get(name), rounds=r, basis=basis, noise=SI1000(0.001)) for r in (5, 1000))
    assert len(str(long)) < len(str(short)) + 10


@NAMES
@BASES
def test_strengths_by_instruction(name, basis):
    p = 0.001
    strengths: dict[str, set[float]] = {}
    for layer in layers(memory(codes.get(name), rounds=3, basis=basis, noise=SI1000(p))):
        kind = next(i.name for i in layer if i.name in ("R", "H", "CZ", "M"))
        qubits = Counter()
        for instruction in layer:
            name_in_layer = f"{instruction.name} {kind}" if instruction.name == "DEPOLARIZE1" else instruction.name
            strengths.setdefault(name_in_layer, set()).update(instruction.gate_args_copy())
            if instruction.name.startswith("DEPOLARIZE"):
                qubits.update(target.value for target in instruction.targets_copy())
        # With gates every qubit has one fault; beside resets and measurements, those that wait have two.
        assert set(qubits.values()) <= ({1} if kind in ("H", "CZ") else {2})
        if kind in ("H", "CZ"):
            assert len(qubits) == codes.get(name).n + len(codes.get(name).hx) + len(codes.get(name).hz)
    assert strengths == {
        "R": set(),
        "X_ERROR": {2 * p},
        "H": set(),
        "CZ": set(),
        "DEPOLARIZE1 H": {p / 10},
        "DEPOLARIZE1 CZ": {p / 10},
        "DEPOLARIZE1 R": {p / 10, 2 * p},
        "DEPOLARIZE1 M": {p / 10, 2 * p},
        "DEPOLARIZE2": {p},
        "M": {5 * p},
    }
