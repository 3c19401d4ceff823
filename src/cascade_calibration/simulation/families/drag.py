"""DRAG measurements: two signals that cross in the middle, near the edge, far away or nowhere."""

from __future__ import annotations

import numpy as np

from cascade_calibration.analysis.verdict import Range
from cascade_calibration.measurement import Measurement
from cascade_calibration.simulation.draw import Draw, Simulator
from cascade_calibration.simulation.readout import log_uniform, read_out

_MODES = {
    "good": "SUCCESS",
    "good, bent lines": "SUCCESS",
    "no signal": "NO_SIGNAL",
    "crossing near the edge": "OPTIMAL_NOT_CENTERED",
    "crossing outside": "OPTIMAL_NOT_CENTERED",
    "parallel lines": "OPTIMAL_NOT_CENTERED",
}


def draw(mode: str, snr: float, rng: np.random.Generator) -> Draw:
    """Windows of 1e-3 to 10 anywhere near zero, 15 to 61 points; errors that grow by 0.3 to 1.2 rad per half window."""
    half = log_uniform(rng, 5e-4, 5.0)
    middle = half * rng.normal(0, 2)
    points = int(rng.integers(15, 62))
    distance = (
        rng.choice([-1, 1])
        * {
            "good": rng.uniform(0, 0.35),
            "good, bent lines": rng.uniform(0, 0.35),
            "no signal": 0.0,
            "crossing near the edge": rng.uniform(0.7, 0.95),
            "crossing outside": rng.uniform(1.1, 2.0),
            "parallel lines": rng.uniform(20.0, 60.0),
        }[mode]
    )
    rate = rng.uniform(1.0, 1.6) if mode == "good, bent lines" else rng.uniform(0.4, 0.9)
    if mode == "parallel lines":  # errors that saturate
        rate = 1.3 / abs(distance)
    if mode == "no signal":
        rate = 0.0
    optimum = middle + distance * half
    share = rng.uniform(-0.1, 0.1)

    def measure(low: float, high: float, points: int) -> Measurement:
        x = np.linspace(low, high, points)
        # errors far away do not grow for ever
        angle = rate * np.clip((x - optimum) / half, -1.4 / max(rate, 1e-9), 1.4 / max(rate, 1e-9))
        population = 0.5 + np.outer([0.5, -0.5 + share], np.sin(angle))
        sequences = (np.arange(2.0), "")
        axes = {"sequence": sequences, "beta": (x, "")}
        return read_out(population, axes, snr, rng, family="drag", name="DRAG", target="q0")

    def again(ranges: tuple[Range, ...]) -> Measurement:
        (one,) = ranges
        return measure(one.low, one.high, one.points)

    # where lines are parallel, nothing tells where they would cross
    curable = mode in ("crossing near the edge", "crossing outside")
    return Draw(
        measure(middle - half, middle + half, points),
        {"optimum": optimum} if mode not in ("no signal", "parallel lines") else {},
        again if curable else None,
    )


SIMULATOR = Simulator(_MODES, draw)
