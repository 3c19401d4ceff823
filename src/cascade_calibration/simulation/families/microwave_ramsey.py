"""Microwave Ramsey fringes of atoms: good ones, with losses, dephased, and with pulses that are off."""

from __future__ import annotations

import numpy as np

from cascade_calibration.measurement import Measurement
from cascade_calibration.simulation.draw import Draw, Simulator
from cascade_calibration.simulation.readout import log_uniform

_MODES = {
    "good": "SUCCESS",
    "atoms lost": "LOW_CONTRAST",
    "dephased": "LOW_CONTRAST",
    "pulses detuned": "DETUNED",
}


def draw(mode: str, snr: float, rng: np.random.Generator) -> Draw:
    """Fringes 10 Hz to 100 kHz apart, 1.5 to 10 of them in 12 to 200 frequencies around the nominal one.

    Shares of atoms are absolute, so the readout has no scale of its own: an outlier is any share.
    """
    period = log_uniform(rng, 10, 1e5)
    points = round(log_uniform(rng, 12, 200))
    window = period * rng.uniform(1.5, min(10.0, 0.25 * (points - 1)))
    place = period * rng.uniform(-0.35, 0.35)
    kept = rng.uniform(0.15, 0.5) if mode == "atoms lost" else rng.uniform(0.9, 1.0)
    coherence = rng.uniform(0.05, 0.45) if mode == "dephased" else rng.uniform(0.85, 1.0)
    # two pulses transfer 4 p (1 - p) of the atoms, if each alone transfers p
    transfer = rng.uniform(0.2, 0.55) if mode == "pulses detuned" else 1.0
    x = np.linspace(-window / 2, window / 2, points)
    share = kept * (1 - transfer * (1 + coherence * np.cos(2 * np.pi * (x - place) / period)) / 2)
    noise = 1 / snr
    drift = 0.2 * noise * np.sin(np.pi * (np.linspace(0, rng.uniform(0.2, 1), points) + rng.uniform(0, 2)))
    values = share + drift + noise * rng.standard_normal(points)
    if rng.random() < 0.25:
        values = np.where(rng.random(points) < 0.02, rng.random(points), values)
    measurement = Measurement.of(
        {"detuning": (1e-3 * x, "kHz")}, {"retention": (values, "")}, family="microwave_ramsey", name="Microwave Ramsey"
    )
    size = kept * transfer * coherence
    truth = {"contrast": size, "minimum": kept * (1 - transfer * (1 + coherence) / 2), "detuning": -place}
    return Draw(measurement, truth)


SIMULATOR = Simulator(_MODES, draw)
