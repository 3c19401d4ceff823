"""Readout clouds: good, without a tone, a response or an excitation, and at too much power."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cascade_calibration.analysis.clouds import assignment_fidelity
from cascade_calibration.measurement import Measurement
from cascade_calibration.simulation.draw import Draw, Simulator
from cascade_calibration.simulation.physics import single_shots
from cascade_calibration.simulation.readout import log_uniform

_MODES = {
    "good": "SUCCESS",
    "no tone": "NO_SIGNAL",
    "not excited": "NO_EXCITATION",
    "high power, fragments": "HIGH_POWER",
    "high power, long clouds": "HIGH_POWER",
    "no response": "NO_RES_RESPONSE",
}


def draw(mode: str, snr: float, rng: np.random.Generator) -> Draw:
    """500 to 4000 shots of each state; signal to noise is the distance of the clouds over the noise of one shot."""
    noise = log_uniform(rng, 1e-6, 1e-1)
    count = int(rng.integers(500, 4001))
    turn, gap = np.exp(2j * np.pi * rng.random(2))
    thermal, missed, decays = rng.uniform(0.002, 0.08), rng.uniform(0, 0.08), rng.uniform(0, 0.15)
    populations = np.array([thermal, 1 - missed])
    if mode == "not excited":
        populations = np.full(2, rng.uniform(0.05, 0.3))
    centre = noise * turn * (rng.uniform(0, 0.3) if mode == "no tone" else rng.uniform(3, 30))
    apart = 0.0 if mode in ("no tone", "no response") else snr
    stretch = rng.uniform(1.8, 4.0) if mode == "high power, long clouds" else 1.0
    lobe, share = rng.uniform(4.0, 7.0) * np.exp(2j * np.pi * rng.random()), rng.uniform(0.25, 0.6)
    direction = np.exp(1j * np.pi * rng.random())

    def prepare(population: float) -> NDArray[np.complex128]:
        excited = rng.random(count) < population
        cloud = single_shots(excited, decays, apart * gap, rng)
        if mode == "high power, fragments":
            cloud = cloud + lobe * (~excited & (rng.random(count) < share))
        blur = stretch * rng.standard_normal(count) + 1j * rng.standard_normal(count)
        shots = centre + noise * (cloud + direction * blur)
        if far:
            shots = shots + (rng.random(count) < 0.005) * noise * snr * rng.uniform(-8, 8, count)
        return shots

    far = rng.random() < 0.25
    ground, excited = (prepare(float(one)) for one in populations)
    attributes = {"family": "gmm", "name": "readout clouds", "target": "q0"}
    if rng.random() < 0.5:
        states = {"state": (np.array([0.0, 1.0]), "")}
        measurement = Measurement.of(states, {"iq": (np.stack([ground, excited]), "V")}, **attributes)
    else:
        measurement = Measurement.of({}, {"ground": (ground, "V"), "excited": (excited, "V")}, **attributes)
    truth = {}
    if mode in ("good", "not excited"):
        parts = np.stack([1 - populations, populations * (1 - decays), populations * decays], axis=1)
        fidelity = assignment_fidelity(np.array([snr]), np.ones(1), parts[None])
        truth = {"separation": snr * noise, "noise": noise, "assignment fidelity": float(fidelity[0])}
    # power, frequency or the drive are to change, which no other range does
    return Draw(measurement, truth)


SIMULATOR = Simulator(_MODES, draw)
