"""The sum of two power laws, in coordinates that suit the question asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from cascade_qec.evaluation.fits.likelihood import Floats

Quantity = Literal["a", "b", "m1", "m2", "rate"]

_SHARES = 30.0  # on the log-odds scale: beyond it a term is nothing
_LOGS = (-14.0, 6.5)  # of exponents and their differences: from as good as none to hundreds


@dataclass(frozen=True)
class TwoTerms:
    """``P = a p^m1 + b p^m2`` with ``0 <= m1 <= m2``: less noise never makes more errors.

    The natural coordinates are (log A, log B, m1, m2) at the pivot: A and B are the terms' rates at the noise
    rate exp(pivot) amid the data. At p = 1, where a and b stand, amplitudes and exponents would be all but one
    and the same coordinate. The exponents enter by logarithms, which keep them in order.

    ====== =============================================================================
    first  coordinates
    ====== =============================================================================
    "rate" (log P, log(B/A), log m1, log(m2 - m1)), the first two at ``at``
    "a"    (log of the first term's rate at ``at``, log B, log m1, log(m2 - m1))
    "b"    (log of the second term's rate at ``at``, log A, log m1, log(m2 - m1))
    "m1"   (m1, log A, log B, log(m2 - m1))
    "m2"   (m2, log A, log B, log odds of m1 / m2)
    ====== =============================================================================

    Attributes
    ----------
    x : float64 [points]
        Logarithms of the noise rates.
    pivot
        Logarithm of the noise rate of the natural coordinates.
    first
        The quantity of interest.
    at
        Logarithm of the noise rate at which "rate", "a" and "b" are meant.
    """

    x: Floats
    pivot: float
    first: Quantity
    at: float = 0.0
    size: int = 4

    def log_rates(self, phi: Floats) -> tuple[Floats, Floats]:
        """See :class:`cascade_qec.evaluation.fits.maximise.Chart`."""
        natural, jacobian = self._natural(phi)
        log_a, log_b, m1, m2 = (natural[:, [i]] for i in range(4))
        dx = self.x - self.pivot
        first, second = log_a + m1 * dx, log_b + m2 * dx
        total = np.logaddexp(first, second)
        share_1, share_2 = np.exp(first - total), np.exp(second - total)
        return total, np.stack([share_1, share_2, share_1 * dx, share_2 * dx], axis=-1) @ jacobian

    def natural(self, phi: Floats) -> Floats:
        """(log A, log B, m1, m2) at the pivot: [batch, 4]."""
        return self._natural(phi)[0]

    def of(self, natural: Floats) -> Floats:
        """Coordinates [batch, 4] from natural ones."""
        log_a, log_b, m1, m2 = natural.T
        log_m1, log_gap = _log(m1), _log(m2 - m1)
        shift = self.at - self.pivot
        if self.first == "rate":
            there_a, there_b = log_a + m1 * shift, log_b + m2 * shift
            odds = np.clip(there_b - there_a, -_SHARES, _SHARES)
            columns = (np.logaddexp(there_a, there_b), odds, log_m1, log_gap)
        elif self.first == "a":
            columns = (log_a + m1 * shift, log_b, log_m1, log_gap)
        elif self.first == "b":
            columns = (log_b + m2 * shift, log_a, log_m1, log_gap)
        elif self.first == "m1":
            columns = (m1, log_a, log_b, log_gap)
        else:
            columns = (m2, log_a, log_b, log_m1 - log_gap)
        return np.stack(columns, axis=-1)

    def _natural(self, phi: Floats) -> tuple[Floats, Floats]:
        """Natural coordinates [batch, 4], and their derivatives by the chart's [batch, 4, 4]."""
        one, two, three, v = phi.T
        shift = self.at - self.pivot
        jacobian = np.zeros((len(phi), 4, 4))
        if self.first in ("m1", "m2"):
            jacobian[:, 0, 1] = jacobian[:, 1, 2] = 1.0
            if self.first == "m1":
                gap, by_v = _exp(v)
                m1, m2 = one, one + gap
                jacobian[:, 2, 0] = jacobian[:, 3, 0] = 1.0
                jacobian[:, 3, 3] = by_v
            else:
                share = 1 / (1 + np.exp(-np.clip(v, -_SHARES, _SHARES)))
                m1, m2 = one * share, one
                jacobian[:, 2, 0], jacobian[:, 3, 0] = share, 1.0
                jacobian[:, 2, 3] = one * share * (1 - share)
            return np.stack((two, three, m1, m2), axis=-1), jacobian
        (m1, by_u), (gap, by_v) = _exp(three), _exp(v)
        m2 = m1 + gap
        jacobian[:, 2, 2] = jacobian[:, 3, 2] = by_u
        jacobian[:, 3, 3] = by_v
        if self.first == "a":
            log_a, log_b = one - m1 * shift, two
            jacobian[:, 0, 0] = jacobian[:, 1, 1] = 1.0
            jacobian[:, 0, 2] = -shift * by_u
        elif self.first == "b":
            log_a, log_b = two, one - m2 * shift
            jacobian[:, 0, 1] = jacobian[:, 1, 0] = 1.0
            jacobian[:, 1, 2], jacobian[:, 1, 3] = -shift * by_u, -shift * by_v
        else:
            odds = np.clip(two, -_SHARES, _SHARES)
            log_share_a, log_share_b = -np.logaddexp(0, odds), -np.logaddexp(0, -odds)
            log_a, log_b = one + log_share_a - m1 * shift, one + log_share_b - m2 * shift
            jacobian[:, 0, 0] = jacobian[:, 1, 0] = 1.0
            jacobian[:, 0, 1], jacobian[:, 1, 1] = -np.exp(log_share_b), np.exp(log_share_a)
            jacobian[:, 0, 2] = jacobian[:, 1, 2] = -shift * by_u
            jacobian[:, 1, 3] = -shift * by_v
        return np.stack((log_a, log_b, m1, m2), axis=-1), jacobian


def _log(value: Floats) -> Floats:
    return np.log(np.clip(value, np.exp(_LOGS[0]), np.exp(_LOGS[1])))


def _exp(log: Floats) -> tuple[Floats, Floats]:
    """Exponential and its derivative, which is 0 outside the range that matters."""
    value = np.exp(np.clip(log, *_LOGS))
    return value, np.where((log > _LOGS[0]) & (log < _LOGS[1]), value, 0.0)


def starts(x: Floats, pivot: float, value: Floats, slope: Floats) -> Floats:
    """Where to climb from, in natural coordinates: ``[batch, starts, 4]``.

    The best single power law is split at several places into a flatter and a steeper one that meet there, and
    into itself and next to nothing, so that the best two terms are never worse than the best one.

    Parameters
    ----------
    x : float64 [points]
    pivot
        Where the single laws have their values.
    value, slope : float64 [batch]
        The best single power laws.
    """
    low, high = float(x.min()), float(x.max())
    found = []
    for fraction, splits in ((0.2, ((9.0, 0.5), (1.5, 1.5))), (0.5, ((1.5, 1.5),)), (0.8, ((1.0, 6.0),))):
        meet = low + fraction * (high - low) - pivot
        for below, above in splits:
            half = value + slope * meet - np.log(2)
            m1, m2 = np.maximum(slope - below, 0.1), np.maximum(slope, 0.1) + above
            found.append(np.stack([half - m1 * meet, half - m2 * meet, m1, m2], axis=-1))
    for end, sign in ((low, -1.0), (high, 1.0)):  # a trace of another law at one end
        meet = end - pivot
        other = np.maximum(slope + 3 * sign, 0.1)
        law, trace = (value, slope), (value + slope * meet - 9.0 - other * meet, other)
        (log_a, m1), (log_b, m2) = (law, trace) if sign > 0 else (trace, law)
        found.append(np.stack([log_a, log_b, m1, m2], axis=-1))
    return np.stack(found, axis=1)
