import itertools

import numpy as np
import pytest
from scipy import stats

from cascade_qec.evaluation.rare_events.faults import log_symmetric, most_faults, number_of_faults


def test_symmetric_functions_are_sums_over_sets():
    odds = np.array([0.3, 2.0, 0.01, 1e-5, 0.7, 0.2])
    table = np.exp(log_symmetric(np.log(odds), 8))
    for w, t in itertools.product(range(9), range(7)):
        sums = sum(np.prod(chosen) for chosen in itertools.combinations(odds[t:], w))
        np.testing.assert_allclose(table[w, t], sums, rtol=1e-12)


def _numbers(q: np.ndarray, most: int) -> tuple[np.ndarray, float]:
    return number_of_faults(q, log_symmetric(np.log(q / (1 - q)), most)[:, 0])


def test_number_of_faults_by_brute_force(small, outcomes):
    happened, probabilities = outcomes(small(0.05))
    q = np.array([i.args_copy()[0] for i in small(0.05) if i.type == "error"])
    numbers, tail = _numbers(q, 12)
    expected = np.bincount(happened.sum(axis=1), weights=probabilities)
    np.testing.assert_allclose(numbers, expected, rtol=1e-12)
    assert tail == 0
    np.testing.assert_allclose(numbers.sum(), 1, rtol=1e-12)


def test_equal_probabilities_are_binomial_down_to_tiny_tails():
    numbers, tail = _numbers(np.full(3000, 1e-3), 60)
    np.testing.assert_allclose(numbers, stats.binom.pmf(np.arange(61), 3000, 1e-3), rtol=1e-9)
    assert numbers[60] < 1e-50
    beyond = stats.binom.sf(60, 3000, 1e-3)
    assert beyond <= tail < 1.05 * beyond


@pytest.mark.parametrize("most", [6, 9, 15, 30])
def test_tail_is_bounded(most):
    q = np.linspace(1e-4, 0.02, 500)
    numbers, tail = _numbers(q, 200)
    short, bound = _numbers(q, most)
    np.testing.assert_allclose(short, numbers[: most + 1], rtol=1e-12)
    beyond = numbers[most + 1 :].sum() + tail
    assert beyond <= bound < 3 * beyond


def test_enough_faults_are_considered():
    q = np.linspace(1e-4, 0.02, 500)
    for tail in (1e-3, 1e-9, 1e-15):
        most = most_faults(q, tail)
        assert _numbers(q, most)[1] <= tail
        assert most < 45
    assert most_faults(np.full(5, 0.4), 1e-15) == 5
