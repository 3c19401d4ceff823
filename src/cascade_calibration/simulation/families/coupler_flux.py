"""A qubit's line against its coupler's flux: crossed, disturbed, not crossed, and not seen."""

from __future__ import annotations

import numpy as np

from cascade_calibration.analysis.families.qubit_flux_spectroscopy import arc
from cascade_calibration.analysis.verdict import Range
from cascade_calibration.measurement import Measurement
from cascade_calibration.simulation.draw import Draw, Simulator
from cascade_calibration.simulation.readout import log_uniform, read_out

_MODES = {
    "good": "SUCCESS",
    "flux jump": "FIT_POOR",
    "other modes": "FIT_POOR",
    "not crossed": "FIT_POOR",
    "no drive": "FIT_POOR",
}


def draw(mode: str, snr: float, rng: np.random.Generator) -> Draw:
    """Couplers of 5 to 9 GHz that cross qubits of 4 to 6 GHz with couplings of 20 to 150 MHz; 41 to 101 fluxes.

    Signal to noise is the height of the line over the noise of a point.
    """
    columns, points = int(rng.integers(41, 102)), int(rng.integers(61, 152))
    f_q, coupling, charging = rng.uniform(4e9, 6e9), log_uniform(rng, 2e7, 1.5e8), rng.uniform(0.1e9, 0.3e9)
    f_c = f_q * rng.uniform(1.1, 1.6)
    asymmetry = rng.uniform(0.0, 0.2)
    period = log_uniform(rng, 0.2, 5.0)
    sweet, window = rng.uniform(-0.5, 0.5) * period, period * rng.uniform(0.9, 1.8)
    middle = sweet + window * rng.uniform(-0.2, 0.2)
    level = ((f_q + charging) / (f_c + charging)) ** 4
    crossing = np.arccos(np.sqrt((level - asymmetry**2) / (1 - asymmetry**2))) / np.pi  # in periods
    if mode == "not crossed":
        window = period * crossing * rng.uniform(0.6, 1.1)
        middle = sweet + rng.uniform(-0.1, 0.1) * window
    jump, jump_by = rng.uniform(0.4, 0.6) if mode == "flux jump" else 1.0, period * rng.uniform(0.2, 0.35)
    reach = coupling * rng.uniform(0.5, 0.9)
    start, stop = f_q - reach - coupling * 0.3, f_q + reach + coupling * 0.3
    width = (stop - start) / (points - 1) * rng.uniform(3, max(3.5, points / 20))
    modes = [(f_q + reach * rng.uniform(-0.5, 0.5), rng.uniform(-0.4, 0.4)) for _ in range(int(rng.integers(3, 6)))]

    def measure(low: float, high: float, columns: int) -> Measurement:
        flux, f = np.linspace(low, high, columns), np.linspace(start, stop, points)
        moved = flux + jump_by * (np.arange(columns) > jump * columns)
        coupler = (f_c + charging) * arc(moved, sweet, period, asymmetry) - charging
        half = (f_q - coupler) / 2
        root = np.sqrt(half**2 + coupling**2)
        line = np.zeros((columns, points))
        for sign in (1, -1):
            centre = (f_q + coupler) / 2 + sign * root
            if mode == "other modes":  # each repels the line over its own part of the sweep
                for place, at in modes:
                    near = np.exp(-(((flux - middle) / window - at) ** 2) / 0.004)
                    centre = centre + near * np.where(place < f_q, 1, -1) * reach * 0.5
            share = (1 + sign * half / root) / 2
            line += share[:, None] / (1 + (2 * (f - centre[:, None]) / width) ** 2)
        if mode == "no drive":
            line = 0 * line
        axes = {"flux": (flux, "V"), "frequency": (f / 1e9, "GHz")}
        return read_out(line, axes, snr, rng, family="coupler_flux", name="coupler flux", target="c0")

    def again(ranges: tuple[Range, ...]) -> Measurement:
        (one,) = ranges
        return measure(one.low, one.high, one.points)

    truth = {"f_q": f_q, "g": coupling} if mode == "good" else {}
    if mode == "good":
        places = [sweet + (turn + sign * crossing) * period for turn in range(-3, 4) for sign in (1, -1)]
        nearest, second = sorted(places, key=lambda place: abs(place - middle))[:2]
        if abs(second - middle) - abs(nearest - middle) > 0.05 * window:  # or noise says which of two is meant
            truth["crossing"] = nearest
    measurement = measure(middle - window / 2, middle + window / 2, columns)
    return Draw(measurement, truth, again if mode == "not crossed" else None)


SIMULATOR = Simulator(_MODES, draw)
