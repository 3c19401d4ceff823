"""What is no experiment of a code is refused in one sentence that says what was expected and what came."""

import re

import pytest
import stim

from cascade_qec import codes
from cascade_qec.circuits import UniformDepolarizing, memory
from cascade_qec.codes import LiftedProductCode
from cascade_qec.errors import CascadeError
from cascade_qec.recognition import recognise, recognise_any

NOISE = {
    "after_clifford_depolarization": 0.003,
    "after_reset_flip_probability": 0.003,
    "before_measure_flip_probability": 0.003,
    "before_round_data_depolarization": 0.003,
}
CODES = "surface_d3 to surface_d41 or of .* or of bb72 to bb180 or of toric_3x3 to toric_20x20 or of .*, lp1054"


def ours(name: str, rounds: int = 2) -> stim.Circuit:
    return memory(codes.get(name), rounds=rounds, noise=UniformDepolarizing(0.003))


def of_stim(name: str, distance: int) -> stim.Circuit:
    return stim.Circuit.generated(name, distance=distance, rounds=distance, **NOISE)


def model_of(circuit: stim.Circuit) -> stim.DetectorErrorModel:
    return circuit.detector_error_model(flatten_loops=True)


def refusal(source: stim.Circuit | stim.DetectorErrorModel, name: str | None) -> str:
    """Why a source is not of a code, or of none."""
    with pytest.raises(CascadeError) as error:
        recognise_any(source) if name is None else recognise(source, codes.get(name))
    message = str(error.value)
    assert "expected" in message
    assert "\n" not in message
    return message


@pytest.mark.parametrize(
    ("circuit", "name", "found"),
    [
        (ours("surface_d5"), "surface_d3", "12 checks of the experiment's basis and 12 others on 25 data qubits"),
        (ours("surface_d5"), "bb72", "12 checks of the experiment's basis and 12 others on 25 data qubits"),
        (ours("bb72"), "surface_d3", "36 checks of the experiment's basis and 36 others on 72 data qubits, weights 6"),
        (ours("bb90"), "bb72", "45 checks of the experiment's basis and 45 others on 90 data qubits, weights 6"),
        (
            of_stim("repetition_code:memory", 9),
            "surface_d3",
            "8 checks .* 0 others on 9 data qubits, weights 2, 9 rounds",
        ),
        (of_stim("surface_code:unrotated_memory_x", 3), "surface_d3", "6 checks .* 13 data qubits, weights 3 and 4"),
    ],
)
def test_circuits_of_other_codes(circuit, name, found):
    code = codes.get(name)
    message = refusal(circuit, name)
    assert message.startswith(f"expected the checks of {name}, {len(code.hx)} of X and {len(code.hz)} of Z on {code.n}")
    assert re.search(found, message)


@pytest.mark.parametrize(
    ("circuit", "name", "message"),
    [
        (
            ours("surface_d5"),
            "surface_d3",
            "coordinates of surface_d3's checks, or mechanisms .* got 48 detectors with",
        ),
        (ours("bb72"), "surface_d3", "coordinates of surface_d3's checks, or mechanisms .* got 144 detectors with"),
        (ours("surface_d5"), "bb72", "errors of bb72 to connect each detector .* got .* of 48 detectors connected"),
        (ours("bb90"), "bb72", "detectors of bb72 in 36 chains .* got 45 of 3, 45 of 1"),
        (of_stim("repetition_code:memory", 9), "bb72", "errors of bb72 to connect each detector"),
        (of_stim("surface_code:unrotated_memory_x", 3), "surface_d5", "surface_d5's checks.* got 36 detectors with"),
        (of_stim("color_code:memory_xyz", 3), "bb72", "detectors of bb72 in 36 chains"),
        (ours("surface_d3").without_noise(), "surface_d3", "got one without errors that flip detectors"),
    ],
)
def test_error_models_of_other_codes(circuit, name, message):
    assert re.search(message, refusal(model_of(circuit), name))


@pytest.mark.parametrize("name", ["surface_d3", None])
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "got .*(none|without observables)"),
        ("R 0\nX_ERROR(0.1) 0\nM 0\nDETECTOR rec[-1]", "got .*(none|without observables)"),
        (
            "R 0\nX_ERROR(0.1) 0\nM 0\nOBSERVABLE_INCLUDE(0) rec[-1]",
            "expected a circuit with detectors, got one without",
        ),
        ("R 0 1\nH 0\nM 0 1\nDETECTOR rec[-2]\nOBSERVABLE_INCLUDE(0) rec[-1]", "got D0 that are random"),
        ("R 0 1\nH 0\nM 0 1\nDETECTOR rec[-1]\nOBSERVABLE_INCLUDE(0) rec[-2]", "got L0 that are random"),
        ("R 0\nX_ERROR(0.1) 0\nM 0\nDETECTOR rec[-1]\nOBSERVABLE_INCLUDE(0) rec[-1]", "D0 watches no data qubit"),
        (
            "R 0 1\nH 0\nCX 0 1\nDEPOLARIZE2(0.01) 0 1\nCX 0 1\nH 0\nM 0 1\nDETECTOR rec[-1] rec[-2]\n"
            "OBSERVABLE_INCLUDE(0) rec[-1]",
            "at least one round of syndrome extraction, got checks that are measured once only",
        ),
    ],
)
def test_circuits_that_are_no_memory_experiments(text, message, name):
    assert re.search(message, refusal(stim.Circuit(text), name))


def test_many_random_detectors_are_not_all_named():
    circuit = stim.Circuit("R 0 1\nH 0\nM 0 1\nOBSERVABLE_INCLUDE(0) rec[-1]" + "\nDETECTOR rec[-2]" * 7)
    assert re.search(r"got (D\d, ){4}D\d and others that are random", refusal(circuit, "surface_d3"))


def test_an_observable_that_is_no_logical_operator():
    """It compares two outcomes of a check of the other basis, so it is certain, but no errors of the code flip it."""
    text = str(ours("surface_d3", rounds=3).flattened()).splitlines()
    (line,) = (number for number, line in enumerate(text) if line.startswith("OBSERVABLE_INCLUDE"))
    repeats = next(
        line for line in text if line.startswith("DETECTOR") and line.count("rec") == 2 and ", 1, 0)" in line
    )
    place = text.index(repeats)
    text[line] = ""
    text.insert(place, "OBSERVABLE_INCLUDE(0)" + repeats.partition(")")[2])
    circuit = stim.Circuit("\n".join(text))
    for source, name in ((circuit, "surface_d3"), (circuit, None), (model_of(circuit), "surface_d3")):
        message = refusal(source, name)
        assert message.startswith("observable L0 is no logical operator of surface_d3: expected a sum of its 1 logical")


def test_a_colour_code_whose_checks_change_their_basis():
    circuit = of_stim("color_code:memory_xyz", 5)
    assert "checks of one basis each, got some that change theirs from round to round" in refusal(circuit, None)
    found = f"{circuit.num_detectors} detectors that differ, and 1 observables, which fits none"
    assert re.search(f"{CODES}; got {found}", refusal(model_of(circuit), None))


def test_a_circuit_of_no_code_of_the_registry():
    mine = LiftedProductCode(7, [["1", "x", "x^3"], ["1", "x^2", "x^5"]], name="mine")
    message = refusal(memory(mine, rounds=2, noise=UniformDepolarizing(0.003)), None)
    found = "42 checks .* and 42 others on 91 data qubits, weights 5, 2 rounds, which fits none"
    assert re.search(f"expected a memory experiment of {CODES}; got {found}", message)


def test_error_models_without_errors_or_observables():
    assert "got one without errors that flip detectors" in refusal(model_of(ours("bb72").without_noise()), None)
    assert "got one without observables" in refusal(stim.DetectorErrorModel("error(0.1) D0"), None)
