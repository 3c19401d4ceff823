"""Images of tweezer arrays: spots as a pupil's wavefront makes them, of even power or not, some of them missing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cascade_calibration.measurement import Measurement
from cascade_calibration.simulation.draw import Draw, Simulator
from cascade_calibration.simulation.readout import log_uniform

Array = NDArray[np.float64]

_MODES = {
    "good": "CORRECTED",
    "astigmatism": "ABERRATED",
    "coma": "ABERRATED",
    "all over the field": "ABERRATED",
    "blurred": "ABERRATED",
    "uneven power": "ABERRATED",
    "missing spots": "ABERRATED",
}
_PUPIL = 96
"""Samples along each side of a pupil and of a spot's image."""


def draw(mode: str, snr: float, rng: np.random.Generator) -> Draw:
    """Arrays of 6 to 18 spots a side, 10 to 28 pixels apart, turned by up to six degrees and a little distorted.

    Wavefronts have up to 0.05 waves (root mean square) where they are corrected, which leaves 90 % of the peak, and
    0.13 to 0.3 where they are not. Signal to noise is the median spot's peak over a pixel's noise.
    """
    counts = rng.integers(6, 19, 2)
    pitch = log_uniform(rng, 10, 28)
    pitches = pitch * np.array([1.0, rng.uniform(0.9, 1.1)])
    fwhm = max(2.2, pitch * rng.uniform(0.16, 0.3))
    if mode == "blurred":
        fwhm = pitch * rng.uniform(0.2, 0.3)
    turn = np.radians(rng.uniform(-6, 6))
    columns, rows = np.meshgrid(np.arange(counts[0]), np.arange(counts[1]))
    u, v = (2 * one.ravel() / (one.max()) - 1 for one in (columns, rows))
    step = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) * pitches
    places = step @ np.stack([columns.ravel(), rows.ravel()])
    places = places + 0.15 * pitch * rng.uniform(-1, 1, (2, 1)) * np.stack([u * v, u * v])
    places = places + 0.02 * pitch * rng.standard_normal(places.shape)
    margin = pitch * rng.uniform(0.7, 1.5)
    places = places - places.min(axis=1, keepdims=True) + margin
    width, height = (int(one) for one in np.ceil(places.max(axis=1) + margin))
    power = np.exp(rng.uniform(0.02, 0.1) * rng.standard_normal(len(u)))
    if mode == "uneven power":
        slope = rng.uniform(-1, 1, 2)
        slope *= rng.uniform(0.5, 1.0) / np.abs(slope).sum()
        spread = rng.uniform(0.3, 0.5)
        power = np.maximum((1 + slope @ np.stack([u, v])) * np.exp(spread * rng.standard_normal(len(u))), 0.0)
    if mode == "missing spots":
        power = power * (rng.random(len(u)) > rng.uniform(0.06, 0.25))
    image = np.zeros((height + _PUPIL, width + _PUPIL))
    whole = np.rint(places).astype(int)
    spots = _spots(_wavefronts(mode, u, v, rng), fwhm, places - whole)
    for (column, row), spot, one in zip(whole.T, spots, power, strict=True):
        image[row : row + _PUPIL, column : column + _PUPIL] += one * spot
    image = image[_PUPIL // 2 : -_PUPIL // 2, _PUPIL // 2 : -_PUPIL // 2]
    peak = float(np.median([power[i] * spots[i].max() for i in np.flatnonzero(power > 0)]))
    brightness = log_uniform(rng, 1.0, 1e4)
    image = brightness * (image / peak + rng.uniform(0, 2) + rng.standard_normal(image.shape) / snr)
    if rng.random() < 0.25:  # cosmic rays
        image = image + (rng.random(image.shape) < 3e-4) * brightness * rng.uniform(0, 8, image.shape)
    axes = {"y": (np.arange(float(height)), "px"), "x": (np.arange(float(width)), "px")}
    measurement = Measurement.of(axes, {"intensity": (image, "")}, family="tweezer_array", name="tweezer array")
    # light is to be corrected, which no other range does
    return Draw(measurement, {"pitch x": float(pitches[0]), "pitch y": float(pitches[1])})


def _wavefronts(mode: str, u: Array, v: Array, rng: np.random.Generator) -> Array:
    """Coefficients of Zernike's polynomials 4 to 10 for each spot, in waves: [spots, 7]."""
    size = rng.uniform(0.01, 0.05) if _MODES[mode] == "CORRECTED" else rng.uniform(0.13, 0.3)
    fields = rng.standard_normal((3, 7))  # everywhere, and growing across the field
    across = 1.0 if mode == "all over the field" else 0.3
    if mode == "astigmatism":
        fields *= [0.5, 1, 1, 0, 0, 0, 0]
    elif mode == "coma":
        fields *= [0.1, 0, 0, 1, 1, 0, 0]
    elif mode == "blurred":
        size, fields = rng.uniform(0.2, 0.4), fields * [1, 0, 0, 0, 0, 0, 0]
    elif mode in ("uneven power", "missing spots"):
        size = rng.uniform(0.01, 0.05)
    fields *= np.array([[1.4 - across], [across], [across]])
    waves = fields[0] + u[:, None] * fields[1] + v[:, None] * fields[2]
    return size * waves / np.sqrt((waves**2).sum(axis=1).mean())


def _spots(waves: Array, fwhm: float, shifts: Array) -> Array:
    """Images of spots [spots, n, n], of peak 1 without aberrations, moved by [2, spots] pixels."""
    side = (np.arange(_PUPIL) - _PUPIL // 2) / (_PUPIL * 0.515 / fwhm)
    x, y = np.meshgrid(side, side)
    rho2, rim = x**2 + y**2, 0.515 / fwhm
    inside = np.clip((1 - np.sqrt(rho2)) * rim * _PUPIL + 0.5, 0, 1)  # a rim of one sample
    zernike = np.stack(
        [
            np.sqrt(3) * (2 * rho2 - 1),
            np.sqrt(6) * (x**2 - y**2),
            np.sqrt(6) * 2 * x * y,
            np.sqrt(8) * (3 * rho2 - 2) * x,
            np.sqrt(8) * (3 * rho2 - 2) * y,
            np.sqrt(8) * (x**3 - 3 * x * y**2),
            np.sqrt(8) * (3 * x**2 * y - y**3),
        ]
    )
    phase = np.einsum("sk,kij->sij", waves, zernike)
    phase -= rim * (shifts[0][:, None, None] * x + shifts[1][:, None, None] * y)
    field = np.fft.fft2(inside * np.exp(2j * np.pi * phase))
    return np.fft.fftshift(np.abs(field) ** 2, axes=(1, 2)) / inside.sum() ** 2


SIMULATOR = Simulator(_MODES, draw)
