"""The code of an experiment is found, and hardly any other is tried."""

# Stim's annotations have loops even in flattened circuits.
# pyright: reportAttributeAccessIssue=false

import sys
from itertools import product

import numpy as np
import pytest
import stim

from cascade_qec import codes
from cascade_qec.circuits import UniformDepolarizing, memory
from cascade_qec.errors import CascadeError
from cascade_qec.recognition import recognise, recognise_any


def anonymous(circuit: stim.Circuit) -> stim.Circuit:
    """The same detectors and observables without coordinates."""
    bare = stim.Circuit()
    for instruction in circuit.flattened():
        if instruction.name == "DETECTOR":
            bare.append("DETECTOR", instruction.targets_copy())
        elif instruction.name not in ("QUBIT_COORDS", "SHIFT_COORDS"):
            bare.append(instruction)
    return bare


def bare_model(circuit: stim.Circuit) -> stim.DetectorErrorModel:
    """Its mechanisms alone, in another order."""
    model = anonymous(circuit).detector_error_model()
    lines = [line for line in str(model).splitlines() if line.startswith("error")]
    return stim.DetectorErrorModel("\n".join(np.random.default_rng(1).permutation(lines)))


@pytest.fixture
def tried(monkeypatch) -> list[str]:
    """Names of the codes that are tried."""
    names: list[str] = []

    def noted(source, code):
        names.append(code.name)
        return recognise(source, code)

    monkeypatch.setattr(sys.modules[recognise_any.__module__], "recognise", noted)
    return names


@pytest.mark.parametrize(
    ("name", "rounds", "basis"),
    [
        ("surface_d3", 1, "X"),
        ("surface_d3", 4, "Z"),
        ("surface_d5", 3, "X"),
        ("surface_d7", 2, "Z"),
        ("surface_d11", 1, "Z"),
        ("bb72", 2, "Z"),
        ("bb144", 1, "Z"),
    ],
)
def test_circuits(name, rounds, basis, tried):
    code = codes.get(name)
    circuit = memory(code, rounds=rounds, basis=basis, noise=UniformDepolarizing(0.003))
    found = recognise_any(anonymous(circuit))
    assert tried == [name]
    assert found.lattice.code is code
    assert (found.lattice.rounds, found.basis) == (rounds, basis)
    assert found.strength == pytest.approx(0.003, rel=0.01)
    assert found.agreement == pytest.approx(1)


@pytest.mark.parametrize(
    ("name", "rounds", "most"),
    [("surface_d3", 3, 1), ("surface_d3", 9, 4), ("surface_d5", 5, 3), ("bb72", 2, 3), ("bb90", 1, 3)],
)
def test_error_models(name, rounds, most, tried):
    code = codes.get(name)
    circuit = memory(code, rounds=rounds, noise=UniformDepolarizing(0.003))
    found = recognise_any(bare_model(circuit))
    assert tried[-1] == name
    assert len(tried) <= most
    assert found.lattice.code is code
    assert found.lattice.rounds == rounds
    assert found.strength == pytest.approx(0.003, rel=0.01)


NOISE = dict.fromkeys(
    (
        "after_clifford_depolarization",
        "before_measure_flip_probability",
        "after_reset_flip_probability",
        "before_round_data_depolarization",
    ),
    0.003,
)


@pytest.mark.parametrize(
    ("task", "distance", "name"),
    [
        ("repetition_code:memory", 5, "repetition_d5"),
        ("repetition_code:memory", 8, "repetition_d8"),
        ("surface_code:unrotated_memory_x", 3, "unrotated_d3"),
        ("surface_code:unrotated_memory_z", 4, "unrotated_d4"),
        ("surface_code:rotated_memory_x", 4, "surface_4x4"),
    ],
)
@pytest.mark.parametrize("form", ["circuit", "model", "bare model"])
def test_stims_generated_circuits(task, distance, name, form):
    circuit = stim.Circuit.generated(task, distance=distance, rounds=3, **NOISE)
    whole, basis = circuit.detector_error_model(), "X" if task.endswith("x") else "Z"
    found = recognise_any({"circuit": circuit, "model": whole, "bare model": bare_model(circuit)}[form])
    assert (found.lattice.code.name, found.lattice.rounds, found.missing, found.ignored) == (name, 3, 0, 0)
    assert found.agreement == pytest.approx(1)
    if form == "circuit":
        assert (found.basis, found.lattice.basis) == (basis, basis)


@pytest.mark.parametrize("basis", ["X", "Z"])
@pytest.mark.parametrize(
    "name",
    [
        "surface_3x5",
        "surface_5x3",
        "surface_4x4",
        "unrotated_4x3",
        "toric_3x4",
        "gb46",
        "mb30",
        "bb54",
        "lp175",
        "haah_3",
        "tt72",
    ],
)
def test_circuits_of_every_family(name, basis, tried):
    code = codes.get(name)
    found = recognise_any(anonymous(memory(code, rounds=2, basis=basis, noise=UniformDepolarizing(0.003))))
    assert tried == [name]
    assert (found.lattice.code, found.lattice.rounds, found.basis) == (code, 2, basis)
    assert found.agreement == pytest.approx(1)
    assert (found.missing, found.ignored, found.ambiguous) == (0, 0, False)


@pytest.mark.parametrize(
    ("name", "bare"), [*product(["surface_3x4", "unrotated_4x3", "mb48"], [True, False]), ("haah_3", False)]
)
def test_models_of_codes_that_are_named(name, bare):
    circuit = memory(codes.get(name), rounds=3, basis="X", noise=UniformDepolarizing(0.003))
    found = recognise(bare_model(circuit) if bare else circuit.detector_error_model(), codes.get(name))
    assert (found.lattice.rounds, found.missing) == (3, 0)
    assert found.agreement == pytest.approx(1)


@pytest.mark.parametrize("bare", [True, False])
@pytest.mark.parametrize(
    ("name", "basis"),
    [
        *product(["surface_3x5", "surface_5x3", "toric_3x4"], "XZ"),
        *[("surface_4x6", "X"), ("unrotated_4x3", "X"), ("unrotated_4x5", "Z"), ("toric_6x4", "X")],
    ],
)
def test_error_models_of_rectangles(name: str, basis: codes.Basis, bare: bool) -> None:
    circuit = memory(codes.get(name), rounds=3, basis=basis, noise=UniformDepolarizing(0.003))
    found = recognise_any(bare_model(circuit) if bare else circuit.detector_error_model())
    assert (found.lattice.code.name, found.lattice.rounds, found.missing) == (name, 3, 0)
    assert found.agreement == pytest.approx(1)


@pytest.mark.parametrize("bare", [True, False])
@pytest.mark.parametrize(
    ("name", "basis"), [("surface_d5", "Z"), ("surface_3x5", "X"), ("surface_3x5", "Z"), ("surface_5x3", "X")]
)
def test_one_round_is_not_taken_for_rounds_of_a_repetition_code(name: str, basis: codes.Basis, bare: bool) -> None:
    circuit = memory(codes.get(name), rounds=1, basis=basis, noise=UniformDepolarizing(0.003))
    found = recognise_any(bare_model(circuit) if bare else circuit.detector_error_model())
    assert (found.lattice.code.name, found.lattice.rounds, found.missing) == (name, 1, 0)
    assert found.agreement == pytest.approx(1)


@pytest.mark.parametrize(
    ("noise", "rounds"),
    [
        ("after_clifford_depolarization", 1),
        ("before_round_data_depolarization", 1),
        ("before_round_data_depolarization", 3),
    ],
)
def test_models_of_gate_or_data_errors_alone(noise: str, rounds: int) -> None:
    """Rows of checks look like one check at several times; without faulty measurements some detectors never fire."""
    circuit = stim.Circuit.generated("surface_code:rotated_memory_z", distance=3, rounds=rounds, **{noise: 0.003})
    found = recognise_any(circuit.detector_error_model())
    assert (found.lattice.code.name, found.lattice.rounds, found.missing) == ("surface_d3", rounds, 0)


def test_observables_that_are_the_same_count_once() -> None:
    circuit = memory(codes.get("surface_d3"), rounds=3, noise=UniformDepolarizing(0.003))
    twice = stim.DetectorErrorModel(str(circuit.detector_error_model()).replace("L0", "L0 L2"))
    found = recognise_any(twice)
    assert found.lattice.code.name == "surface_d3"
    assert found.observables.logicals.tolist() == [[1], [0], [1]]


def xzzx(circuit: stim.Circuit, turned: set[int]) -> stim.Circuit:
    """The same experiment with the bases of some data qubits exchanged."""
    exchanged = {"R": "RX", "RX": "R", "M": "MX", "MX": "M", "X_ERROR": "Z_ERROR", "Z_ERROR": "X_ERROR"}
    found = stim.Circuit()
    for instruction in circuit.flattened():
        name, targets = instruction.name, instruction.targets_copy()
        if name == "CX":
            hadamards = [target.value for target in targets if target.value in turned]
            found.append("H", hadamards)
            found.append(instruction)
            found.append("H", hadamards)
        elif name in exchanged:
            for target in targets:
                found.append(exchanged[name] if target.value in turned else name, target, instruction.gate_args_copy())
        else:
            found.append(instruction)
    return found


@pytest.mark.parametrize("basis", ["X", "Z"])
def test_xzzx_codes_are_surface_codes_whose_circuits_have_no_basis(basis):
    code = codes.get("surface_d3")
    every_second = {qubit for qubit, place in enumerate(code.qubit_coords) if place.sum() % 2}
    circuit = xzzx(memory(code, rounds=3, basis=basis, noise=UniformDepolarizing(0.003)), every_second)
    found = recognise_any(circuit)
    assert (found.lattice.code, found.lattice.rounds, found.basis) == (code, 3, None)
    assert found.observables.is_identity
    assert found.agreement == pytest.approx(1)


@pytest.mark.parametrize("twin_of", [None, "mb30"])
def test_a_code_of_ones_own_is_tried_first(twin_of: str | None) -> None:
    if twin_of is None:
        own = codes.TwoBlockCode(13, "1 + x", "1 + x^5", name="twisted", family="mine", d=5)
    else:
        own = codes.TwoBlockCode((5, 3), "x^4 + x^2", "x + x^2 + y + x^2*y^2 + x^3", name="small", family="mine", d=5)
    circuit = memory(own, rounds=3, noise=UniformDepolarizing(0.003))
    for source in (circuit, circuit.detector_error_model()):
        assert recognise_any(source, own).lattice.code is own
    if twin_of is None:
        with pytest.raises(CascadeError, match="fits none of them"):
            recognise_any(circuit)
    else:
        assert recognise_any(circuit).lattice.code.name == twin_of
