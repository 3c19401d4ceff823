"""Two counts from one rate, against sums over all outcomes."""

from fractions import Fraction
from math import comb

import pytest
from scipy.stats import binom

from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.two_samples import equal_rates, visible_rate


def _by_hand(failed: int, shots: int, others_failed: int, other_shots: int) -> float:
    total = failed + others_failed
    ways = {x: comb(shots, x) * comb(other_shots, total - x) for x in range(total + 1)}
    below = sum(w for x, w in ways.items() if x <= failed)
    above = sum(w for x, w in ways.items() if x >= failed)
    return float(min(Fraction(1), 2 * Fraction(min(below, above), comb(shots + other_shots, total))))


@pytest.mark.parametrize(
    "counts",
    [(3, 10, 7, 12), (0, 10, 0, 5), (0, 40, 9, 50), (10, 10, 0, 10), (50, 1000, 10, 1000), (5, 5, 5, 5), (1, 1, 0, 9)],
)
def test_probability_is_exact(counts: tuple[int, int, int, int]) -> None:
    assert equal_rates(*counts) == pytest.approx(_by_hand(*counts), rel=1e-9)
    assert equal_rates(*counts[2:], *counts[:2]) == pytest.approx(_by_hand(*counts), rel=1e-9)


def test_large_counts() -> None:
    # From the normal approximation, z = 5.01 and 13.2.
    assert equal_rates(966, 10**6, 1200, 10**6) == pytest.approx(5.3e-7, rel=0.05)
    assert equal_rates(966, 10**6, 1932, 2 * 10**6) == 1.0
    assert 0 < equal_rates(966, 10**6, 1600, 10**6) < 1e-30


def test_false_alarms_are_no_more_than_told() -> None:
    """Summed over all outcomes of both samples."""
    level, shots, others = 0.1, 12, 20
    refused = [(x, y) for x in range(shots + 1) for y in range(others + 1) if equal_rates(x, shots, y, others) < level]
    for rate in (0.02, 0.1, 0.3, 0.5):
        alarms = sum(binom.pmf(x, shots, rate) * binom.pmf(y, others, rate) for x, y in refused)
        assert 0 < alarms < level


def test_power_is_as_told() -> None:
    failed, shots, others, level = 8, 100, 150, 0.05
    rate = visible_rate(failed, shots, others, level=level, power=0.9)
    assert rate is not None
    more = range(13, others + 1)  # than the 12 that the first sample's rate makes
    refused = [y for y in more if equal_rates(failed, shots, y, others) < level]
    assert refused == list(range(refused[0], others + 1))
    assert sum(binom.pmf(y, others, rate) for y in refused) == pytest.approx(0.9, rel=1e-9)


def test_what_no_count_would_show() -> None:
    assert visible_rate(3, 4, 2, level=0.01) is None
    assert visible_rate(4, 4, 100, level=0.01) is None


@pytest.mark.parametrize("counts", [(-1, 10, 1, 10), (1, 0, 1, 10), (1, 10, 11, 10)])
def test_impossible_counts_are_refused(counts: tuple[int, int, int, int]) -> None:
    with pytest.raises(CascadeError, match="0 <= failed <= shots"):
        equal_rates(*counts)


@pytest.mark.parametrize(("level", "power"), [(0, 0.9), (0.1, 1.0)])
def test_impossible_probabilities_are_refused(level: float, power: float) -> None:
    with pytest.raises(CascadeError, match="0 < level < 1 and 0 < power < 1"):
        visible_rate(1, 10, 10, level=level, power=power)
