"""Cosines and sines along a sweep, for many frequencies at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_FEW = 8
"""Frequencies of which cosines and sines are as quick."""
_FULL = 0.5
"""Of the places of a lattice that a sweep must have to be worth filling in the others."""


def waves(periods: Array, at: Array) -> Array:
    """Cosine and sine of ``2 pi periods at``: [..., n, 2].

    Places on a lattice, as all evenly spaced ones are, outliers left out or not, take one product each in place of a
    cosine and a sine: half of the lattice is the other half turned on.

    Parameters
    ----------
    periods : float64 [...]
    at : float64 [n], rising
    """
    found = np.empty((*periods.shape, 2, len(at)))
    start, step, places = _lattice(at) if periods.size > _FEW else (0.0, 0.0, None)
    if places is None:
        found[..., 0, :], found[..., 1, :] = cosine_and_sine(2 * np.pi * periods[..., None] * at)
        return np.swapaxes(found, -1, -2)
    size, turns = int(places[-1]) + 1, 2j * np.pi * periods[..., None]
    turned = np.empty((*periods.shape, size), dtype=np.complex128)
    turned[..., :1] = np.exp(turns * start)
    filled = 1
    while filled < size:
        more = min(filled, size - filled)
        turned[..., filled : filled + more] = turned[..., :more] * np.exp(turns * (filled * step))
        filled += more
    if size > len(at):
        turned = turned[..., places]
    found[..., 0, :], found[..., 1, :] = turned.real, turned.imag
    return np.swapaxes(found, -1, -2)


def cosine_and_sine(angle: Array) -> tuple[Array, Array]:
    """Of angles, by the tangent of their halves: NumPy has vector instructions for tangents alone."""
    tangent = np.tan(angle / 2)
    cosine = 2 / (1 + tangent**2) - 1
    return cosine, tangent * (1 + cosine)


def _lattice(at: Array) -> tuple[float, float, NDArray[np.int64] | None]:
    """Start and step of the lattice that the places lie on, and which of its points they are; None if on none."""
    steps = np.diff(at)
    step = float(steps.min(initial=np.inf))
    if not 0 < step < np.inf:
        return 0.0, 0.0, None
    # the least step has the rounding errors of one; the whole way has those of many
    count = np.rint(float(at[-1] - at[0]) / step)
    if count * _FULL > len(at):
        return 0.0, 0.0, None
    step = float(at[-1] - at[0]) / count
    places = np.rint((at - at[0]) / step)
    if np.abs(at - at[0] - step * places).max() > 1e-12 * np.abs(at).max():
        return 0.0, 0.0, None
    return float(at[0]), step, places.astype(np.int64)
