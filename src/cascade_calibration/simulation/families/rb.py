"""Randomized benchmarking: good, without a signal, with sequences that are too short or too long."""

from __future__ import annotations

import numpy as np

from cascade_calibration.analysis.verdict import Range
from cascade_calibration.measurement import Measurement
from cascade_calibration.simulation.draw import Draw, Simulator
from cascade_calibration.simulation.readout import log_uniform, read_out

_MODES = {"good": "SUCCESS", "dead": "NO_SIGNAL", "too short": "TOO_SHORT", "too long": "TOO_LONG"}


def draw(mode: str, snr: float, rng: np.random.Generator) -> Draw:
    """Errors per Clifford of 1e-5 to 3e-2, 15 to 50 lengths from one, spaced evenly or geometrically.

    Each length has one point, an average, or several, a point for each sequence.

    Half of the contrast decays; the signal to noise is that of this half.
    """
    error = log_uniform(rng, 3e-4 if mode == "too long" else 1e-5, 3e-2)
    f = 1 - 2 * error
    decay = -1 / np.log(f)
    points = int(rng.integers(15, 51))
    longest = decay * {
        "too short": log_uniform(rng, 0.6, 1.3),
        "too long": (points - 1) * log_uniform(rng, 1.0, 2.5),
    }.get(mode, log_uniform(rng, 3.0, min(12.0, 0.4 * (points - 1))))
    sequences = 1 if rng.random() < 0.5 else int(rng.integers(3, 13))
    even = mode == "too long" or rng.random() < 0.5

    def measure(lengths: np.ndarray) -> Measurement:
        lengths = np.repeat(np.unique(np.round(lengths)), sequences)
        population = 0.5 - 0.5 * (mode != "dead") * f**lengths
        return read_out(population, {"length": (lengths, "")}, 2 * snr, rng, family="rb", name="RB", target="q0")

    def again(ranges: tuple[Range, ...]) -> Measurement:
        (one,) = ranges
        return measure(np.linspace(one.low, one.high, one.points))

    longest = max(longest, 8.0)
    lengths = np.linspace(1, longest, points) if even else np.geomspace(1, longest, points)
    truth = {} if mode == "dead" else {"f": f, "error per Clifford": error}
    return Draw(measure(lengths), truth, None if mode == "dead" else again)


SIMULATOR = Simulator(_MODES, draw)
