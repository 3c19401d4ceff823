"""Qubit spectroscopy: one line, saturated or of a short pulse; several lines; none, for two reasons."""

from __future__ import annotations

import numpy as np

from cascade_calibration.analysis.verdict import Range
from cascade_calibration.measurement import Measurement
from cascade_calibration.simulation.draw import Draw, Simulator
from cascade_calibration.simulation.physics import lorentzian
from cascade_calibration.simulation.readout import log_uniform, read_out

_MODES = {
    "saturated": "SUCCESS",
    "pulsed": "SUCCESS",
    "two-photon line too": "MULTIPLE_PEAKS",
    "other qubits too": "MULTIPLE_PEAKS",
    "qubit elsewhere": "NO_SIGNAL",
    "no drive": "NO_SIGNAL",
}


def draw(mode: str, snr: float, rng: np.random.Generator) -> Draw:
    """Lines of 3 to 8 GHz, 50 kHz to 30 MHz wide, in 61 to 401 points.

    Signal to noise is the height of the highest line over the noise.
    """
    f_01 = rng.uniform(3e9, 8e9)
    width = log_uniform(rng, 5e4, 3e7)
    points = int(rng.integers(61, 402))
    several = mode in ("two-photon line too", "other qubits too")
    window = width * (log_uniform(rng, 12, max(13, points / 6)) if several else log_uniform(rng, 5, points / 3))
    middle = f_01 + window * rng.uniform(-0.4, 0.4)
    lines = [(f_01, width, 1.0)]
    if mode == "qubit elsewhere":
        middle = f_01 + window * rng.uniform(0.8, 1.3) * rng.choice([-1, 1])
    elif mode == "no drive":
        lines = []
    elif mode == "two-photon line too":  # half the anharmonicity below, narrower
        f_02 = f_01 - window * rng.uniform(0.25, 0.5)
        middle = (f_01 + f_02) / 2 + window * rng.uniform(-0.2, 0.2)
        lines.append((f_02, width * rng.uniform(0.7, 1), rng.uniform(0.6, 1)))
    elif mode == "other qubits too":
        for _ in range(int(rng.integers(1, 3))):
            side = 1 if f_01 < middle else -1
            place = f_01 + side * window * rng.uniform(0.3, 0.5)
            lines.append((place, width * rng.uniform(0.7, 1.6), rng.uniform(0.6, 1)))

    def shape(x: np.ndarray) -> np.ndarray:
        """Against the distance in half widths."""
        return np.exp(-np.log(2) * x**2) if mode == "pulsed" else lorentzian(x)

    def measure(low: float, high: float, points: int) -> Measurement:
        f = np.linspace(low, high, points)
        population = np.zeros(points)
        for centre, wide, height in lines:
            population = population + height * shape(2 * (f - centre) / wide)
        unit = rng.choice(["Hz", "MHz", "GHz"])
        axis = {"frequency": (f / {"Hz": 1, "MHz": 1e6, "GHz": 1e9}[unit], str(unit))}
        return read_out(population, axis, snr, rng, family="qubit_spectroscopy", name="spectroscopy", target="q0")

    def again(ranges: tuple[Range, ...]) -> Measurement:
        (one,) = ranges
        return measure(one.low, one.high, one.points)

    truth = {"f_01": f_01, "linewidth": width} if mode in ("saturated", "pulsed") else {}
    measurement = measure(middle - window / 2, middle + window / 2, points)
    return Draw(measurement, truth, again if mode == "qubit elsewhere" else None)


SIMULATOR = Simulator(_MODES, draw)
