"""Rydberg Ramsey fringes at clusters of delays: good ones, clusters that are too short, and too coarse."""

from __future__ import annotations

import numpy as np

from cascade_calibration.analysis.verdict import Range
from cascade_calibration.measurement import Measurement
from cascade_calibration.simulation.draw import Draw, Simulator
from cascade_calibration.simulation.readout import log_uniform, read_out

_MODES = {"good": "SUCCESS", "clusters too short": "UNDERSAMPLED", "clusters too coarse": "UNDERSAMPLED"}


def draw(mode: str, snr: float, rng: np.random.Generator) -> Draw:
    """Frequencies of 1 to 20 MHz, 4 to 7 clusters of 6 to 14 delays, with growing gaps of some periods.

    Half of the contrast decays; the signal to noise is that of this half.
    """
    frequency = log_uniform(rng, 1e6, 2e7)
    clusters, inside = int(rng.integers(4, 8)), int(rng.integers(6, 15))
    span = {
        "clusters too short": rng.uniform(0.12, 0.4),
        "clusters too coarse": (inside - 1) * rng.uniform(0.55, 0.9),
    }.get(mode, rng.uniform(0.9, min(2.0, 0.27 * (inside - 1)))) / frequency
    gaps = log_uniform(rng, 2, 6) * rng.uniform(1.2, 1.6) ** np.arange(clusters - 1) / frequency
    starts = np.concatenate([[0], np.cumsum(gaps + span)])
    delays = (starts[:, None] + np.linspace(0, span, inside)).ravel()
    t2 = delays[-1] / rng.uniform(0.3, 1.5)
    exponent = rng.choice([1.0, 2.0])
    phase = rng.uniform(0, 2 * np.pi)

    def measure(delays: np.ndarray) -> Measurement:
        fringe = np.cos(2 * np.pi * frequency * delays + phase) * np.exp(-((delays / t2) ** exponent))
        axes = {"time": (1e9 * delays, "ns")}
        return read_out(
            (1 + fringe) / 2, axes, 2 * snr, rng, family="rydberg_ramsey", name="Rydberg Ramsey", target="array"
        )

    def again(ranges: tuple[Range, ...]) -> Measurement:
        (one,) = ranges
        return measure(np.linspace(one.low, one.high, one.points))

    return Draw(measure(delays), {"frequency": frequency, "T2": t2}, again)


SIMULATOR = Simulator(_MODES, draw)
