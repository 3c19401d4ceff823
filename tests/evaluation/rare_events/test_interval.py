import numpy as np
import pytest
from scipy import stats

from cascade_qec.evaluation.rare_events.results import gamma_interval


@pytest.mark.parametrize("seen", [0, 1, 7, 400])
def test_one_weight_is_the_exact_interval_of_a_poisson_count(seen):
    weight = 0.003
    low, high = gamma_interval(weight * seen, weight**2 * seen, weight)
    assert stats.poisson.sf(seen - 1, low / weight) == pytest.approx(0.025 if seen else 1)
    assert stats.poisson.cdf(seen, high / weight) == pytest.approx(0.025)


def test_nothing_possible_is_nothing():
    assert gamma_interval(0.0, 0.0, 0.0) == (0.0, 0.0)


@pytest.mark.parametrize("mean", [0.3, 2.0, 30.0])
def test_coverage_with_very_different_weights(mean):
    # Seed 1, 4000 simulations: at a coverage of exactly 95 % more than 250 misses have probability 2e-4.
    rng = np.random.default_rng(1)
    weights = np.array([1.0, 0.3, 0.05, 1e-3])
    means = mean * np.array([0.1, 0.5, 2.0, 100.0])
    counts = rng.poisson(means, size=(4000, 4))
    misses = 0
    for row in counts:
        low, high = gamma_interval(float(row @ weights), float(row @ weights**2), 1.0)
        misses += not low <= means @ weights <= high
    assert misses <= 250
