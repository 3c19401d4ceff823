"""Noise, drift and outliers for signals whose size and zero mean something: currents, populations, counts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def disturbed(
    signal: NDArray[np.float64], contrast: float, snr: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """The signal with noise of `contrast / snr`, slow drift and outliers, as `read_out` has them.

    Parameters
    ----------
    signal : float64, any shape
    """
    noise = contrast / snr
    drift = 0.2 * noise * np.sin(np.pi * (np.linspace(0, rng.uniform(0.2, 1), signal.size) + rng.uniform(0, 2)))
    signal = signal + drift.reshape(signal.shape) + noise * rng.standard_normal(signal.shape)
    if rng.random() < 0.25:
        signal = signal + (rng.random(signal.shape) < 0.02) * contrast * rng.uniform(-8, 8, signal.shape)
    return signal
