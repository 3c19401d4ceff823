"""Ramsey fringes over windows that show their decay, and in other conditions."""

from __future__ import annotations

import numpy as np

from cascade_calibration.simulation import ramsey
from cascade_calibration.simulation.draw import Draw, Simulator

_GOOD, _SHORT = (1.6, 4.0), (0.15, 0.7)
"""Decay times in the window."""


def draw(mode: str, snr: float, rng: np.random.Generator) -> Draw:
    """T2* of 300 ns to 300 us, exponential or Gaussian, 81 to 241 delays from zero, fringes of any phase.

    See `ramsey.draw`.
    """
    return ramsey.draw(mode, snr, rng, "ramsey_t2star", _GOOD, _SHORT)


SIMULATOR = Simulator(ramsey.MODES, draw)
