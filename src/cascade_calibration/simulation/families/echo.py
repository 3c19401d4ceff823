"""Echo measurements: good ones, without a signal, with delays that do not suit, and echoes that oscillate."""

from __future__ import annotations

import numpy as np

from cascade_calibration.analysis.verdict import Range
from cascade_calibration.measurement import Measurement
from cascade_calibration.simulation.draw import Draw, Simulator
from cascade_calibration.simulation.physics import decay
from cascade_calibration.simulation.readout import log_uniform, read_out

_MODES = {
    "good": "SUCCESS",
    "no coherence": "NO_SIGNAL",
    "window too short": "WINDOW_TOO_SHORT",
    "sampling too coarse": "SAMPLING_TOO_COARSE",
    "detuned": "OSCILLATING",
    "modulated": "OSCILLATING",
}


def draw(mode: str, snr: float, rng: np.random.Generator) -> Draw:
    """T2 of 1 us to 1 ms, exponential or Gaussian, 31 to 101 delays from zero.

    Half of the contrast decays; the signal to noise is that of this half.
    """
    t2 = log_uniform(rng, 1e-6, 1e-3)
    points = int(rng.integers(31, 102))
    exponent = rng.choice([1.0, 2.0], p=[0.7, 0.3])
    oscillating = mode in ("detuned", "modulated")
    window = t2 * {
        "window too short": log_uniform(rng, 0.6, 1.4),
        "sampling too coarse": (points - 1) * log_uniform(rng, 1.2, 2.2),
    }.get(mode, log_uniform(rng, 3, min(5.0 if oscillating else 12.0, 0.4 * (points - 1))))
    # periods in a decay time, with four points and more in each
    rate = log_uniform(rng, 1.5, max(1.6, 0.25 * (points - 1) * t2 / window)) / t2
    depth = {"detuned": 1.0, "modulated": rng.uniform(0.5, 0.9)}.get(mode, 0.0)

    def measure(low: float, high: float, points: int) -> Measurement:
        delays = np.linspace(low, high, points)
        coherence = decay(delays, t2, exponent) * (1 - depth + depth * np.cos(2 * np.pi * rate * delays))
        population = (1 - (mode != "no coherence") * coherence) / 2
        return read_out(
            population, {"delay": (1e6 * delays, "us")}, 2 * snr, rng, family="echo", name="Echo", target="q0"
        )

    def again(ranges: tuple[Range, ...]) -> Measurement:
        (one,) = ranges
        return measure(one.low, one.high, one.points)

    truth = {} if mode == "no coherence" or oscillating else {"T2": t2}
    return Draw(measure(0.0, window, points), truth, None if mode == "no coherence" or oscillating else again)


SIMULATOR = Simulator(_MODES, draw)
