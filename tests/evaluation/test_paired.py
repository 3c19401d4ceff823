"""The difference of two decoders on the same shots."""

import itertools
import math

import pytest
from scipy.stats import multinomial

from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.two_samples import paired_difference


def test_by_hand() -> None:
    found = paired_difference(6, 2, 100)
    # half a shot more in each of the four outcomes: 6.5 and 2.5 of 102
    centre, spread = 4 / 102, math.sqrt((9 / 102 - (4 / 102) ** 2) / 102)
    assert found.value == 0.04
    assert (found.low, found.high) == pytest.approx((centre - 1.959964 * spread, centre + 1.959964 * spread))


def test_exchanging_the_decoders_changes_the_sign() -> None:
    found, other = paired_difference(7, 1, 50), paired_difference(1, 7, 50)
    assert (other.value, other.low, other.high) == pytest.approx((-found.value, -found.high, -found.low))


def test_decoders_that_never_differ_may_still() -> None:
    found = paired_difference(0, 0, 1000)
    assert found.value == 0
    assert found.low == -found.high
    assert 0.001 < found.high < 0.003  # three in a thousand would rarely go unseen


@pytest.mark.parametrize(("worse", "better", "shots"), [(1, 0, 1), (5, 0, 5), (0, 5, 5), (300, 0, 300)])
def test_the_interval_holds_the_value_and_stays_in_range(worse: int, better: int, shots: int) -> None:
    found = paired_difference(worse, better, shots)
    assert -1 <= found.low <= found.value <= found.high <= 1


@pytest.mark.parametrize("rates", [(0.02, 0.01), (0.05, 0.05), (0.1, 0.0), (0.2, 0.1)])
def test_it_covers_the_truth(rates: tuple[float, float]) -> None:
    """Exactly, over all outcomes of 60 shots."""
    law = multinomial(60, [*rates, 1 - sum(rates)])
    covered = 0.0
    for worse, better in itertools.product(range(61), repeat=2):
        if worse + better <= 60:
            found = paired_difference(worse, better, 60)
            if found.low <= rates[0] - rates[1] <= found.high:
                covered += law.pmf([worse, better, 60 - worse - better])
    assert covered > 0.94


@pytest.mark.parametrize(("worse", "better", "shots", "confidence"), [(-1, 0, 5, 0.9), (3, 3, 5, 0.9), (0, 0, 0, 0.9)])
def test_counts_out_of_range_are_refused(worse: int, better: int, shots: int, confidence: float) -> None:
    with pytest.raises(CascadeError, match=f"got worse = {worse}, better = {better}, shots = {shots}"):
        paired_difference(worse, better, shots, confidence)
    with pytest.raises(CascadeError, match="confidence = 1"):
        paired_difference(1, 1, 5, 1)
