"""How a population reaches a file: as a voltage, as quadratures, or as single shots; with noise and outliers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from cascade_calibration.measurement import Measurement

_SHOTS = 200


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """As probable in each order of magnitude."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def read_out(
    population: NDArray[np.float64],
    axes: Mapping[str, tuple[NDArray[np.float64], str]],
    snr: float,
    rng: np.random.Generator,
    **attributes: str | float,
) -> Measurement:
    """A measurement of a population between 0 and 1, over the axes.

    Contrast, offset, sign and form (voltage, quadratures, single shots) are drawn. In one measurement of four
    one in fifty points is an outlier, up to eight contrasts off; slow drift of a fifth of the noise is in each.

    Parameters
    ----------
    population : float64 over the axes
    snr
        Contrast over the standard deviation of an averaged point.
    """
    contrast = log_uniform(rng, 1e-6, 1.0)
    offset = contrast * rng.normal(0, 5)
    noise = contrast / snr
    form = rng.choice(["voltage", "quadratures", "shots"], p=[0.45, 0.45, 0.1])
    shape = population.shape
    drift = 0.2 * noise * np.sin(np.pi * (np.linspace(0, rng.uniform(0.2, 1), population.size) + rng.uniform(0, 2)))
    signal = contrast * population * rng.choice([-1, 1]) + offset + drift.reshape(shape)
    if rng.random() < 0.25:
        far = rng.random(shape) < 0.02
        signal = signal + far * contrast * rng.uniform(-8, 8, shape)
    if form == "voltage":
        values: NDArray[np.generic] = signal + noise * rng.standard_normal(shape)
    else:
        turn = np.exp(2j * np.pi * rng.random())
        many = (*shape, _SHOTS) if form == "shots" else shape
        wide = noise * np.sqrt(_SHOTS) if form == "shots" else noise
        centre = contrast * rng.normal(0, 5) * 1j + signal
        quadratures = wide * (rng.standard_normal(many) + 1j * rng.standard_normal(many))
        values = turn * ((centre[..., None] if form == "shots" else centre) + quadratures)
    return Measurement.of(axes, {"signal": (values, "V")}, **attributes)
