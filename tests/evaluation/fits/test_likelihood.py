"""Likelihoods and single rates against sinter's, and the interval's coverage."""

import math

import numpy as np
import pytest
import sinter

from cascade_qec.evaluation.fits.likelihood import Outcomes
from cascade_qec.evaluation.fits.profile import profile_interval
from cascade_qec.statistics import Interval, per_logical_per_cycle

FACTOR = 6.8259  # exp of half the 95 % quantile of chi squared


def _outcomes(failures, shots=(1000, 5000, 200), k=(1, 12, 8), rounds=(3, 6, 1)) -> Outcomes:
    return Outcomes(*(np.array(v, dtype=np.float64) for v in (shots, np.atleast_2d(failures), k, rounds)))


def _interval(failed: int, shots: int) -> Interval:
    """Of a single rate, below 1/2."""
    outcomes = _outcomes([failed, 1], [shots, 10], [1, 1], [1, 1])  # the other point is one by itself
    start = [math.log((failed + 0.5) / (shots + 1)), -2.0]
    first, second = np.eye(2)
    return profile_interval(lambda phi: phi[0] * first + phi[1] * second, outcomes, start).map(math.exp)


@pytest.mark.parametrize(("failed", "shots"), [(0, 50), (1, 100), (7, 300), (70, 200), (12, 10_000_000)])
def test_interval_is_sinters(failed, shots):
    ours = _interval(failed, shots)
    theirs = sinter.fit_binomial(num_shots=shots, num_hits=failed, max_likelihood_factor=FACTOR)
    # sinter looks for the ends in steps of a hundredth of a failure
    assert ours.value == pytest.approx(theirs.best, abs=0.05 / shots)
    assert ours.low == pytest.approx(theirs.low, abs=0.05 / shots)
    assert ours.high == pytest.approx(theirs.high, abs=0.05 / shots)


@pytest.mark.parametrize(("p", "shots"), [(0.3, 200), (0.01, 2000)])
def test_interval_covers(p, shots):
    # Coverage summed over all outcomes, exactly: nothing is left to chance.
    k = np.arange(shots + 1)
    log_choices = [math.lgamma(shots + 1) - math.lgamma(i + 1) - math.lgamma(shots - i + 1) for i in k]
    probability = np.exp(log_choices + k * math.log(p) + (shots - k) * math.log1p(-p))
    likely = np.flatnonzero(probability > 1e-6)
    covered = sum(probability[i] for i in likely if (r := _interval(int(i), shots)).low <= p <= r.high)
    assert covered == pytest.approx(0.95, abs=0.015)


def test_log_likelihood_is_sinters():
    outcomes = _outcomes([[3, 40, 0]])
    log_rate = np.log([[1e-3, 2e-4, 1e-4]])
    block = outcomes.block_error(log_rate)[0]
    expected = sum(
        sinter.log_binomial(p=float(p), n=int(n), hits=int(h))
        for p, n, h in zip(block, outcomes.shots, outcomes.failures[0], strict=True)
    )
    assert outcomes.log_likelihood(log_rate)[0] == pytest.approx(expected, abs=1e-4)  # sinter's are single precision


@pytest.mark.parametrize("rate", [1e-14, 1e-6, 0.003, 0.2])
def test_block_error_undoes_per_logical_per_cycle(rate):
    outcomes = _outcomes([[0, 0, 0]])
    block = outcomes.block_error(np.full((1, 3), math.log(rate)))[0]
    for p, k, rounds in zip(block, outcomes.k, outcomes.rounds, strict=True):
        back = per_logical_per_cycle(Interval(p, p, p), k=int(k), rounds=int(rounds)).value
        assert back == pytest.approx(rate, rel=1e-6)


@pytest.mark.parametrize(("k", "rounds", "block"), [(1, 5, 0.02), (12, 6, 0.3), (8, 10, 1e-5)])
def test_sinters_piece_is_any_of_k_logicals(k, rounds, block):
    ours = per_logical_per_cycle(Interval(block, block, block), k=k, rounds=rounds).value
    theirs = sinter.shot_error_rate_to_piece_error_rate(block, pieces=rounds, values=k)
    assert theirs == pytest.approx(1 - (1 - ours) ** k, rel=1e-6)


def test_score_is_the_slope_and_the_information_its_variance():
    outcomes = _outcomes([[3, 40, 90]])
    log_rate = np.log([[1e-3, 2e-4, 5e-2]])
    _, score, information = outcomes.scored(log_rate)
    for i in range(3):
        step = np.zeros((1, 3))
        step[0, i] = 1e-5
        slope = (outcomes.log_likelihood(log_rate + step) - outcomes.log_likelihood(log_rate - step)) / 2e-5
        assert score[0, i] == pytest.approx(slope[0], rel=1e-5, abs=1e-5)
    # E[score^2] = information; 100,000 draws leave a relative deviation of 0.5 %, and 3 % is six of them.
    draws = np.random.default_rng(3).binomial(
        outcomes.shots.astype(int), outcomes.block_error(log_rate), size=(100_000, 3)
    )
    scores = outcomes.with_failures(draws).scored(np.repeat(log_rate, 100_000, axis=0))[1]
    assert scores.var(axis=0) == pytest.approx(information[0], rel=0.03)
