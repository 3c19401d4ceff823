"""Rabi measurements, in amplitude or time: good, too narrow, undersampled, damped, without a signal, and distorted."""

from __future__ import annotations

import numpy as np

from cascade_calibration.analysis.verdict import Range
from cascade_calibration.measurement import Measurement
from cascade_calibration.simulation.draw import Draw, Simulator
from cascade_calibration.simulation.readout import log_uniform, read_out

_MODES = {
    "good": "SUCCESS",
    "saturating drive": "FIT_POOR",
    "two frequencies": "FIT_POOR",
    "jump": "FIT_POOR",
    "range too narrow": "RANGE_TOO_NARROW",
    "no drive": "NO_SIGNAL",
    "damped": "DAMPED",
    "undersampled": "UNDERSAMPLED",
}


def draw(mode: str, snr: float, rng: np.random.Generator) -> Draw:
    """Pi pulses of 10 mV to 1 V or of 10 ns to 1 us, 31 to 101 points from zero."""
    in_time = rng.random() < 0.3
    pi = log_uniform(rng, 1e-8, 1e-6) if in_time else log_uniform(rng, 0.01, 1.0)
    points = int(rng.integers(31, 102))
    most = 0.2 * (points - 1)
    if mode == "range too narrow":
        periods = rng.uniform(0.3, 0.8)
    elif mode == "undersampled":
        periods = (points - 1) * rng.uniform(0.38, 0.62)
    elif mode in ("saturating drive", "two frequencies", "jump"):
        periods = log_uniform(rng, 2.5, most)
    else:
        periods = log_uniform(rng, 5.5 if mode == "damped" else 1.3, most)
    window = 2 * pi * periods
    # half of the envelope is left at one decay of these
    half = window / (rng.uniform(1.7, 4.0) if mode == "damped" else rng.uniform(0.01, 0.5))
    half = max(half, 2.6 * pi if mode == "damped" else 8 * pi)
    shape = rng.choice([1, 2])
    chirp = rng.uniform(0.2, 0.35) if mode == "saturating drive" else 0.0
    beat = rng.uniform(1.0, 2.0) / window if mode == "two frequencies" else 0.0
    jump = rng.uniform(0.3, 0.7) * window if mode == "jump" else np.inf

    def measure(low: float, high: float, points: int, jump: float = np.inf) -> Measurement:
        x = np.linspace(low, high, points)
        turns = x / (2 * pi) * (1 - chirp * np.clip(x / window, 0, 1)) + 0.35 * (x > jump)
        wave = (np.cos(2 * np.pi * turns) + np.cos(2 * np.pi * (turns + beat * x))) / 2
        population = (1 - wave * 0.5 ** ((x / half) ** shape)) / 2 if mode != "no drive" else np.zeros(points)
        axis = {"length": (1e9 * x, "ns")} if in_time else {"amplitude": (x, "V")}
        return read_out(population, axis, snr, rng, family="rabi", name="Rabi", target="q0")

    def again(ranges: tuple[Range, ...]) -> Measurement:
        (one,) = ranges
        return measure(one.low, one.high, one.points)

    truth = {"pi": pi} if mode in ("good", "damped", "range too narrow") else {}
    # a shorter sweep does not help a drive that saturates or a second frequency
    return Draw(
        measure(0.0, window, points, jump),
        truth,
        None if mode in ("no drive", "two frequencies", "saturating drive") else again,
    )


SIMULATOR = Simulator(_MODES, draw)
