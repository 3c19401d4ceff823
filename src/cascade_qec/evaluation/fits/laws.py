"""Power laws in the noise rate, one term and two, for many data sets at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import expit

from cascade_qec.evaluation.fits.likelihood import Floats, Law, Outcomes, maximise

Quantity = Literal["a", "b", "m1", "m2", "rate"]

_LOGS = (-14.0, 6.5)  # of exponents and their differences: from as good as none to hundreds
_ODDS = 30.0  # log odds of two terms, beyond which one is nothing


def pivot(x: Floats, outcomes: Outcomes) -> float:
    """Mean of x [points], weighted by failures: near it a line's value and slope are estimated independently."""
    return float(np.average(x, weights=outcomes.failures.sum(axis=0) + 1e-9))


def line(dx: Floats) -> Law:
    """``log P = v + s dx`` at dx [points]; the parameters are (v, s)."""
    slopes = np.stack([np.ones_like(dx), dx], axis=-1)
    return lambda phi: (phi @ slopes.T, np.broadcast_to(slopes, (len(phi), *slopes.shape)))


def two_terms(dx: Floats) -> Law:
    """``P = A exp(m1 dx) + B exp(m2 dx)`` with ``0 <= m1 <= m2`` at dx [points]: less noise never makes more errors.

    The parameters are (log(A + B), log(B / A), log m1, log(m2 - m1)): the logarithms keep the exponents in order.
    """

    def law(phi: Floats) -> tuple[Floats, Floats]:
        log_a, log_b, m1, m2 = natural(phi.T)[..., None]
        first, second = log_a + m1 * dx, log_b + m2 * dx
        total = np.logaddexp(first, second)
        share = np.exp(second - total)
        by_m1, by_gap = (
            np.where((_LOGS[0] < log) & (log < _LOGS[1]), value, 0.0)
            for log, value in ((phi[:, [2]], m1), (phi[:, [3]], m2 - m1))
        )
        slopes = (np.ones_like(total), share - expit(phi[:, [1]]), by_m1 * dx, share * by_gap * dx)
        return total, np.stack(slopes, axis=-1)

    return law


def natural(phi: Floats) -> Floats:
    """(log A, log B, m1, m2) [4, ...] from the parameters [4, ...] of :func:`two_terms`."""
    total, odds, log_m1, log_gap = phi
    odds = np.clip(odds, -_ODDS, _ODDS)
    m1 = exponent(log_m1)
    return np.stack((total - np.logaddexp(0, odds), total - np.logaddexp(0, -odds), m1, m1 + exponent(log_gap)))


def parameters(natural: Floats) -> Floats:
    """Undoes :func:`natural`."""
    log_a, log_b, m1, m2 = natural
    odds = np.clip(log_b - log_a, -_ODDS, _ODDS)
    return np.stack((np.logaddexp(log_a, log_b), odds, log_exponent(m1), log_exponent(m2 - m1)))


def exponent(log: Floats) -> Floats:
    """An exponent, or a difference of two, from its logarithm, within the range that matters."""
    return np.exp(np.clip(log, *_LOGS))


def log_exponent(exponent: Floats) -> Floats:
    """Undoes :func:`exponent`."""
    return np.log(np.clip(exponent, np.exp(_LOGS[0]), np.exp(_LOGS[1])))


@dataclass(frozen=True)
class Chart:
    """Parameters of two terms of which the first is a quantity of interest.

    At p = 1, where a and b stand, amplitudes and exponents are all but one and the same parameter; so only the
    quantity of interest is meant there, the others amid the data.

    ====== =======================================================================================
    first  parameters
    ====== =======================================================================================
    "rate" (log P, log(b / a), log m1, log(m2 - m1)), the first two `shift` away from the pivot
    "a"    (log of the first term `shift` away from the pivot, log B, log m1, log(m2 - m1))
    "b"    (log of the second term `shift` away from the pivot, log A, log m1, log(m2 - m1))
    "m1"   (m1, log A, log B, log(m2 - m1))
    "m2"   (m2, log A, log B, log odds of m1 / m2)
    ====== =======================================================================================
    """

    first: Quantity
    shift: float

    def of(self, coordinates: Floats) -> list[float]:
        """Parameters from (log A, log B, m1, m2) at the pivot."""
        log_a, log_b, m1, m2 = coordinates
        there = np.array([log_a + m1 * self.shift, log_b + m2 * self.shift, m1, m2])
        logs = log_exponent(np.array([m1, m2 - m1]))
        rows = {
            "rate": parameters(there),
            "a": (there[0], log_b, *logs),
            "b": (there[1], log_a, *logs),
            "m1": (m1, log_a, log_b, logs[1]),
            "m2": (m2, log_a, log_b, logs[0] - logs[1]),
        }
        return [float(value) for value in rows[self.first]]

    def natural(self, phi: Floats) -> Floats:
        """(log A, log B, m1, m2) at the pivot."""
        one, two, three, four = phi
        if self.first == "m1":
            return np.array([two, three, one, one + exponent(four)])
        if self.first == "m2":
            return np.array([two, three, one * expit(four), one])
        there = natural(phi)
        log_a, log_b, m1, m2 = there
        if self.first == "a":
            return np.array([one - m1 * self.shift, two, m1, m2])
        if self.first == "b":
            return np.array([two, one - m2 * self.shift, m1, m2])
        return np.array([log_a - m1 * self.shift, log_b - m2 * self.shift, m1, m2])


def best_line(x: Floats, outcomes: Outcomes) -> tuple[Floats, Floats]:
    """The most likely line of log rates over x, for every repetition.

    Returns
    -------
    phi : float64 [repetitions, 2]
        Log rate at :func:`pivot`, and slope.
    log_likelihood : float64 [repetitions]
    """
    dx = x - pivot(x, outcomes)
    crude, weights = outcomes.crude_log_rate(), outcomes.failures + 0.5
    total = weights.sum(axis=1)
    centre, mean = (weights * dx).sum(axis=1) / total, (weights * crude).sum(axis=1) / total
    off = dx - centre[:, None]
    slope = (weights * off * (crude - mean[:, None])).sum(axis=1) / np.maximum((weights * off**2).sum(axis=1), 1e-12)
    return maximise(line(dx), outcomes, np.stack([mean - slope * centre, slope], axis=1)[:, None])


def best_two_terms(x: Floats, outcomes: Outcomes) -> tuple[Floats, Floats]:
    """The most likely sum of two power laws, for every repetition.

    Returns
    -------
    natural : float64 [repetitions, 4]
        (log A, log B, m1, m2) at :func:`pivot`.
    log_likelihood : float64 [repetitions]
    """
    dx = x - pivot(x, outcomes)
    phi, likelihood = maximise(
        two_terms(dx),
        outcomes,
        np.moveaxis(parameters(np.moveaxis(starts(dx, best_line(x, outcomes)[0]), -1, 0)), 0, -1),
    )
    return natural(phi.T).T, likelihood


def starts(dx: Floats, lines: Floats) -> Floats:
    """Where to look for two terms: (log A, log B, m1, m2) ``[repetitions, starts, 4]``.

    The best single power law is split at several places into a flatter and a steeper one that meet there, and
    into itself and next to nothing, so that the best two terms are never worse than the best one.

    Parameters
    ----------
    dx : float64 [points]
    lines : float64 [repetitions, 2]
        The best single power laws, as log rate and slope.
    """
    value, slope = lines.T
    low, high = float(dx.min()), float(dx.max())
    found = []
    for fraction, splits in ((0.2, ((9.0, 0.5), (1.5, 1.5))), (0.5, ((1.5, 1.5),)), (0.8, ((1.0, 6.0),))):
        meet = low + fraction * (high - low)
        for below, above in splits:
            half = value + slope * meet - np.log(2)
            m1, m2 = np.maximum(slope - below, 0.1), np.maximum(slope, 0.1) + above
            found.append(np.stack([half - m1 * meet, half - m2 * meet, m1, m2], axis=-1))
    for meet, sign in ((low, -1.0), (high, 1.0)):  # a trace of another law at one end
        other = np.maximum(slope + 3 * sign, 0.1)
        law, trace = (value, slope), (value + slope * meet - 9.0 - other * meet, other)
        (log_a, m1), (log_b, m2) = (law, trace) if sign > 0 else (trace, law)
        found.append(np.stack([log_a, log_b, m1, m2], axis=-1))
    return np.stack(found, axis=1)
