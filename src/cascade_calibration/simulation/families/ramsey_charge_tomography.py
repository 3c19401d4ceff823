"""Charge tomography: Ramsey fringes against a gate's voltage, scan after scan, with charge jumps, drift, or neither."""

from __future__ import annotations

import numpy as np

from cascade_calibration.simulation.draw import Draw, Simulator
from cascade_calibration.simulation.readout import log_uniform, read_out

_MODES = {
    "quiet": "NO_EVENT",
    "slow drift": "NO_EVENT",
    "one jump": "EVENT",
    "several jumps": "EVENT",
    "no fringes": "NO_COHERENCE",
}


def draw(mode: str, snr: float, rng: np.random.Generator) -> Draw:
    """12 to 90 scans of 41 to 121 voltages over 1.2 to 4 periods; jumps of a tenth of a period to half of one.

    The signal is the cosine of a phase that itself follows the charge's cosine: sharper than a sine where the phase
    goes far. A jump in the middle of a scan cuts it in two.
    """
    scans, points = int(rng.integers(12, 91)), int(rng.integers(41, 122))
    period = log_uniform(rng, 0.05, 1.0)
    window = period * rng.uniform(1.2, 4.0)
    low = rng.uniform(-0.7, -0.3) * window
    bias = np.linspace(low, low + window, points)
    swing, rest = rng.uniform(0.3, 1.4), rng.uniform(-0.6, 0.6)
    steps = rng.uniform(0.0, 0.004) * rng.standard_normal(scans)
    if mode == "slow drift":
        steps = rng.uniform(0.008, 0.02) * rng.standard_normal(scans) + rng.uniform(-0.3, 0.3) / scans
    sizes = []
    at = np.zeros(scans + 1, dtype=int)
    if mode in ("one jump", "several jumps"):
        count = 1 if mode == "one jump" else int(rng.integers(2, max(3, min(7, scans // 4))))
        at = np.sort(rng.choice(np.arange(2, scans - 1), count, replace=False))
        sizes = rng.choice([-1, 1], count) * rng.uniform(0.1, 0.5, count)
    place = rng.uniform(0, 1) + np.cumsum(steps)
    offset = np.repeat(place[:, None], points, axis=1)
    for scan, size in zip(at, sizes, strict=False):
        offset[scan + 1 :] += size
        offset[scan, int(rng.integers(0, points)) if rng.random() < 0.5 else 0 :] += size
    charge = bias / period - offset
    # half of the cycle of the phase, so that the contrast is that of the fringes
    phase = np.pi / 2 + rest + swing * np.cos(2 * np.pi * charge)
    fringes = np.cos(phase)
    ends = np.cos(np.pi / 2 + rest + swing * np.linspace(-1, 1, 41))
    population = (fringes - ends.min()) / np.ptp(ends)
    if mode == "no fringes":
        population = np.zeros_like(population)
    axes = {"scan": (np.arange(float(scans)), ""), "bias": (bias, "V")}
    measurement = read_out(
        population, axes, snr, rng, family="ramsey_charge_tomography", name="charge tomography", target="q0"
    )
    truth = {} if mode == "no fringes" else {"period": period}
    if len(sizes) == 1:
        truth["largest jump"] = float(abs(sizes[0])) * period
    # charges jump as they like, whatever is swept
    return Draw(measurement, truth)


SIMULATOR = Simulator(_MODES, draw)
