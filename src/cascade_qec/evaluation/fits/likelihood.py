"""The likelihood of failure counts, as a function of the logical error rate per logical per cycle; and its maximum.

Many data sets are fitted at once, by Fisher scoring, damped as by Levenberg and Marquardt: behind each p-value stand a
thousand simulated ones, each fitted by two laws. Minuit takes them one by one, and two terms of a thousand take it 260
seconds where this takes half a second.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, xlogy

Floats = NDArray[np.float64]

Law = Callable[[Floats], tuple[Floats, Floats]]
"""From parameters [batch, size] to log rates [batch, points] and their derivatives [batch, points, size]."""

# Above this a logical qubit is a coin after any cycle. The rate stays below 1/2, where the block error has no slope.
_HIGHEST_LOG_RATE = math.log(0.5) - 1e-6
_LOWEST_LOG_RATE = -300.0  # exp of twice it is still a number

_STEPS = 60
_ENOUGH = 1e-5
"""Gain of the log likelihood below which a step is the last; tests and intervals need it to about 1e-3."""


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


def maximise(law: Law, outcomes: Outcomes, starts: Floats) -> tuple[Floats, Floats]:
    """Climb from every start, and keep the best maximum of each repetition.

    Parameters
    ----------
    law
        The family of rates.
    outcomes
        Data of some repetitions.
    starts : float64 [repetitions, starts, size]
        A family with several local maxima needs several.

    Returns
    -------
    phi : float64 [repetitions, size]
    log_likelihood : float64 [repetitions]
    """
    repetitions, each, size = starts.shape
    phi, best = _climb(
        law, outcomes.with_failures(np.repeat(outcomes.failures, each, axis=0)), starts.reshape(-1, size)
    )
    highest = best.reshape(repetitions, each).argmax(axis=1) + each * np.arange(repetitions)
    return phi[highest], best[highest] + outcomes.log_choices


def _climb(law: Law, outcomes: Outcomes, start: Floats) -> tuple[Floats, Floats]:
    failures = outcomes.failures
    phi = np.array(start, dtype=np.float64)
    log_rate, slopes = law(phi)
    best, score, information = outcomes.scored(log_rate)
    damping = np.full(len(phi), 1e-3)
    active = np.arange(len(phi))
    diagonal = np.eye(phi.shape[1])
    for _ in range(_STEPS):
        transposed = slopes.swapaxes(1, 2)
        gradient = transposed @ score[..., None]
        hessian = transposed @ (information[..., None] * slopes)
        # The scale of a parameter that hardly matters is bounded below, so that its step stays finite.
        scale = np.einsum("bii->bi", hessian) + 1e-6
        step = np.linalg.solve(hessian + damping[active, None, None] * scale[:, :, None] * diagonal, gradient)
        trial = phi[active] + np.clip(step[..., 0], -5.0, 5.0)
        log_rate, new_slopes = law(trial)
        likelihood, new_score, new_information = outcomes.with_failures(failures[active]).scored(log_rate)
        gain = likelihood - best[active]
        better = gain > 0
        phi[active[better]] = trial[better]
        best[active[better]] = likelihood[better]
        score = np.where(better[:, None], new_score, score)
        information = np.where(better[:, None], new_information, information)
        slopes = np.where(better[:, None, None], new_slopes, slopes)
        damping[active] = np.maximum(damping[active] * np.where(better, 0.2, 8.0), 1e-9)
        # A refused step means nothing until the damping is so strong that the climb has to be at its end.
        left = ~((better & (gain < _ENOUGH) & (damping[active] < 1.0)) | (damping[active] > 1e6))
        active, score, information, slopes = active[left], score[left], information[left], slopes[left]
        if not len(active):
            break
    return phi, best
