# Stim's annotations have loops even in flattened circuits.
# pyright: reportAttributeAccessIssue=false

from collections import Counter
from functools import reduce

import numpy as np
import pytest
import stim

from cascade_qec import codes
from cascade_qec.circuits import SI1000, UniformDepolarizing, memory
from cascade_qec.error_models import Mechanisms, check_size, error_model, unlikely, unrolled
from cascade_qec.errors import CascadeError


def by_objects(dem: stim.DetectorErrorModel) -> list[tuple[float, list[int], list[int]]]:
    """(probability, detectors, observables) of every mechanism, from Stim's objects."""
    found = []
    for error in dem.flattened():
        if error.type == "error":
            targets = [target for target in error.targets_copy() if not target.is_separator()]
            odd = [target for target, times in Counter(map(str, targets)).items() if times % 2]
            detectors, flips = (sorted(int(t[1:]) for t in odd if t[0] == kind) for kind in "DL")
            found.append((error.args_copy()[0], detectors, flips))
    return found


def listed(mechanisms: Mechanisms) -> list[tuple[float, list[int], list[int]]]:
    return [
        (probability, mechanisms.detector[start:stop].tolist(), np.flatnonzero(flips).tolist())
        for probability, start, stop, flips in zip(
            mechanisms.probability.tolist(),
            mechanisms.start[:-1],
            mechanisms.start[1:],
            mechanisms.observables,
            strict=True,
        )
    ]


@pytest.mark.parametrize("decompose_errors", [False, True])
@pytest.mark.parametrize("flatten_loops", [False, True])
@pytest.mark.parametrize("rounds", [1, 8])
def test_models_of_circuits(rounds, flatten_loops, decompose_errors):
    circuit = memory(codes.get("surface_d3"), rounds=rounds, noise=SI1000(0.003))
    dem = circuit.detector_error_model(flatten_loops=flatten_loops, decompose_errors=decompose_errors)
    assert ("repeat" in str(dem)) == (rounds == 8 and not flatten_loops)
    mechanisms = Mechanisms.of(dem)
    assert listed(mechanisms) == by_objects(dem)
    assert mechanisms.detectors == circuit.num_detectors
    assert mechanisms.observables.shape == (len(mechanisms.probability), 1)


def test_many_observables():
    dem = memory(codes.get("bb72"), rounds=2, noise=UniformDepolarizing(0.001)).detector_error_model()
    mechanisms = Mechanisms.of(dem)
    assert mechanisms.observables.shape[1] == 12
    assert listed(mechanisms) == by_objects(dem)


def test_what_a_model_may_say():
    dem = stim.DetectorErrorModel("""
        error(0.125) D3 D1 L0
        error(0.25) D0 D1 ^ D1 D2 L1 ^ L1
        error(0.5) D0 D0 D0 D5
        error(0.0625) D2 ^ D2
        error[a (tag)](0.03125) L1
        error(0.015625)
        error(1e-3) D4 L0 L0
        detector(1, 2) D7
        shift_detectors(1) 2
        logical_observable L2
        repeat 2 {
            error(0.25) D0
            shift_detectors 1
        }
    """)
    mechanisms = Mechanisms.of(dem)
    assert listed(mechanisms) == [
        (0.125, [1, 3], [0]),
        (0.25, [0, 2], []),
        (0.5, [0, 5], []),
        (0.0625, [], []),
        (0.03125, [], [1]),
        (0.015625, [], []),
        (0.001, [4], []),
        (0.25, [2], []),
        (0.25, [3], []),
    ]
    assert mechanisms.weight.tolist() == [2, 2, 2, 0, 0, 0, 1, 1, 1]
    assert mechanisms.owner.tolist() == [0, 0, 1, 1, 2, 2, 6, 7, 8]
    assert mechanisms.detectors == 8
    assert mechanisms.observables.shape == (9, 3)


def test_an_empty_model():
    mechanisms = Mechanisms.of(stim.DetectorErrorModel("detector D4\nlogical_observable L0"))
    assert listed(mechanisms) == []
    assert (mechanisms.detectors, mechanisms.observables.shape) == (5, (0, 1))
    assert mechanisms.xor(np.arange(5, dtype=np.uint64)).shape == (0,)


def test_words_of_mechanisms_are_the_xor_of_their_detectors():
    mechanisms = Mechanisms.of(memory(codes.get("surface_d3"), rounds=2, noise=SI1000(0.001)).detector_error_model())
    values = np.random.default_rng(2).integers(0, 1 << 63, size=mechanisms.detectors, dtype=np.uint64)
    expected = [reduce(int.__xor__, map(int, values[detectors]), 0) for _, detectors, _ in listed(mechanisms)]
    assert mechanisms.xor(values).tolist() == expected


@pytest.mark.parametrize(
    ("noise", "probability"),
    [
        ("PAULI_CHANNEL_1(0.1, 0.2, 0.05) 0", 0.3),
        ("E(0.1) X0\nELSE_CORRELATED_ERROR(0.2) X0", 0.1 * (1 - 0.18) + 0.9 * 0.18),
        ("PAULI_CHANNEL_2(" + "0,0,0," + "0.01," * 4 + "0,0,0,0,0,0,0,0) 0 1", None),
        ("HERALDED_ERASE(0.1) 0", None),
        ("HERALDED_PAULI_CHANNEL_1(0.1, 0.02, 0.02, 0.02) 0", None),
    ],
)
def test_disjoint_errors_have_a_model(noise, probability):
    circuit = stim.Circuit(f"R 0 1\n{noise}\nM 0\nDETECTOR rec[-1]\nOBSERVABLE_INCLUDE(0) rec[-1]")
    mechanisms = Mechanisms.of(error_model(circuit, decomposed=True))
    assert mechanisms.detectors == 1
    assert mechanisms.observables.all()
    if probability is not None:
        assert mechanisms.probability == pytest.approx([probability])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("H 0\nM 0\nDETECTOR rec[-1]", "that are certain without noise, got D0 that are random"),
        (
            "R 0\nX_ERROR(0.1) 0\nM 0 0 0\nDETECTOR rec[-1]\nDETECTOR rec[-2]\nDETECTOR rec[-3]",
            "flip at most two detectors, got one of D0, D1, D2",
        ),
        ("REPEAT 1000000000000 {\nM 0\nDETECTOR rec[-1]\n}", "at most 100,000 detectors, got 1,000,000,000,000"),
        ("REPEAT 1000000000000 {\nREPEAT 3 {\nX_ERROR(0.1) 0\n}\n}\nM 0", "loops unrolled, got 4,000,000,000,002"),
    ],
)
def test_circuits_without_a_model_are_refused_in_a_sentence(text, message):
    with pytest.raises(CascadeError, match=message) as refused:
        error_model(stim.Circuit(text), decomposed=True)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("error(0.1) D3999999999 L0", "a detector error model of at most 100,000 detectors, got 4,000,000,000"),
        ("repeat 1000000000000 {\nerror(0.1) D0\n}", "loops unrolled, got 1,000,000,000,001"),
    ],
)
def test_models_that_cannot_be_unrolled_are_refused(text, message):
    with pytest.raises(CascadeError, match=message):
        check_size(stim.DetectorErrorModel(text))


def test_size_of_what_is_unrolled():
    circuit = memory(codes.get("surface_d3"), rounds=50, noise=UniformDepolarizing(0.001))
    assert unrolled(circuit) - len(circuit.flattened()) < 2 * 50  # a loop counts, too, and shifts of coordinates
    check_size(circuit)


def distribution(dem: stim.DetectorErrorModel) -> dict[str, float]:
    """Probability of each set of detectors and observables, by going through all sets of errors."""
    found = {"": 1.0}
    for p, detectors, observables in by_objects(dem):
        flipped = {f"D{d}" for d in detectors} | {f"L{o}" for o in observables}
        after: dict[str, float] = {}
        for symptoms, probability in found.items():
            other = " ".join(sorted(set(symptoms.split()) ^ flipped))
            after[symptoms] = after.get(symptoms, 0.0) + (1 - p) * probability
            after[other] = after.get(other, 0.0) + p * probability
        found = after
    return {symptoms: probability for symptoms, probability in found.items() if probability}


def test_without_likely_errors_a_model_makes_the_same_shots_but_for_flips():
    dem = stim.DetectorErrorModel(
        """error(0.1) D0 D1
        error(0.7) D1 D2 ^ D2 L0
        repeat 2 {
            error(0.9) D2 L1
            error(0.5) D3
            shift_detectors 1
        }
        error(1) D4
        detector(1, 2) D5"""
    )
    rare, flips = unlikely(dem)
    assert flips is not None
    assert Mechanisms.of(rare).probability.max() == 0.5
    assert (rare.num_detectors, rare.num_observables) == (dem.num_detectors, dem.num_observables)
    assert rare.get_detector_coordinates() == dem.get_detector_coordinates()
    names = {f"D{d}" for d in np.flatnonzero(flips.detectors)} | {f"L{o}" for o in np.flatnonzero(flips.observables)}
    undone = {
        " ".join(sorted(set(symptoms.split()) ^ names)): probability
        for symptoms, probability in distribution(dem).items()
    }
    assert distribution(rare) == pytest.approx(undone)


def test_a_model_without_likely_errors_stays():
    dem = stim.DetectorErrorModel("error(0.5) D0\nerror(0) D1 L0")
    assert unlikely(dem) == (dem, None)
    assert unlikely(dem)[0] is dem


def test_a_model_of_certain_errors_keeps_its_size():
    rare, flips = unlikely(stim.DetectorErrorModel("error(1) D2 L1"))
    assert (rare.num_errors, rare.num_detectors, rare.num_observables) == (0, 3, 2)
    assert flips is not None
    assert flips.detectors.tolist() == [False, False, True]
    assert flips.observables.tolist() == [False, True]
