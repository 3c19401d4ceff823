"""Images of a camera, in base units."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cascade_calibration.analysis.trace import in_base_units
from cascade_calibration.measurement import SHOT, Measurement
from cascade_calibration.units import to_base
from cascade_qec.errors import CascadeError

Array = NDArray[np.float64]

_LEAST = 12
"""Pixels along each side."""
_LARGEST = 1e100


def image_of(measurement: Measurement) -> tuple[Array, Array, Array, str]:
    """The image, exposures averaged and what is missing filled.

    Returns
    -------
    values float64 [ny, nx] in base units, x [nx] and y [ny], both rising, and their unit

    Raises
    ------
    CascadeError
        If it is no real image over two axes of one unit, too small, or not of finite numbers.
    """
    signal = measurement.signal
    if SHOT in signal.dims:
        signal = signal.mean(dim=SHOT, keep_attrs=True)
    if signal.ndim != 2 or np.iscomplexobj(signal.values):
        raise CascadeError(f"expected an image over two axes, found {signal.dims} and values of type {signal.dtype}")
    rows, columns = (str(one) for one in signal.dims)
    if rows.lower().startswith("x"):
        rows, columns = columns, rows
        signal = signal.transpose(rows, columns)
    (y, unit), (x, other) = (
        in_base_units(measurement.dataset.coords[one], ("", "m", "px", "pixel", "pixels")) for one in (rows, columns)
    )
    if unit != other:
        raise CascadeError(f"expected both axes of an image in the same units, found {unit!r} and {other!r}")
    if min(signal.shape) < _LEAST:
        raise CascadeError(f"expected an image of at least {_LEAST} by {_LEAST} pixels, found {signal.shape}")
    if not (np.isfinite(x).all() and np.isfinite(y).all() and (np.diff(x) != 0).all() and (np.diff(y) != 0).all()):
        raise CascadeError("expected axes of an image that rise or fall evenly, found others")
    image = to_base(str(signal.attrs["units"]))[0] * np.asarray(signal.values, dtype=np.float64)
    finite = np.isfinite(image)
    if finite.mean() < 0.9:
        raise CascadeError(f"expected an image of finite numbers, found {finite.mean():.0%} that are")
    if np.abs(image[finite]).max() > _LARGEST:
        raise CascadeError(f"expected an image of numbers below {_LARGEST:g}, found larger ones")
    order = np.argsort(y), np.argsort(x)
    image = np.where(finite, image, np.median(image[finite]))[np.ix_(*order)]
    return image, x[order[1]], y[order[0]], unit
