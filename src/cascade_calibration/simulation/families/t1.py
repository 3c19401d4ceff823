"""T1 measurements: good ones, without a signal, with delays that end too early or lie too far apart."""

from __future__ import annotations

import numpy as np

from cascade_calibration.analysis.verdict import Range
from cascade_calibration.measurement import Measurement
from cascade_calibration.simulation.draw import Draw, Simulator
from cascade_calibration.simulation.physics import decay
from cascade_calibration.simulation.readout import log_uniform, read_out

_MODES = {
    "good": "SUCCESS",
    "not excited": "NO_SIGNAL",
    "window too short": "WINDOW_TOO_SHORT",
    "sampling too coarse": "SAMPLING_TOO_COARSE",
}


def draw(mode: str, snr: float, rng: np.random.Generator) -> Draw:
    """Decay times of 1 us to 1 ms, 31 to 101 delays from zero."""
    t1 = log_uniform(rng, 1e-6, 1e-3)
    points = int(rng.integers(31, 102))
    window = (
        t1
        * {
            "good": log_uniform(rng, 3, min(12, 0.4 * (points - 1))),
            "not excited": log_uniform(rng, 1, 10),
            "window too short": log_uniform(rng, 0.6, 1.4),
            "sampling too coarse": (points - 1) * log_uniform(rng, 1.0, 2.5),
        }[mode]
    )
    excited = 0.0 if mode == "not excited" else 1.0

    def measure(low: float, high: float, points: int) -> Measurement:
        delays = np.linspace(low, high, points)
        population = excited * decay(delays, t1)
        return read_out(population, {"delay": (1e6 * delays, "us")}, snr, rng, family="t1", name="T1", target="q0")

    def again(ranges: tuple[Range, ...]) -> Measurement:
        (one,) = ranges
        return measure(one.low, one.high, one.points)

    truth = {} if mode == "not excited" else {"T1": t1}
    return Draw(measure(0.0, window, points), truth, None if mode == "not excited" else again)


SIMULATOR = Simulator(_MODES, draw)
