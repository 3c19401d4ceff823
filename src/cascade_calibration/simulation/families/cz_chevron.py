"""Chevrons of CZ gates: two states that swap, against a pulse's amplitude and length; good, aside, short, coarse."""

from __future__ import annotations

import numpy as np

from cascade_calibration.analysis.verdict import Range
from cascade_calibration.measurement import Measurement
from cascade_calibration.simulation.draw import Draw, Simulator
from cascade_calibration.simulation.readout import log_uniform, read_out

_MODES = {
    "good": "SUCCESS",
    "no swap": "NO_SIGNAL",
    "resonance at the edge": "OPTIMAL_NOT_CENTERED",
    "resonance outside": "OPTIMAL_NOT_CENTERED",
    "pulses too short": "WINDOW_TOO_SHORT",
    "sampling too coarse": "SAMPLING_TOO_COARSE",
}


def draw(mode: str, snr: float, rng: np.random.Generator) -> Draw:
    """Swaps within 15 ns to 1 us, 21 to 61 amplitudes, 31 to 91 lengths, detunings that bend with the amplitude.

    The sweep of amplitudes is 2 to 10 widths of the resonance to each side. Coherence lasts 2 to 50 times as long as
    the longest pulse.
    """
    columns, points = int(rng.integers(21, 62)), int(rng.integers(31, 92))
    swap = log_uniform(rng, 1.5e-8, 1e-6)
    reach = log_uniform(rng, 2.0, 10.0)  # detuning at the edges of the sweep, in splittings
    if mode == "pulses too short":
        periods = rng.uniform(0.35, 0.75)
    elif mode == "sampling too coarse":
        # at resonance, so that nowhere are there two points in a period
        periods = (points - 1) / rng.uniform(1.2, 2.4)
        reach = log_uniform(rng, 2.0, 4.0)
    else:
        periods = log_uniform(rng, 1.5, 0.12 * (points - 1))
    longest = swap * periods
    centre = log_uniform(rng, 0.05, 0.8) * rng.choice([-1, 1])
    window = abs(centre) * rng.uniform(0.1, 0.6)
    start, stop = centre - window * rng.uniform(0.3, 0.7), 0.0
    stop = start + window
    if mode.startswith("resonance"):
        beyond = rng.uniform(0.02, 0.06) if mode == "resonance at the edge" else -rng.uniform(0.05, 0.25)
        side = rng.choice([-1, 1])
        start = centre - window * (beyond if side > 0 else 1 - beyond)
        stop = start + window
        if mode == "resonance outside":
            # within it, the swaps are still seen
            reach = log_uniform(rng, 1.5, 3.0)
    slope = 2 * reach / swap / window * rng.choice([-1, 1])
    bend = rng.uniform(-0.2, 0.2) / window
    decay = longest * log_uniform(rng, 2.0, 50.0)

    def measure(low: float, high: float, columns: int, end: float, points: int) -> Measurement:
        amplitude, length = np.linspace(low, high, columns), np.linspace(0.0, end, points)
        away = amplitude - centre
        detuning = slope * away * (1 + bend * away)
        rate = np.sqrt(1 / swap**2 + detuning**2)[:, None]
        swapped = (1 / swap / rate) ** 2 * (1 - np.cos(2 * np.pi * rate * length) * np.exp(-length / decay)) / 2
        population = 1 - swapped if mode != "no swap" else np.ones((columns, points))
        axes = {"amplitude": (amplitude, "V"), "length": (1e9 * length, "ns")}
        return read_out(population, axes, snr, rng, family="cz_chevron", name="CZ chevron", target="q0-q1")

    def again(ranges: tuple[Range, ...]) -> Measurement:
        given = {one.axis: one for one in ranges}
        a, t = given.get("amplitude"), given.get("length")
        low, high, n = (a.low, a.high, a.points) if a else (start, stop, columns)
        return measure(low, high, n, *((t.high, t.points) if t else (longest, points)))

    truth = {"resonance": centre, "splitting": 1 / swap} if mode in ("good", "resonance at the edge") else {}
    return Draw(measure(start, stop, columns, longest, points), truth, None if mode == "no swap" else again)


SIMULATOR = Simulator(_MODES, draw)
