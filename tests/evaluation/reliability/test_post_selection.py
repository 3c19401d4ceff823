"""Thresholds from one half, figures from the other."""

from itertools import pairwise

import numpy as np
import pytest

from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.reliability.post_selection import choose_threshold, select

DISCARDS = (0.0, 0.01, 0.05, 0.1, 0.3, 0.5)


def _shots(rng: np.random.Generator, number: int) -> tuple[np.ndarray, np.ndarray]:
    """Scores even in [0, 1]; a shot fails with probability 0.2 (1 - score), so above t with 0.1 (1 - t) on average."""
    scores = rng.random(number)
    return scores, rng.random(number) < 0.2 * (1 - scores)


def test_threshold_by_hand():
    scores = np.array([0.5, 0.1, 0.9, 0.3, 0.7])
    assert [choose_threshold(scores, d) for d in (0, 0.19, 0.2, 0.4, 0.99)] == [0.1, 0.1, 0.3, 0.5, 0.9]
    # Equal scores stay together, so that no more than wanted is discarded.
    assert choose_threshold(np.array([0, 0, 0, 1.0]), 0.5) == 0
    assert choose_threshold(np.arange(100.0), 0.29) == 29


def test_counts_by_hand():
    scores = np.array([0, 1, 2, 3, 0, 3, 1, 2], dtype=float)
    failed = np.array([1, 1, 1, 1, 1, 0, 1, 0], dtype=np.bool_)
    (chosen,) = select(scores, failed, [0.5])
    assert (chosen.threshold, chosen.shots, chosen.accepted, chosen.failures) == (2.0, 4, 2, 0)
    assert chosen.accepted_fraction.value == 0.5
    assert chosen.block_error is not None
    assert chosen.block_error.value == 0.0


def test_nothing_accepted_has_no_error_rate():
    (chosen,) = select(np.array([1.0, 2.0, 0.0, 0.0]), np.zeros(4, dtype=np.bool_), [0.5])
    assert (chosen.accepted, chosen.block_error) == (0, None)


def test_discarding_nothing_keeps_every_shot():
    (chosen,) = select(np.array([1.0, 2.0, 0.0, 3.0]), np.ones(4, dtype=np.bool_), [0.0])
    assert (chosen.threshold, chosen.accepted, chosen.failures) == (0.0, 2, 2)


def test_halves_are_disjoint():
    rng = np.random.default_rng(2)
    scores, failed = _shots(rng, 1000)
    before = select(scores, failed, DISCARDS)
    other_scores, other_failed = _shots(rng, 500)
    # The second half has no say in the thresholds, ...
    changed = select(np.append(scores[:500], other_scores), np.append(failed[:500], other_failed), DISCARDS)
    assert [s.threshold for s in changed[1:]] == [s.threshold for s in before[1:]]
    assert [s.failures for s in changed] != [s.failures for s in before]
    # ... the first half's failures none in anything, and its scores none but by thresholds.
    assert select(scores, np.append(~failed[:500], failed[500:]), DISCARDS) == before
    for s in before:
        kept = scores[500:] >= s.threshold
        assert (s.shots, s.accepted, s.failures) == (500, kept.sum(), failed[500:][kept].sum())


def test_more_discarded_is_less_accepted():
    chosen = select(*_shots(np.random.default_rng(3), 20_000), DISCARDS)
    for fewer, more in pairwise(chosen):
        assert fewer.threshold < more.threshold
        assert fewer.accepted > more.accepted
        assert fewer.failures >= more.failures


def test_intervals_cover():
    # 400 experiments of 2000 shots, at 10 %: the interval holds the error above its own threshold in 95 % of them,
    # 380, with a standard deviation of 4.4. Below 358 a seed drawn afresh falls with probability 1e-5.
    rng = np.random.default_rng(7)
    error = acceptance = 0
    for _ in range(400):
        (chosen,) = select(*_shots(rng, 2000), [0.1])
        assert chosen.block_error is not None
        error += chosen.block_error.low <= 0.1 * (1 - chosen.threshold) <= chosen.block_error.high
        acceptance += chosen.accepted_fraction.low <= 1 - chosen.threshold <= chosen.accepted_fraction.high
    assert error >= 358
    assert acceptance >= 358


def test_wanted_discard_rate_is_met():
    # The second half's discarded fraction differs from 5 % by less than 5 standard deviations: those of a binomial
    # of 50,000, twice as variable since the threshold was found on as many.
    (chosen,) = select(*_shots(np.random.default_rng(4), 100_000), [0.05])
    assert 1 - chosen.accepted_fraction.value == pytest.approx(0.05, abs=5 * np.sqrt(2 * 0.05 * 0.95 / 50_000))


@pytest.mark.parametrize("discard", [-0.1, 1.0, float("nan")])
def test_impossible_discard_rates_are_refused(discard):
    with pytest.raises(CascadeError, match="discard rate of at least 0 and below 1"):
        select(np.arange(4.0), np.zeros(4, dtype=np.bool_), [discard])


@pytest.mark.parametrize(
    ("scores", "failed"),
    [(np.zeros(3), np.zeros(4, dtype=np.bool_)), (np.zeros(1), np.zeros(1, dtype=np.bool_)), (np.full(2, np.nan),) * 2],
)
def test_unfit_scores_are_refused(scores, failed):
    with pytest.raises(CascadeError, match="at least two shots and no NaN"):
        select(scores, failed, [0.1])
