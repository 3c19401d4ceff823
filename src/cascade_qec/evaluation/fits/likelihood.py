"""The likelihood of failure counts, as a function of the logical error rate per logical per cycle."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import gammaln, xlogy
from scipy.stats import chi2

from cascade_qec.errors import CascadeError
from cascade_qec.statistics import Interval

Floats = NDArray[np.float64]

# Above this a logical qubit is a coin after any cycle. The rate stays below 1/2, where the block error has no slope.
_HIGHEST_LOG_RATE = math.log(0.5) - 1e-6
_LOWEST_LOG_RATE = -300.0  # exp of twice it is still a number


def half_deviance(confidence: float) -> float:
    """Drop of the log likelihood at the ends of an interval for one quantity: half a quantile of chi squared (Wilks).

    Raises
    ------
    CascadeError
        Unless ``0 < confidence < 1``.
    """
    if not 0 < confidence < 1:
        raise CascadeError(f"expected 0 < confidence < 1, got {confidence}")
    return float(chi2.ppf(confidence, df=1)) / 2


@dataclass(frozen=True)
class Counts:
    """Failures in shots at several points, once or for many repetitions of the same experiments.

    Attributes
    ----------
    shots : float64 [points]
    failures : float64 [repetitions, points]
        Shots with any observable wrong.
    k, rounds : float64 [points]
        Logical qubits and cycles of each point.
    """

    shots: Floats
    failures: Floats
    k: Floats
    rounds: Floats

    def with_failures(self, failures: NDArray) -> Counts:
        """Other outcomes of the same experiments: ``[repetitions, points]``."""
        return Counts(self.shots, np.asarray(failures, dtype=np.float64), self.k, self.rounds)

    def block_error(self, log_rate: Floats) -> Floats:
        """Block error of each point from its log rate per logical per cycle: ``[..., points]``.

        The inverse of :func:`cascade_qec.evaluation.per_logical_per_cycle`.
        """
        return _block_error(log_rate, self.k, self.rounds)[0]

    def log_likelihood(self, log_rate: Floats) -> Floats:
        """Logarithm of the probability of the counts: ``[repetitions]`` from log rates ``[repetitions, points]``."""
        return self.scored(log_rate)[0] + self.log_choices

    def scored(self, log_rate: Floats) -> tuple[Floats, Floats, Floats]:
        """Log likelihood but for `log_choices` [repetitions]; its slope in each log rate; Fisher's information.

        The latter two are ``[repetitions, points]``.
        """
        block, log_survival, slope = _block_error(log_rate, self.k, self.rounds)
        terms = self.failures * np.log(block) + (self.shots - self.failures) * log_survival
        relative = slope / (block * np.exp(log_survival))
        score = (self.failures - self.shots * block) * relative
        return terms.sum(axis=-1), score, self.shots * slope * relative

    @cached_property
    def log_choices(self) -> Floats:
        """Logarithm of the number of ways to pick the failures among the shots: ``[repetitions]``."""
        terms = gammaln(self.shots + 1) - gammaln(self.failures + 1) - gammaln(self.shots - self.failures + 1)
        return terms.sum(axis=-1)

    def highest_log_likelihood(self) -> Floats:
        """Log likelihood of a model with a rate of its own for every point: ``[repetitions]``."""
        fraction = self.failures / self.shots
        terms = xlogy(self.failures, fraction) + xlogy(self.shots - self.failures, 1 - fraction)
        return terms.sum(axis=-1) + self.log_choices

    def crude_log_rate(self) -> Floats:
        """Log rate of each point by itself, with half a failure more, so that it exists: ``[repetitions, points]``."""
        fraction = (self.failures + 0.5) / (self.shots + 1)
        q = -np.expm1(np.log1p(-fraction) / self.k)
        rate = -0.5 * np.expm1(np.log1p(-2 * np.minimum(q, 0.4999)) / self.rounds)
        return np.log(rate)


def _block_error(log_rate: Floats, k: Floats, rounds: Floats) -> tuple[Floats, Floats, Floats]:
    """Block error P, log(1 - P), and dP by the log rate; no digits are lost where the rate is small."""
    rate = np.exp(np.clip(log_rate, _LOWEST_LOG_RATE, _HIGHEST_LOG_RATE))
    log_even = np.log1p(-2 * rate)
    q = -0.5 * np.expm1(rounds * log_even)
    log_survival = k * np.log1p(-q)
    slope = k * np.exp(log_survival) / (1 - q) * rounds * np.exp((rounds - 1) * log_even) * rate
    return -np.expm1(log_survival), log_survival, slope


def likelihood_interval(failed: int, shots: int, confidence: float = 0.95) -> Interval:
    """Fraction of failed shots with its likelihood interval.

    The interval holds the rates whose likelihood ratio to the best one a chi-squared test does not reject, the same
    as ``sinter.fit_binomial`` with ``max_likelihood_factor = exp(chi2 / 2)``: 6.83 for 95 %.

    Raises
    ------
    CascadeError
        Unless ``0 <= failed <= shots``, ``shots >= 1`` and ``0 < confidence < 1``.
    """
    if not (shots >= 1 and 0 <= failed <= shots):
        raise CascadeError(f"expected 0 <= failed <= shots and shots >= 1, got failed = {failed}, shots = {shots}")
    drop = half_deviance(confidence)
    best = failed / shots
    top = xlogy(failed, best) + xlogy(shots - failed, 1 - best)

    def excess(log_odds: float) -> float:
        # log(1 + e^x) both ways keeps the digits of rates near 0 and near 1
        loss = failed * np.logaddexp(0, -log_odds) + (shots - failed) * np.logaddexp(0, log_odds)
        return float(top + loss - drop)

    centre = math.log((failed + 0.5) / (shots - failed + 0.5))
    # with no failure the likelihood is (1 - P)^shots, and the mirror image where all failed
    low = 0.0 if failed == 0 else _expit(_root(excess, centre, -1.0))
    high = 1.0 if failed == shots else _expit(_root(excess, centre, 1.0))
    return Interval(best, low, high)


def _root(excess, centre: float, step: float) -> float:
    far = centre + step
    while excess(far) < 0:
        far += step
        step *= 2
    return float(brentq(excess, centre, far, xtol=1e-12, rtol=1e-12))  # pyright: ignore[reportArgumentType]


def _expit(log_odds: float) -> float:
    return 1 / (1 + math.exp(-log_odds))
