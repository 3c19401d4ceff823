"""Series of T1: steady ones, with one defect or two that switch, with a random walk, and with slow drift."""

from __future__ import annotations

import numpy as np

from cascade_calibration.measurement import Measurement
from cascade_calibration.simulation.draw import Draw, Simulator
from cascade_calibration.simulation.readout import log_uniform

_MODES = {
    "steady": "STABLE",
    "one defect": "TELEGRAPHIC",
    "two defects": "TELEGRAPHIC",
    "walk": "RANDOM_WALK",
    "slow drift": "RANDOM_WALK",
}


def draw(mode: str, snr: float, rng: np.random.Generator) -> Draw:
    """60 to 240 values around 3 to 300 us.

    The signal to noise is the size of a jump, or how far a walk is likely to lead, over the scatter of a value.
    """
    t1 = log_uniform(rng, 3e-6, 3e-4)
    n = int(rng.integers(60, 241))
    size = rng.uniform(0.2, 0.6)
    if mode == "steady":
        noise, course = log_uniform(rng, 0.02, 0.2), np.ones(n)
    elif mode in ("one defect", "two defects"):
        noise = size / snr
        course = 1 - size * _switching(n, rng)
        if mode == "two defects":
            course -= rng.uniform(0.5, 1.0) * size * _switching(n, rng)
            course += size  # stays above zero
    elif mode == "walk":
        step = size / np.sqrt(n)
        noise, course = size / snr, 1.5 + np.cumsum(step * rng.standard_normal(n))
    else:
        noise = size / snr
        turns = np.linspace(0, rng.uniform(0.4, 1.2), n) + rng.random()
        course = 1 + size / 2 * np.sin(2 * np.pi * turns)
    values = course + noise * rng.standard_normal(n)
    if rng.random() < 0.25:
        values = np.where(rng.random(n) < 0.02, rng.uniform(0.1, 3.0, n), values)
    axes = {"time": (np.arange(n) * log_uniform(rng, 10, 1000), "s")}
    measurement = Measurement.of(axes, {"T1": (1e6 * t1 * values, "us")}, family="t1_fluctuations", name="T1 stability")
    truth = {}
    if mode == "steady":
        truth = {"mean T1": t1}
    elif mode == "one defect":
        truth = {"T1 low": t1 * (1 - size), "T1 high": t1}
    elif mode == "walk":
        truth = {"step": t1 * step}
    return Draw(measurement, truth)


def _switching(n: int, rng: np.random.Generator) -> np.ndarray:
    """0 or 1 [n]: a defect that is on or off for 4 values to a quarter of the series, and switches at least once."""
    while True:
        stays = [log_uniform(rng, 4, n / 4) for _ in range(2)]
        state, states = int(rng.integers(2)), []
        while len(states) < n:
            states += [state] * max(1, round(rng.exponential(stays[state])))
            state = 1 - state
        on = np.array(states[:n], dtype=np.float64)
        if 3 <= on.sum() <= n - 3:
            return on


SIMULATOR = Simulator(_MODES, draw)
