"""A local model decodes any distance, any number of rounds, and circuits of other tools."""

# Stim's annotations have loops even in flattened circuits.
# pyright: reportAttributeAccessIssue=false

import pickle
import warnings
from pathlib import Path

import numpy as np
import pymatching
import pytest
import stim

import cascade_qec as cascade
from cascade_qec import circuits, codes
from cascade_qec.codes import Basis
from cascade_qec.decoders import classical
from cascade_qec.decoders.escalation import EscalatingDecoder
from cascade_qec.decoders.local import LocalDecoder
from cascade_qec.error_models import error_model
from cascade_qec.errors import CascadeError, CascadeWarning
from cascade_qec.model import Calibration

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def model() -> Path:
    return cascade.zoo.path("local_surface")


def failures(circuit: stim.Circuit, model: Path, shots: int = 1000) -> tuple[int, int]:
    """Of the model, and of matching, on the same shots."""
    events, flips = circuit.compile_detector_sampler(seed=4).sample(shots, separate_observables=True)
    matching = pymatching.Matching.from_detector_error_model(error_model(circuit, decomposed=True))
    found = cascade.load(model, circuit=circuit, device="cpu").decode_batch(events)
    wrong = (found.observables != flips).any(axis=1)
    return int(wrong.sum()), int((matching.decode_batch(events) != flips).any(axis=1).sum())


@pytest.mark.parametrize(("code", "rounds", "basis"), [("surface_d3", 12, "X"), ("surface_d5", 5, "Z")])
def test_distances_rounds_and_bases_that_it_was_not_trained_on(
    model: Path, code: str, rounds: int, basis: Basis
) -> None:
    noise = circuits.UniformDepolarizing(0.008)
    circuit = circuits.memory(codes.get(code), rounds=rounds, basis=basis, noise=noise)
    own, matched = failures(circuit, model)
    # Both fail on some 50 to 200 shots, most of them the same.
    assert own < matched


def test_a_bicycle_code_over_twice_the_rounds() -> None:
    decoder = cascade.load("local_bb72", device="cpu")
    circuit = decoder.experiment(0.003, rounds=12)
    events, truth = circuit.compile_detector_sampler(seed=3).sample(100, separate_observables=True)
    found = decoder.bind(circuit).decode_batch(events).observables
    wrong = (found != truth).any(axis=1).sum()
    # 1 is expected at 9e-4 a round; 7 or more happen with probability 2e-4, of guesses nearly all are wrong.
    assert wrong < 7
    np.testing.assert_array_equal(decoder.bind(rounds=12).decode_batch(events[:20]).observables, found[:20])


@pytest.mark.parametrize(("code", "basis"), [("toric_4x5", "X"), ("toric_7x7", "Z")])
def test_a_torus_of_another_size_beside_matching(code: str, basis: Basis) -> None:
    circuit = circuits.memory(codes.get(code), rounds=5, basis=basis, noise=circuits.UniformDepolarizing(0.008))
    own, matched = failures(circuit, cascade.zoo.path("local_toric"))
    assert own < matched


@pytest.mark.parametrize(("code", "basis"), [("colour_d5", "X"), ("colour_d7", "Z")])
def test_a_colour_code_of_any_distance_beside_chromobius(code: str, basis: Basis) -> None:
    circuit = circuits.memory(codes.get(code), rounds=5, basis=basis, noise=circuits.UniformDepolarizing(0.004))
    events, flips = circuit.compile_detector_sampler(seed=4).sample(1000, separate_observables=True)
    decoders = [cascade.load("local_colour", device="cpu"), classical.get("chromobius")]
    bound = [decoder.bind(circuit) for decoder in decoders]
    own, matched = ((one.decode_batch(events).observables != flips).any(axis=1).sum() for one in bound)
    # Some 60 and 90 are expected of either code, most of them the same.
    assert own < matched


def test_circuits_of_another_tool(model: Path) -> None:
    circuit = stim.Circuit.generated(
        "surface_code:rotated_memory_x",
        distance=5,
        rounds=4,
        after_clifford_depolarization=0.006,
        before_measure_flip_probability=0.006,
        after_reset_flip_probability=0.006,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CascadeWarning)
        own, matched = failures(circuit, model, shots=4000)
    assert own < matched


def test_an_error_model_and_bit_packed_shots_give_the_same(model: Path) -> None:
    decoder = cascade.load(model, device="cpu")
    assert isinstance(decoder, LocalDecoder)
    circuit = decoder.experiment(0.006)
    events = circuit.compile_detector_sampler(seed=1).sample(100)
    bound = decoder.bind(circuit)
    expected = bound.decode_batch(events)
    assert expected.observables.any()
    packed = np.packbits(events, axis=1, bitorder="little")
    assert np.array_equal(bound.decode_batch(packed, bit_packed=True).observables, expected.observables)
    again = pickle.loads(pickle.dumps(bound))
    assert np.array_equal(again.decode_batch(events).observables, expected.observables)
    assert "surface_d7, 7 rounds, basis Z" in repr(bound)


def test_likely_errors_are_undone(model: Path) -> None:
    decoder = cascade.load(model, device="cpu")
    dem = error_model(decoder.experiment(0.004)).flattened()
    events = dem.compile_sampler(seed=1).sample(200)[0]
    turned, flipped = stim.DetectorErrorModel(), np.zeros(dem.num_detectors, dtype=bool)
    observable = False
    for number, instruction in enumerate(dem):
        if instruction.type != "error" or number % 7:
            turned.append(instruction)
            continue
        turned.append("error", 1 - instruction.args_copy()[0], instruction.targets_copy())
        for target in instruction.targets_copy():
            if target.is_relative_detector_id():
                flipped[target.val] ^= True
            else:
                observable ^= target.is_logical_observable_id()
    found = decoder.bind(turned).decode_batch(events ^ flipped).observables
    assert np.array_equal(found ^ observable, decoder.bind(dem).decode_batch(events).observables)


def test_another_family_is_refused(model: Path) -> None:
    circuit = circuits.memory(codes.get("bb72"), rounds=2, noise=circuits.UniformDepolarizing(0.001))
    with pytest.raises(CascadeError, match="decodes codes that are locally like surface_d7, got an experiment of bb72"):
        cascade.load(model, circuit=circuit, device="cpu")


def test_faults_of_types_that_training_had_not_are_told(model: Path) -> None:
    circuit = circuits.memory(codes.get("surface_d3"), rounds=3, noise=circuits.UniformDepolarizing(0.002))
    dem = error_model(circuit)
    far = [d for d, place in dem.get_detector_coordinates().items() if place[3] == 1 and place[2] in (0, 3)]
    strange = dem + stim.DetectorErrorModel(f"error(0.02) D{far[0]} D{far[-1]}")
    with pytest.warns(CascadeWarning, match="does not know 2?[0-9] % of the circuit's noise by its type"):
        cascade.load(model, circuit=strange, device="cpu")


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("error(0.5) L0", "no decoder, flip an observable with probability 0.5"),
        ("error(0.01) D99", "heralds, 1 of them"),
    ],
)
def test_what_it_cannot_see_is_told(model: Path, more: str, message: str) -> None:
    circuit = circuits.memory(codes.get("surface_d3"), rounds=3, noise=circuits.UniformDepolarizing(0.002))
    with pytest.warns(CascadeWarning, match=message):
        cascade.load(model, dem=error_model(circuit) + stim.DetectorErrorModel(more), device="cpu")


@pytest.fixture(scope="module")
def calibrated(model: Path) -> LocalDecoder:
    """With what gaps were found to be worth on 10,000 shots of d = 7."""
    decoder = cascade.load(model, device="cpu")
    assert isinstance(decoder, LocalDecoder)
    worth = Calibration(raw=[3.66, 16.34], log_odds=[1.02, 3.67], before=0.256, beyond=0.185, noise=[0.008], shots=5000)
    decoder.description = decoder.description.model_copy(update={"calibration": worth})
    return decoder


def test_confidence_comes_true_at_other_distances_and_rounds(calibrated: LocalDecoder) -> None:
    noise = circuits.UniformDepolarizing(0.006)
    circuit = circuits.memory(codes.get("surface_d5"), rounds=12, basis="X", noise=noise)
    events, truth = circuit.compile_detector_sampler(seed=9).sample(3000, separate_observables=True)
    result = calibrated.bind(circuit).decode_batch(events)
    wrong, doubt = (result.observables != truth).any(axis=1), 1 - result.confidence
    # Some 150 fail. If the claims are true, their number is in here but with probability 1e-9.
    assert 0.5 * doubt.sum() < wrong.sum() < 1.5 * doubt.sum()
    surest = np.argsort(doubt)[:1500]
    assert wrong[surest].sum() < 0.1 * wrong.sum()
    right = np.where(result.observables, result.probabilities, 1 - result.probabilities)[:, 0]
    np.testing.assert_allclose(right, result.confidence, rtol=1e-5)
    np.testing.assert_array_equal(calibrated.bind(circuit).decode_batch(events[:5]).log_odds, result.log_odds[:5])


def test_doubtful_shots_go_to_a_fallback(calibrated: LocalDecoder) -> None:
    circuit = calibrated.experiment(0.008)
    events = circuit.compile_detector_sampler(seed=1).sample(100)
    alone = calibrated.bind(circuit).decode_batch(events)
    result = EscalatingDecoder(calibrated, classical.get("pymatching"), 0.9).bind(circuit).decode_batch(events)
    assert result.escalated is not None
    np.testing.assert_array_equal(result.escalated, alone.confidence < 0.9)
    assert 0 < result.escalated.sum() < 100


def test_silent_shots_are_sure(calibrated: LocalDecoder) -> None:
    bound = calibrated.bind()
    result = bound.decode_batch(np.zeros((2, bound.num_detectors), dtype=bool))
    assert not result.observables.any()
    assert (result.confidence > 0.999).all()
    assert len(bound.decode_batch(np.zeros((0, bound.num_detectors), dtype=bool)).confidence) == 0


def test_ordered_statistics_tell_how_sure_they_are() -> None:
    circuit = cascade.load("local_bb72", device="cpu").experiment(0.005, rounds=6)
    bound = cascade.load("local_bb72", circuit=circuit, device="cpu")
    events, flips = circuit.compile_detector_sampler(seed=3).sample(600, separate_observables=True)
    result = bound.decode_batch(events)
    wrong = (result.observables != flips).any(axis=1)
    # 41 fail: the surer half has few of them, 9 or more but with a probability below 1e-3 if gaps tell what they should
    surer = result.confidence >= np.median(result.confidence)
    assert wrong[surer].sum() < 9 <= wrong.sum()
    likelier = result.confidence > 0.5  # than not
    np.testing.assert_array_equal((result.probabilities > 0.5)[likelier], result.observables[likelier])
    assert likelier.mean() > 0.9
