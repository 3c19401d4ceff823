"""CZ benchmarking of neutral atoms: good gates, gates that do not take place, lossy and depolarizing ones."""

from __future__ import annotations

import numpy as np

from cascade_calibration.measurement import Measurement
from cascade_calibration.simulation.absolute import disturbed
from cascade_calibration.simulation.draw import Draw, Simulator

_MODES = {
    "good": "SUCCESS",
    "no gate": "NO_GATE",
    "lossy": "MISCALIBRATED",
    "lossy and depolarizing": "MISCALIBRATED",
}


def draw(mode: str, snr: float, rng: np.random.Generator) -> Draw:
    """Circuits of up to 12 to 48 gates, 8 to 20 depths."""
    deepest, points = rng.integers(12, 49), int(rng.integers(8, 21))
    gates = np.unique(np.rint(np.linspace(0, deepest, points)))
    retained, polarized = {
        "good": (rng.uniform(0.9945, 0.999), rng.uniform(0.985, 0.998)),
        "no gate": (rng.uniform(0.9985, 1.0), rng.uniform(0.2, 0.8)),
        "lossy": (rng.uniform(0.90, 0.975), rng.uniform(0.93, 0.99)),
        "lossy and depolarizing": (rng.uniform(0.90, 0.975), rng.uniform(0.5, 0.9)),
    }[mode]
    starts = rng.uniform(0.85, 1.0, 2)
    data = {
        name: (disturbed(start * share**gates, 1.0, snr, rng), "")
        for name, start, share in zip(("retention", "polarization"), starts, (retained, polarized), strict=True)
    }
    measurement = Measurement.of({"gates": (gates, "")}, data, family="cz_benchmarking", name="CZ benchmarking")
    # no other depth makes the gate better
    return Draw(measurement, {"retention per CZ": float(retained), "polarization per CZ": float(polarized)})


SIMULATOR = Simulator(_MODES, draw)
