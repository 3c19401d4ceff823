"""Pinch-off traces: whole, inverted, cut short, without a transition, and with offsets of the current."""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from cascade_calibration.analysis.verdict import Range
from cascade_calibration.measurement import Measurement
from cascade_calibration.simulation.absolute import disturbed
from cascade_calibration.simulation.draw import Draw, Simulator
from cascade_calibration.simulation.readout import log_uniform

_MODES = {
    "good": "SUCCESS",
    "good, plateau with a slope": "SUCCESS",
    "inverted": "INVERTED",
    "cut short": "INCOMPLETE",
    "flat": "NO_TRANSITION",
    "telegraph noise": "NO_TRANSITION",
    "negative offset": "NEGATIVE_OFFSET",
    "positive offset": "POSITIVE_OFFSET",
}


def draw(mode: str, snr: float, rng: np.random.Generator) -> Draw:
    """Currents of 1 pA to 1 uA, sweeps of 50 mV to 5 V in either direction, 31 to 101 points."""
    current, window = log_uniform(rng, 1e-12, 1e-6), log_uniform(rng, 0.05, 5.0)
    start, way = window * rng.normal(0, 1), rng.choice([-1, 1])
    points = int(rng.integers(31, 102))
    place, width = rng.uniform(0.25, 0.65), log_uniform(rng, 0.01, 0.06)
    if mode == "cut short":
        place = 1 - width * rng.uniform(-0.5, 1.3)
    rest = {"negative offset": -rng.uniform(0.3, 1.0), "positive offset": rng.uniform(0.3, 1.5)}.get(
        mode, rng.uniform(-0.03, 0.05)
    )
    slope = rng.uniform(0.2, 0.6) if mode == "good, plateau with a slope" else 0.0
    jumps = rng.random(4) * 1.0

    def measure(low: float, high: float, points: int) -> Measurement:
        voltage = np.linspace(low, high, points)
        at = (voltage - start) / (way * window)
        shape = expit((place - at) / width)
        step = shape * (1 + slope * np.maximum(place - at, 0))
        if mode == "inverted":
            step = 1 - shape
        if mode == "flat":
            step = np.ones(points)
        if mode == "telegraph noise":
            step = 1 - 0.12 * (np.searchsorted(np.sort(jumps), at) % 2)
        signal = disturbed(current * (step + rest), current, snr, rng)
        return Measurement.of({"gate": (voltage, "V")}, {"current": (signal, "A")}, family="pinchoff", name="pinch-off")

    def again(ranges: tuple[Range, ...]) -> Measurement:
        (one,) = ranges
        low, high = (one.low, one.high) if way > 0 else (one.high, one.low)
        return measure(low, high, one.points)

    whole = mode not in ("flat", "telegraph noise", "cut short")
    truth = {"transition": start + way * place * window, "width": width * window, "residual": current * rest}
    if mode == "good, plateau with a slope":  # which changes what the width is
        truth = {"residual": current * rest}
    return Draw(
        measure(start, start + way * window, points),
        truth if whole and mode != "inverted" else {},
        again if mode == "cut short" else None,
    )


SIMULATOR = Simulator(_MODES, draw)
