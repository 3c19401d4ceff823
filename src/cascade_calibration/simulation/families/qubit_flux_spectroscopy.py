"""Qubit spectroscopy against flux: whole arcs, parts of them, crossings, jumps, unstable flux, fixed qubits, noise."""

from __future__ import annotations

import numpy as np

from cascade_calibration.analysis.families.qubit_flux_spectroscopy import arc
from cascade_calibration.analysis.verdict import Range
from cascade_calibration.measurement import Measurement
from cascade_calibration.simulation.draw import Draw, Simulator
from cascade_calibration.simulation.readout import log_uniform, read_out

_MODES = {
    "good": "SUCCESS",
    "crossing": "FIT_POOR",
    "flux jump": "FIT_POOR",
    "unstable flux": "FIT_FAILED",
    "no sweet spot": "RANGE_TOO_NARROW",
    "leaves the frequencies": "RANGE_TOO_NARROW",
    "no drive": "NO_SIGNAL",
    "fixed frequency": "NOT_TUNABLE",
}


def draw(mode: str, snr: float, rng: np.random.Generator) -> Draw:
    """Transmons of 4 to 7 GHz, with arcs of symmetric and asymmetric junctions; 21 to 61 fluxes, 51 to 151 frequencies.

    Signal to noise is the height of the line over the noise of a point.
    """
    columns, points = int(rng.integers(21, 62)), int(rng.integers(51, 152))
    f_max, charging = rng.uniform(4e9, 7e9), rng.uniform(0.15e9, 0.35e9)
    asymmetry, period = rng.uniform(0.05, 0.7), log_uniform(rng, 0.2, 5.0)
    sweet = rng.uniform(-1, 1) * period
    window = period * log_uniform(rng, 0.45, 1.3)
    middle = sweet + window * rng.uniform(-0.25, 0.25)
    if mode == "no sweet spot":
        window = period * rng.uniform(0.15, 0.25)
        middle = sweet + (window * rng.uniform(0.62, 0.8)) * rng.choice([-1, 1])
    low, high = middle - window / 2, middle + window / 2
    jump = rng.uniform(0.65, 0.78) if mode == "flux jump" else 1.0
    outward = 1 if middle + 0.35 * window > sweet else -1  # so that the arc looks different after it
    jump_by = period * rng.uniform(0.2, 0.35) * outward

    def frequency(flux: np.ndarray) -> np.ndarray:
        if mode == "fixed frequency":
            return np.full(len(flux), f_max)
        return (f_max + charging) * arc(flux, sweet, period, asymmetry) - charging

    swept = frequency(np.linspace(low, high, 201))
    bottom, top = float(swept.min()), float(swept.max())
    room = max(top - bottom, 1e7)
    if mode == "fixed frequency":
        room = log_uniform(rng, 2e7, 3e8)
    bottom, top = bottom - room * rng.uniform(0.1, 0.4), top + room * rng.uniform(0.1, 0.4)
    if mode == "leaves the frequencies":
        inside = np.quantile(swept, rng.uniform(0.6, 0.75))
        bottom = float(inside)
        top = float(swept.max()) + (float(swept.max()) - bottom) * rng.uniform(0.2, 0.5)
    width = (top - bottom) / (points - 1) * rng.uniform(2.5, max(3.0, points / 25))
    other, coupling = rng.uniform(0.35, 0.65), (top - bottom) * rng.uniform(0.06, 0.12)

    def measure(low: float, high: float, columns: int, start: float, stop: float, points: int) -> Measurement:
        flux, f = np.linspace(low, high, columns), np.linspace(start, stop, points)
        moved = flux + jump_by * (np.arange(columns) > jump * columns)
        if mode == "unstable flux":
            moved = moved + period * rng.uniform(-0.5, 0.5, columns)
        centre = frequency(moved)[:, None]
        line = 1 / (1 + (2 * (f - centre) / width) ** 2)
        if mode == "crossing":  # both branches, each as bright as it is the qubit's
            mode_at = swept.min() + other * (swept.max() - swept.min())
            half = (centre - mode_at) / 2
            root = np.sqrt(half**2 + coupling**2)
            line = np.zeros_like(line)
            for sign in (1, -1):
                branch = (centre + mode_at) / 2 + sign * root
                line = line + (1 + sign * half / root) / 2 / (1 + (2 * (f - branch) / width) ** 2)
        if mode == "no drive":
            line = np.zeros_like(line)
        axes = {"flux": (flux, "V"), "frequency": (f / 1e9, "GHz")}
        return read_out(line, axes, snr, rng, family="qubit_flux_spectroscopy", name="qubit flux", target="q0")

    def again(ranges: tuple[Range, ...]) -> Measurement:
        new = {one.axis: one for one in ranges}
        x, f = new.get("flux"), new.get("frequency")
        return measure(
            *((x.low, x.high, x.points) if x else (low, high, columns)),
            *((f.low, f.high, f.points) if f else (bottom, top, points)),
        )

    truth = {"f_max": f_max, "sweet_spot": sweet, "period": period} if mode == "good" else {}
    return Draw(again(()), truth, again if _MODES[mode] == "RANGE_TOO_NARROW" else None)


SIMULATOR = Simulator(_MODES, draw)
