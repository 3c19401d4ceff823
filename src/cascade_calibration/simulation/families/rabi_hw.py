"""Rabi measurements in amplitude: on and off resonance, too narrow, and distorted."""

from __future__ import annotations

import numpy as np

from cascade_calibration.analysis.verdict import Range
from cascade_calibration.measurement import Measurement
from cascade_calibration.simulation.draw import Draw, Simulator
from cascade_calibration.simulation.physics import flopping
from cascade_calibration.simulation.readout import log_uniform, read_out

_MODES = {
    "good": "SUCCESS",
    "saturating drive": "FIT_POOR",
    "two frequencies": "FIT_POOR",
    "jump": "FIT_POOR",
    "off resonance": "OFF_RESONANCE",
    "range too narrow": "RANGE_TOO_NARROW",
}


def draw(mode: str, snr: float, rng: np.random.Generator) -> Draw:
    """Pi pulses of 10 mV to 1 V, 31 to 101 points from zero; detunings of up to 0.9 turns in a pulse."""
    pi, points = log_uniform(rng, 0.01, 1.0), int(rng.integers(31, 102))
    most = 0.2 * (points - 1)
    if mode == "range too narrow":
        periods = rng.uniform(0.35, 0.8)
    elif mode in ("saturating drive", "two frequencies", "jump"):
        periods = log_uniform(rng, 2.5, most)
    else:
        periods = log_uniform(rng, 1.3, min(most, 8.0))
    detuning = rng.uniform(0.3, 0.9) if mode == "off resonance" else rng.uniform(0, 0.05)
    window = 2 * pi * periods
    chirp = rng.uniform(0.2, 0.35) if mode == "saturating drive" else 0.0
    beat = rng.uniform(1.0, 2.0) / window if mode == "two frequencies" else 0.0
    jump = rng.uniform(0.3, 0.7) * window if mode == "jump" else np.inf
    fades = 0.5 / window * rng.uniform(0.05, 1.0)

    def measure(low: float, high: float, points: int, jump: float = np.inf) -> Measurement:
        x = np.linspace(low, high, points)
        drive = x / (2 * pi) * (1 - chirp * np.clip(x / window, 0, 1)) + 0.35 * (x > jump)
        turns, size = flopping(drive, detuning)
        wave = (np.cos(2 * np.pi * turns) + np.cos(2 * np.pi * (turns + beat * x))) / 2
        population = size * (1 - wave * np.exp(-fades * x)) / 2
        axes = {"amplitude": (x, "V")}
        return read_out(population, axes, snr, rng, family="rabi_hw", name="Rabi, hardware", target="q0")

    def again(ranges: tuple[Range, ...]) -> Measurement:
        (one,) = ranges
        return measure(one.low, one.high, one.points)

    truth = {"pi": pi} if mode in ("good", "off resonance", "range too narrow") else {}
    if mode == "off resonance":
        truth |= {"detuning times pulse length": detuning}
    # other amplitudes do not help a drive that misses the qubit, saturates or has a second frequency
    return Draw(measure(0.0, window, points, jump), truth, again if mode in ("jump", "range too narrow") else None)


SIMULATOR = Simulator(_MODES, draw)
