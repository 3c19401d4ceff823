"""Trains of pi pulses: good, slightly and badly wrong, and without an excitation; with levels of both states."""

from __future__ import annotations

import numpy as np

from cascade_calibration.measurement import Measurement
from cascade_calibration.simulation.draw import Draw, Simulator
from cascade_calibration.simulation.readout import log_uniform

_MODES = {
    "good": "SUCCESS",
    "no error": "SUCCESS",
    "no excitation": "NO_EXCITATION",
    "drift": "MODERATE_ERROR",
    "oscillation": "MODERATE_ERROR",
    "many turns": "LARGE_ERROR",
}


def draw(mode: str, snr: float, rng: np.random.Generator) -> Draw:
    """Trains of up to 20 to 200 pulses, in steps of 1, 2 or 4, 21 to 61 points; errors of either sign."""
    step = int(rng.choice([1, 2, 4]))
    points = int(rng.integers(21, 62))
    pulses = step * np.arange(points, dtype=np.float64)
    turn = {
        "good": rng.uniform(0.02, 0.2),
        "no error": 0.0,
        "no excitation": 0.0,
        "drift": rng.uniform(0.6, np.pi / 2),
        "oscillation": rng.uniform(np.pi / 2, 2.4 * np.pi),
        "many turns": 2 * np.pi * rng.uniform(2.0, max(2.5, min(0.3 * points, 8.0))),
    }[mode]
    error = rng.choice([-1, 1]) * turn / pulses[-1]
    decay = rng.uniform(0, 0.6) / pulses[-1]
    sign = np.where(pulses % 2 == 1, -1.0, 1.0) if step == 1 else 1.0
    z = sign * np.sin(error * pulses) * np.exp(-decay * pulses) if mode != "no excitation" else -np.ones(points)
    contrast = log_uniform(rng, 1e-4, 1.0) * rng.choice([-1, 1])
    offset = abs(contrast) * rng.normal(0, 5)
    noise = abs(contrast) / snr
    count = int(rng.integers(4, 41))
    levels = offset + contrast * np.array([-0.5, 0.5]) + noise / np.sqrt(count) * rng.standard_normal(2)
    drift = 0.2 * noise * np.sin(np.pi * (np.linspace(0, rng.uniform(0.2, 1), points) + rng.uniform(0, 2)))
    signal = offset + contrast * z / 2 + drift + noise * rng.standard_normal(points)
    if rng.random() < 0.25:
        signal = signal + (rng.random(points) < 0.02) * contrast * rng.uniform(-8, 8, points)
    measurement = Measurement.of(
        {"pulses": (pulses, "")},
        {"signal": (signal, "V")},
        ground=float(levels[0]),
        excited=float(levels[1]),
        level_points=count,
        family="pingpong",
        name="pingpong",
        target="q0",
    )
    # the amplitude is to change, which no other range does
    return Draw(measurement, {"error per pulse": float(error)} if mode != "no excitation" else {})


SIMULATOR = Simulator(_MODES, draw)
