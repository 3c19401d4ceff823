"""Quantiles of measured times, with what the samples can say of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import bdtr

from cascade_qec.errors import CascadeError


@dataclass(frozen=True)
class Quantile:
    """A quantile and its 95 % interval.

    Attributes
    ----------
    value
    low, high
        None, both, where the samples do not reach beyond one of them: p50 needs 6 samples, p99 368, p99.9 3688.
    """

    value: float
    low: float | None
    high: float | None

    @property
    def known(self) -> bool:
        """Whether the samples are enough for the interval."""
        return self.low is not None


def quantile(samples: ArrayLike, fraction: float) -> Quantile:
    """A quantile of independent samples, with an interval that holds for any distribution.

    The interval's ends are order statistics. How many of n samples lie below the true quantile q is binomial (n, q),
    so that ranks beyond the 2.5 % and 97.5 % quantiles of that enclose it with probability 95 % or more. Where the
    largest sample has not this rank, there is no interval. Times on a busy machine come in bursts, not
    independently, so that their intervals are too narrow.

    Parameters
    ----------
    samples : float [n]
    fraction
        0 < fraction < 1; 0.5 is the median.

    Raises
    ------
    CascadeError
        If there are no samples, or the fraction is out of range.
    """
    ordered = np.sort(np.asarray(samples, dtype=np.float64).ravel())
    n = len(ordered)
    if n == 0 or not 0 < fraction < 1:
        raise CascadeError(f"expected samples and a fraction between 0 and 1, got {n} samples and {fraction}")
    cumulative = bdtr(np.arange(n), n, fraction)  # binomial; of n itself it is 1
    lower, upper = (int(rank) for rank in np.searchsorted(cumulative, [0.025, 0.975]))
    upper += 1  # ranks are counted from 1 on
    value = float(np.quantile(ordered, fraction))
    if not 1 <= lower <= upper <= n:
        return Quantile(value, None, None)
    return Quantile(value, float(ordered[lower - 1]), float(ordered[upper - 1]))
