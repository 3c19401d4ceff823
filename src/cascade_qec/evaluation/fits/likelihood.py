"""The likelihood of failure counts, as a function of the logical error rate per logical per cycle."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, xlogy

Floats = NDArray[np.float64]

# Above this a logical qubit is a coin after any cycle. The rate stays below 1/2, where the block error has no slope.
_HIGHEST_LOG_RATE = math.log(0.5) - 1e-6
_LOWEST_LOG_RATE = -300.0  # exp of twice it is still a number


@dataclass(frozen=True)
class Outcomes:
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

    def with_failures(self, failures: NDArray) -> Outcomes:
        """Other outcomes of the same experiments: ``[repetitions, points]``."""
        return Outcomes(self.shots, np.asarray(failures, dtype=np.float64), self.k, self.rounds)

    def block_error(self, log_rate: Floats) -> Floats:
        """Block error of each point from its log rate per logical per cycle: ``[..., points]``.

        The inverse of :func:`cascade_qec.statistics.per_logical_per_cycle`.
        """
        return -np.expm1(self._log_survival(log_rate)[0])

    def log_likelihood(self, log_rate: Floats) -> Floats:
        """Logarithm of the probability of the counts: ``[repetitions]`` from log rates ``[repetitions, points]``."""
        survival = self._log_survival(log_rate)[0]
        return self._terms(np.log(-np.expm1(survival)), survival) + self.log_choices

    def scored(self, log_rate: Floats) -> tuple[Floats, Floats, Floats]:
        """Log likelihood but for `log_choices` [repetitions]; its slope in each log rate; Fisher's information.

        The latter two are ``[repetitions, points]``.
        """
        survival, rate, log_even, q = self._log_survival(log_rate)
        block = -np.expm1(survival)
        # dP by the log rate, over P (1 - P)
        relative = self.k * self.rounds * np.exp((self.rounds - 1) * log_even) * rate / ((1 - q) * block)
        score = (self.failures - self.shots * block) * relative
        return self._terms(np.log(block), survival), score, self.shots * block * np.exp(survival) * relative**2

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

    def _terms(self, log_block: Floats, log_survival: Floats) -> Floats:
        return (self.failures * log_block + (self.shots - self.failures) * log_survival).sum(axis=-1)

    def _log_survival(self, log_rate: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        """log(1 - P) of the block error P, and on the way to it the rate, log(1 - 2 rate), and q of one logical qubit.

        No digits are lost where the rate is small.
        """
        rate = np.exp(np.minimum(np.maximum(log_rate, _LOWEST_LOG_RATE), _HIGHEST_LOG_RATE))
        log_even = np.log1p(-2 * rate)
        q = -0.5 * np.expm1(self.rounds * log_even)
        return self.k * np.log1p(-q), rate, log_even, q
