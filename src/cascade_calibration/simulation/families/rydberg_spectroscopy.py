"""Rydberg spectroscopy: good lines, and contrast lost to detection, dephasing, weak light, or none at all."""

from __future__ import annotations

import numpy as np

from cascade_calibration.measurement import Measurement
from cascade_calibration.simulation.draw import Draw, Simulator
from cascade_calibration.simulation.readout import log_uniform

_MODES = {
    "good": "SUCCESS",
    "poor detection": "LOW_CONTRAST",
    "dephased": "LOW_CONTRAST",
    "weak light": "LOW_CONTRAST",
    "no light": "LOW_CONTRAST",
}
_AVERAGED = 41


def draw(mode: str, snr: float, rng: np.random.Generator) -> Draw:
    """Pulses of 0.2 to 5 us, of half a turn to four and a half, in 21 to 81 detunings.

    Signal to noise is one (the whole population) over the noise.
    """
    points = int(rng.integers(21, 82))
    t = log_uniform(rng, 2e-7, 5e-6)
    turns = (rng.integers(0, 5) + 0.5 + rng.uniform(-0.12, 0.12)) if mode != "weak light" else rng.uniform(0.05, 0.2)
    f_rabi = turns / t
    fringes = rng.uniform(3.0, max(4.0, 0.16 * points))
    window = max(fringes / t, 2.5 * f_rabi)
    if window * t > 0.2 * points:  # fewer turns than the sweep could show
        f_rabi = 0.5 / t if mode != "weak light" else f_rabi
        window = fringes / t
    f_0 = window * rng.uniform(-0.15, 0.15)
    full = rng.uniform(0.2, 0.45) if mode == "poor detection" else rng.uniform(0.8, 0.98)
    spread = (f_rabi + 1 / t) * rng.uniform(1.0, 2.0) if mode == "dephased" else 0.0
    top = rng.uniform(max(full, 0.85), 1.0) if full > 0.5 else rng.uniform(0.6, 0.95)
    detuning = np.linspace(-window / 2, window / 2, points)
    shifts = spread * np.linspace(-2.5, 2.5, _AVERAGED)
    weights = np.exp(-(np.linspace(-2.5, 2.5, _AVERAGED) ** 2) / 2)
    whole = np.sqrt(f_rabi**2 + (detuning[:, None] - f_0 - shifts) ** 2)
    transfer = ((f_rabi / whole) ** 2 * np.sin(np.pi * whole * t) ** 2) @ (weights / weights.sum())
    if mode == "no light":
        transfer = np.zeros(points)
    survival = top - full * transfer
    drift = 0.2 / snr * np.sin(np.pi * (np.linspace(0, rng.uniform(0.2, 1), points) + rng.uniform(0, 2)))
    values = survival + drift + rng.standard_normal(points) / snr
    if rng.random() < 0.25:
        values = values + (rng.random(points) < 0.02) * rng.uniform(-1, 1, points)
    measurement = Measurement.of(
        {"detuning": (detuning / 1e6, "MHz")},
        {"survival": (values, ""), "survival_error": (np.full(points, 1 / snr), "")},
        family="rydberg_spectroscopy",
        name="rydberg spectroscopy",
        target="site 0",
    )
    truth = {"f_0": f_0, "f_Rabi": f_rabi, "t": t, "contrast": float(np.ptp(survival))} if mode == "good" else {}
    return Draw(measurement, truth)


SIMULATOR = Simulator(_MODES, draw)
