"""What it costs to choose a component: numbers whose sums are exact, so that machines and ways to add agree."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SURE = 2.0**10
"""The most that a component costs, and the most that it saves."""

_FINEST = 2.0**-24


def costs(log_odds: NDArray[np.float32]) -> NDArray[np.float64]:
    """Negative log-odds as multiples of 2^-24, from -2^10 to 2^10. What is no number costs as what is impossible."""
    kept = np.fmin(np.fmax(log_odds.astype(np.float64), -SURE), SURE)
    return np.rint(-kept / _FINEST) * _FINEST
