"""Resonator spectroscopy: hanger, reflection, transmission, complex and in magnitude; and sweeps of nothing."""

from __future__ import annotations

import numpy as np

from cascade_calibration.analysis.verdict import Range
from cascade_calibration.measurement import Measurement
from cascade_calibration.simulation.draw import Draw, Simulator
from cascade_calibration.simulation.physics import resonance
from cascade_calibration.simulation.readout import log_uniform

_MODES = {
    "notch": "SUCCESS",
    "notch in magnitude": "SUCCESS",
    "reflection": "SUCCESS",
    "transmission": "SUCCESS",
    "two resonators": "SUCCESS",
    "resonator elsewhere": "NO_SIGNAL",
    "dead line": "NO_SIGNAL",
}


def draw(mode: str, snr: float, rng: np.random.Generator) -> Draw:
    """Resonators of 3 to 10 GHz with loaded quality factors of 300 to 100,000, in 101 to 801 points.

    Signal to noise is the diameter of the resonance's circle, or the depth of the dip, over a quadrature's noise.
    """
    f_r = rng.uniform(3e9, 10e9)
    q_l = log_uniform(rng, 300, 1e5)
    width = f_r / q_l
    points = int(rng.integers(101, 802))
    window = width * log_uniform(rng, 4, min(60, points / 3))
    middle = f_r + window * rng.uniform(-0.3, 0.3)
    if mode == "resonator elsewhere":
        middle = f_r + window * rng.uniform(0.75, 1.3) * rng.choice([-1, 1])
    coupled = rng.uniform(0.15, 0.95)  # Q_l / Q_c
    lean = np.tan(rng.uniform(-0.6, 0.6)) if mode != "reflection" else np.tan(rng.uniform(-0.2, 0.2))
    circle = (2 if mode == "reflection" else 1) * coupled * (1 + 1j * lean)
    if mode == "transmission":  # little besides what goes through the resonator
        circle = np.exp(2j * np.pi * rng.random())
    if mode == "dead line":
        circle = 0.0
    leak = rng.uniform(0, 0.15) * np.exp(2j * np.pi * rng.random()) if mode == "transmission" else 1.0
    delay = rng.uniform(0, 60e-9)
    gain = log_uniform(rng, 1e-5, 1.0) * np.exp(2j * np.pi * rng.random())
    slope = rng.normal(0, 0.05) + 1j * rng.normal(0, 0.05)
    ripple, turns, at = rng.uniform(0, 0.03), rng.uniform(0.1, 0.4), rng.uniform(0, 2 * np.pi)
    mirrored = rng.random() < 0.3
    magnitude = mode in ("notch in magnitude", "two resonators", "transmission") and rng.random() < (
        1.0 if mode == "notch in magnitude" else 0.5
    )
    magnitude |= mode in ("resonator elsewhere", "dead line") and rng.random() < 0.4
    second = f_r + (middle - f_r) * 2 + width * 3 * np.sign(middle - f_r) if mode == "two resonators" else None
    depth = abs(circle) if circle else 0.7
    if magnitude and mode != "transmission" and circle:
        depth = min(depth, max(abs(1 - abs(1 - circle)), 0.1))
    noise = depth / snr * abs(gain)

    def measure(low: float, high: float, points: int) -> Measurement:
        f = np.linspace(low, high, points)
        place = 2 * (f - middle) / window
        response = leak - circle * resonance(f, f_r, width)
        if second is not None:
            response = response - 0.8 * circle * resonance(f, second, width)
        background = (
            gain
            * (1 + slope * place + ripple * np.exp(1j * (np.pi * turns * place + at)))
            * np.exp(-2j * np.pi * f * delay)
        )
        drift = 1 + 0.2 * depth / snr * np.sin(
            np.pi * (np.linspace(0, rng.uniform(0.2, 1), points) + rng.uniform(0, 2))
        )
        values = response * background * drift
        values = values + noise * (rng.standard_normal(points) + 1j * rng.standard_normal(points))
        if rng.random() < 0.25:
            far = rng.random(points) < 0.02
            values = values + far * abs(gain) * rng.uniform(1, 8, points) * np.exp(2j * np.pi * rng.random(points))
        if mirrored:
            values = np.conj(values)
        attributes = {"geometry": "reflection"} if mode == "reflection" else {}
        data = (np.abs(values), "V") if magnitude else (values, "V")
        return Measurement.of(
            {"frequency": (f, "Hz")}, {"signal": data}, family="res_spec", name="resonator", target="r0", **attributes
        )

    def again(ranges: tuple[Range, ...]) -> Measurement:
        (one,) = ranges
        return measure(one.low, one.high, one.points)

    truth = {}
    if mode in ("notch", "notch in magnitude", "reflection", "transmission"):
        truth = {"f_r": f_r, "Q_l": q_l}
        if mode != "transmission":
            truth |= {"Q_c": q_l / coupled, "Q_i": q_l / (1 - coupled)}
    return Draw(
        measure(middle - window / 2, middle + window / 2, points),
        truth,
        again if mode == "resonator elsewhere" else None,
    )


SIMULATOR = Simulator(_MODES, draw)
