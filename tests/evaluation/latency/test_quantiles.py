"""Quantiles and their order-statistic intervals."""

import numpy as np
import pytest

from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.latency.table import quantile


@pytest.mark.parametrize("fraction", [0.5, 0.99, 0.999])
def test_values_are_numpys_percentiles(fraction: float) -> None:
    samples = np.random.default_rng(1).lognormal(size=5000)
    found = quantile(samples, fraction)
    assert found.value == np.percentile(samples, 100 * fraction)
    assert found.low is not None
    assert found.high is not None
    assert found.low < found.value < found.high


@pytest.mark.parametrize(("fraction", "fewest"), [(0.5, 6), (0.99, 368), (0.999, 3688)])
def test_an_interval_wants_samples_beyond_it(fraction: float, fewest: int) -> None:
    enough = quantile(np.arange(fewest), fraction)
    assert enough.known
    assert enough.high == fewest - 1  # the largest sample, just
    too_few = quantile(np.arange(fewest - 1), fraction)
    assert not too_few.known
    assert too_few.high is None


def test_intervals_cover_the_truth_at_their_rate() -> None:
    """Seed 2, 2000 trials of 500 exponential times.

    Coverage is at least 95 % by construction, and below 98 % here by the binomial distribution. Fewer than 1860 covered
    trials have a probability of 2e-5 at 95 %, more than 1987 one of 1e-6 at 98 %.
    """
    random = np.random.default_rng(2)
    truth = np.log(100)  # the 99th percentile
    covered = 0
    for _ in range(2000):
        found = quantile(random.exponential(size=500), 0.99)
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= truth < found.high
    assert 1860 <= covered <= 1987


@pytest.mark.parametrize(("samples", "fraction"), [([], 0.5), ([1.0], 0.0), ([1.0], 1.0)])
def test_what_has_no_quantile_is_told(samples: list[float], fraction: float) -> None:
    with pytest.raises(CascadeError, match="expected samples and a fraction between 0 and 1"):
        quantile(samples, fraction)
