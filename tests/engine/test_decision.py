"""From logical operators to one decision about all observables."""

from itertools import product

import numpy as np
import pytest
from scipy.special import expit, logit

from cascade_qec import codes
from cascade_qec.engine import Decision, together
from cascade_qec.engine import decision as decision_module
from cascade_qec.engine.decision import logical_classes, votes
from cascade_qec.lattice import logical_operators


def by_all_cases(evidence: np.ndarray, logicals: np.ndarray, wanted: np.ndarray) -> dict[tuple[int, ...], float]:
    """Posterior of every joint value of the wanted sums, from the definition."""
    k = logicals.shape[1]
    # Two classes differ in that many operators, on average over all pairs.
    differing = logicals.any(axis=1).sum() * 2 ** (k - 1) / (2**k - 1)
    weights: dict[tuple[int, ...], float] = {}
    for flips in product([0, 1], repeat=k):
        odd = logicals @ flips % 2
        log_likelihood = -np.logaddexp(0, np.where(odd, -evidence, evidence)).sum() * k / differing
        value = tuple((wanted @ flips % 2).tolist())
        weights[value] = weights.get(value, 0) + np.exp(log_likelihood)
    norm = sum(weights.values())
    return {value: weight / norm for value, weight in weights.items()}


def decided(decision: Decision, evidence: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Observables, P(flipped) of each, and P(none wrong)."""
    observables, suspects, log_odds = decision(evidence)
    wrong = suspects * expit(-log_odds)[:, None]
    return observables, np.where(observables, 1 - wrong, wrong), expit(log_odds)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_decisions_by_going_through_all_classes(count):
    random = np.random.default_rng(count)
    logicals = logical_operators(codes.get("bb72"), "Z").logicals
    wanted = random.integers(0, 2, (count, 12), dtype=np.uint8)
    evidence = random.normal(size=(2, len(logicals))).astype(np.float32)
    observables, probabilities, confidence = decided(Decision(logicals, wanted), evidence)
    for shot in range(2):
        joint = by_all_cases(evidence[shot], logicals, wanted)
        best = max(joint, key=lambda value: joint[value])
        assert tuple(observables[shot].astype(int).tolist()) == best
        assert confidence[shot] == pytest.approx(joint[best], rel=1e-3)
        marginals = sum(np.array(value) * weight for value, weight in joint.items())
        np.testing.assert_allclose(probabilities[shot], marginals, atol=1e-4)


def test_one_observable_is_decided_as_the_network_says():
    logits = np.array([[-2.0], [0.5], [3.0]], np.float32)
    observables, probabilities, confidence = decided(Decision(np.ones((1, 1), dtype=np.uint8)), logits)
    assert observables.tolist() == [[False], [True], [True]]
    np.testing.assert_allclose(probabilities, expit(logits), rtol=1e-5)
    np.testing.assert_allclose(confidence, expit(np.abs(logits))[:, 0], rtol=1e-5)


def test_an_operator_votes_against_the_classes_in_which_it_is_odd():
    classes, logicals = logical_classes(12), logical_operators(codes.get("bb72"), "X").logicals
    assert classes.shape == (4096, 12)
    assert len(np.unique(classes, axis=0)) == 4096
    np.testing.assert_array_equal(votes(logicals)[:, 2**3 + 2**5] > 0, logicals[:, 3] ^ logicals[:, 5] == 1)


def noisy_evidence(logicals: np.ndarray, shots: int, *, error: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A random truth, bool [shots, k], and what operators say of it that err each at a rate of their own."""
    random = np.random.default_rng(seed)
    truth = random.integers(0, 2, (shots, logicals.shape[1]))
    # Of a shot all are good or all are bad, as they read the same events.
    size = random.exponential(1.0, (shots, 1)) * np.abs(random.normal(4, 1, (shots, len(logicals))))
    wrong = random.random((shots, len(logicals))) < error
    odd = (truth @ logicals.T % 2) ^ wrong
    return truth > 0, np.where(odd, size, -size).astype(np.float32)


@pytest.fixture
def step_by_step(monkeypatch):
    """Decisions by steps, whatever the number of observables."""
    monkeypatch.setattr(decision_module, "MOST_EXACT", 0)


@pytest.mark.parametrize("error", [0.02, 0.1])
def test_steps_find_what_all_classes_say(error, request):
    logicals = logical_operators(codes.get("bb72"), "Z").logicals
    _, evidence = noisy_evidence(logicals, 400, error=error, seed=3)
    exact = decided(Decision(logicals), evidence)
    request.getfixturevalue("step_by_step")
    found = decided(Decision(logicals), evidence)
    alike = (exact[0] == found[0]).all(axis=1)
    assert alike.mean() > 0.97
    # Confidence takes observables for independent: near the exact one where that is high.
    sure = alike & (exact[2] > 0.99)
    assert sure.sum() > 50
    np.testing.assert_allclose(found[2][sure], exact[2][sure], rtol=0, atol=0.01)
    np.testing.assert_allclose(found[1][sure], exact[1][sure], rtol=0, atol=0.01)


def test_one_observable_step_by_step_is_exact(step_by_step):
    logits = np.array([[-2.0], [0.5], [3.0]], np.float32)
    observables, probabilities, confidence = decided(Decision(np.ones((1, 1), dtype=np.uint8)), logits)
    assert observables.tolist() == [[False], [True], [True]]
    np.testing.assert_allclose(probabilities, expit(logits), rtol=1e-5)
    np.testing.assert_allclose(confidence, expit(np.abs(logits))[:, 0], rtol=1e-5)


def test_a_code_of_many_logical_qubits_is_decided_without_going_through_all_classes():
    """24 observables: 2^24 classes for each shot would not fit into memory."""
    code = codes.BivariateBicycleCode(9, 3, "1+x^3+x^6", "1+y+y^2")
    assert code.k == 24
    logicals = logical_operators(code, "Z").logicals
    truth, evidence = noisy_evidence(logicals, 200, error=0.0, seed=4)
    decision = Decision(logicals)
    observables, probabilities, confidence = decided(decision, evidence)
    assert np.array_equal(observables, truth)
    assert np.array_equal(probabilities > 0.5, truth)
    assert not decision.wrong(-np.abs(evidence)).any()
    assert ((confidence > 0) & (confidence <= 1)).all()
    wanted = np.random.default_rng(5).integers(0, 2, (3, 24), dtype=np.uint8)
    sums, of_sums, _ = decided(Decision(logicals, wanted), evidence)
    expected = truth.astype(int) @ wanted.T % 2 > 0
    assert np.array_equal(sums, expected)
    sure = confidence > 0.999
    assert np.array_equal((of_sums > 0.5)[sure], expected[sure])


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("wanted", [None, np.array([[1, 1, 0]], dtype=np.uint8)])
def test_log_odds_tell_apart_what_probabilities_round_to_one(exact, wanted, request):
    """Three observables of one operator each: those of nats given are wrong with probability e^-nats."""
    if not exact:
        request.getfixturevalue("step_by_step")
    nats = np.array([[5.0, -70.0, 80.0], [20.0, -60.0, 60.0], [120.0, -200.0, 90.0]], np.float32)
    decision = Decision(np.eye(3, dtype=np.uint8), wanted)
    scale = 3 / (3 * 4 / 7)  # what one operator's evidence counts for among three observables
    _, suspects, log_odds = decision(nats / np.float32(scale))
    alone = nats[:, :2] if exact and wanted is not None else nats  # by steps it is always all that are judged
    np.testing.assert_allclose(
        log_odds, np.log(1 / np.exp(-np.abs(alone.astype(np.float64))).sum(axis=1)), rtol=1e-3, atol=1e-3
    )
    if wanted is None:
        np.testing.assert_array_equal(suspects.argmax(axis=1), np.abs(nats).argmin(axis=1))
        np.testing.assert_allclose(suspects.max(axis=1), 1, rtol=0, atol=1e-3)


def test_what_is_known_of_several_things_together():
    alone = np.array([[-3.0, 2.0, 20.0, 300.0], [1.0, 2.0, 30.0, 301.0]])
    right = expit(alone[:, :2]).prod(axis=0)
    found = together(alone, axis=0)
    np.testing.assert_allclose(found[:2], logit(right))
    np.testing.assert_allclose(found[2:], np.log(1 / np.exp(-alone[:, 2:]).sum(axis=0)))
    assert np.isfinite(together(np.array([[1e4], [np.inf]]), axis=0)).all()
