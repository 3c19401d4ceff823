"""Ramsey fringes: what the families that calibrate a frequency and that measure T2* share."""

from __future__ import annotations

import numpy as np

from cascade_calibration.analysis.verdict import Range
from cascade_calibration.measurement import Measurement
from cascade_calibration.simulation.draw import Draw
from cascade_calibration.simulation.readout import log_uniform, read_out

MODES = {
    "good": "SUCCESS",
    "flat": "NO_DETUNING",
    "on resonance": "NO_DETUNING",
    "two frequencies": "BEATING",
    "too many periods": "TOO_MANY_OSC",
    "too few periods": "TOO_FEW_OSC",
    "window too short": "WINDOW_TOO_SHORT",
    "sampling too coarse": "SAMPLING_TOO_COARSE",
}


def draw(
    mode: str, snr: float, rng: np.random.Generator, family: str, good: tuple[float, float], short: tuple[float, float]
) -> Draw:
    """T2* of 300 ns to 300 us, exponential or Gaussian, 81 to 241 delays from zero, fringes of any phase.

    Half of the contrast decays; the signal to noise is that of this half.

    Parameters
    ----------
    good, short
        Decay times in a window that is long enough, and in one that is not.
    """
    t2 = log_uniform(rng, 3e-7, 3e-4)
    exponent = rng.choice([1.0, 2.0])
    points = int(rng.integers(81, 242))
    span = log_uniform(rng, *(short if mode == "window too short" else good))
    between = mode == "sampling too coarse" and rng.random() < 0.4
    if between:  # the fringes are gone after two points
        span = (points - 1) * log_uniform(rng, 0.8, 1.4)
    visible = min(span, 2.0)
    if mode == "too few periods":
        rate = rng.uniform(0.8, 1.7) / visible
    elif mode == "too many periods":
        rate = (points - 1) / rng.uniform(2.8, 3.7) / span
    elif between:
        rate = log_uniform(rng, 2.0, 10.0)
    elif mode == "sampling too coarse":
        rate = (points - 1) / rng.uniform(1.7, 2.3) / span
    elif mode == "window too short":  # no faster than a longer window can show with a few hundred points
        rate = log_uniform(rng, 3.5 / visible, max(3.7 / visible, 20.0))
    else:
        rate = log_uniform(rng, 3.5 / visible, 0.2 * (points - 1) / span)
    rate *= mode != "on resonance"
    # the second frequency is lower
    split = (
        log_uniform(rng, 1.2, max(1.3, min(8.0, 0.8 * rate * visible))) / visible if mode == "two frequencies" else 0.0
    )
    share = rng.uniform(0.35, 0.5) if mode == "two frequencies" else 0.0
    phase = rng.uniform(0, 2 * np.pi) if rng.random() < 0.5 else 0.0
    if mode == "on resonance":
        phase = 0.0

    def measure(low: float, high: float, points: int) -> Measurement:
        delays = np.linspace(low, high, points)
        at = delays / t2
        wave = (1 - share) * np.cos(2 * np.pi * rate * at + phase)
        wave += share * np.cos(2 * np.pi * (rate - split) * at + phase)
        population = (1 + (mode != "flat") * wave * np.exp(-(at**exponent))) / 2
        axes = {"delay": (1e6 * delays, "us")}
        return read_out(population, axes, 2 * snr, rng, family=family, name="Ramsey", target="q0")

    def again(ranges: tuple[Range, ...]) -> Measurement:
        (one,) = ranges
        return measure(one.low, one.high, one.points)

    # where the fringes end with the decay, only another detuning shows more of them
    curable = mode not in ("flat", "on resonance", "two frequencies") and 2 * rate >= 3.5
    truth = {"detuning": rate / t2, "T2*": t2}
    if mode == "two frequencies":
        truth = {"beat": split / t2}
    elif mode in ("flat", "on resonance"):
        truth = {}
    return Draw(measure(0.0, span * t2, points), truth, again if curable else None)
