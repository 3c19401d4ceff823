"""Which range to measure next, when the scale that it should fit is known only roughly."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_CANDIDATES = 200


def likeliest_window(scales: NDArray[np.float64], low: float, high: float) -> float:
    """The window that most probably is between `low` and `high` times as long as a scale (a decay time, a period).

    Parameters
    ----------
    scales : float64 [samples]
        Values of the scale that the data allow.
    """
    logs = np.sort(np.log(scales))
    windows = np.linspace(logs[0] + np.log(low), logs[-1] + np.log(high), _CANDIDATES)
    inside = np.searchsorted(logs, windows - np.log(low), side="right") - np.searchsorted(logs, windows - np.log(high))
    # of windows that are as good, the one in the middle
    return float(np.exp(np.median(windows[inside >= inside.max() - len(logs) // 200])))
