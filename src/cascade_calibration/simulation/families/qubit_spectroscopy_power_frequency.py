"""Qubit spectroscopy against frequency and amplitude: well driven, driven too hard, and without a line."""

from __future__ import annotations

import numpy as np

from cascade_calibration.analysis.verdict import Range
from cascade_calibration.measurement import Measurement
from cascade_calibration.simulation.draw import Draw, Simulator
from cascade_calibration.simulation.physics import driven_line
from cascade_calibration.simulation.readout import log_uniform, read_out

_MODES = {
    "low to high drive": "SUCCESS",
    "low drive": "SUCCESS",
    "drive too high": "AMP_TOO_HIGH",
    "drive too high, two-photon line": "AMP_TOO_HIGH",
    "qubit elsewhere": "NO_SIGNAL",
    "no drive": "NO_SIGNAL",
}


def draw(mode: str, snr: float, rng: np.random.Generator) -> Draw:
    """Lines of 3 to 8 GHz that are 50 kHz to 5 MHz wide without power; 11 to 41 amplitudes, 41 to 151 frequencies.

    Signal to noise is the height of the highest line over the noise.
    """
    f_01 = rng.uniform(3e9, 8e9)
    width = log_uniform(rng, 5e4, 5e6)
    rows, points = int(rng.integers(11, 42)), int(rng.integers(41, 152))
    largest = log_uniform(rng, 0.01, 1.0)
    if mode.startswith("drive too high"):
        least, most = (one := rng.uniform(8, 40)), one * rng.uniform(3, 12)
    elif mode == "low drive":
        least, most = (one := log_uniform(rng, 0.02, 0.1)), one * rng.uniform(4, 15)
    else:
        least, most = log_uniform(rng, 0.05, 0.6), log_uniform(rng, 4, 40)
    saturating = largest / np.sqrt(most)
    widest = width * np.sqrt(1 + most)
    window = widest * rng.uniform(4, 8)
    window = min(max(window, width * 6), width * points / 2.5 if least < 3 else np.inf)
    middle = f_01 + window * rng.uniform(-0.3, 0.3)
    if mode == "qubit elsewhere":
        middle = f_01 + window * (rng.uniform(0.75, 1.2) + widest / window) * rng.choice([-1, 1])
    shift = width * rng.uniform(-0.3, 0.3) / most
    other = 0.0 if mode != "drive too high, two-photon line" else rng.uniform(0.2, 0.5)
    full = most / (1 + most)
    first = largest * np.sqrt(least / most)

    def measure(low: float, high: float, rows: int, start: float, stop: float, points: int) -> Measurement:
        f, amplitude = np.linspace(start, stop, points), np.linspace(low, high, rows)
        s = ((amplitude / saturating) ** 2)[:, None]
        line = driven_line(f, f_01 + shift * s, width, s) / full
        if other:
            place = f_01 + window * (0.35 if middle > f_01 else -0.35)
            line = line + other * (s / most) / (1 + (2 * (f - place) / (0.5 * width * np.sqrt(1 + s))) ** 2)
        if mode == "no drive":
            line = 0 * line
        axes = {"amplitude": (amplitude, "V"), "frequency": (f / 1e9, "GHz")}
        name = "qubit_spectroscopy_power_frequency"
        return read_out(line, axes, snr, rng, family=name, name="qubit power", target="q0")

    def again(ranges: tuple[Range, ...]) -> Measurement:
        new = {one.axis: one for one in ranges}
        a, f = new.get("amplitude"), new.get("frequency")
        return measure(
            *((a.low, a.high, a.points) if a else (first, largest, rows)),
            *((f.low, f.high, f.points) if f else (middle - window / 2, middle + window / 2, points)),
        )

    truth = {"f_01": f_01, "linewidth": width} if mode in ("low to high drive", "low drive") else {}
    return Draw(again(()), truth, None if mode == "no drive" else again)


SIMULATOR = Simulator(_MODES, draw)
