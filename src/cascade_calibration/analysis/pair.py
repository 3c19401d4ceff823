"""Two signals along one axis, for experiments that compare two sequences of pulses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from cascade_calibration.analysis.trace import in_base_units, projected
from cascade_calibration.measurement import SHOT, Measurement
from cascade_calibration.units import to_base
from cascade_qec.errors import CascadeError


@dataclass(frozen=True)
class Pair:
    """Two signals in base units, at the same places, sorted; all arrays are [n] and finite.

    Quadratures are projected to one direction for both.
    """

    axis: str
    x_unit: str
    y_unit: str
    x: NDArray[np.float64]
    first: NDArray[np.float64]
    second: NDArray[np.float64]
    missing: int

    @property
    def window(self) -> float:
        """From the first point to the last."""
        return float(self.x[-1] - self.x[0])


def pair(measurement: Measurement, units: tuple[str, ...], *, least: int = 5) -> Pair:
    """The two signals: two variables over the axis, a second axis of two sequences, or two repetitions in turn.

    Parameters
    ----------
    units
        Base units that the axis may have.
    least
        Distinct places on the axis that are needed.

    Raises
    ------
    CascadeError
        If there are not two signals, or the axis has other units or too few points that are finite numbers.
    """
    first, second = _two(measurement)
    axes = [dimension for dimension in first.dims if dimension != SHOT]
    if len(axes) != 1 or set(second.dims) != set(first.dims):
        raise CascadeError(f"expected two signals along one axis, found dimensions {first.dims} and {second.dims}")
    axis = str(axes[0])
    x, x_unit = in_base_units(measurement.dataset.coords[axis], units)
    both = np.concatenate([np.asarray(one.transpose(axis, ...).values) for one in (first, second)])
    y = projected(both)[0].reshape(2, -1)
    finite = np.isfinite(x) & np.isfinite(y).all(axis=0)
    distinct = len(np.unique(x[finite]))
    if distinct < least:
        raise CascadeError(f"expected at least {least} points along {axis}, found {distinct} that are finite numbers")
    order = np.flatnonzero(finite)[np.argsort(x[finite], kind="stable")]
    scale, y_unit = to_base(str(first.attrs["units"]))
    return Pair(axis, x_unit, y_unit, x[order], scale * y[0, order], scale * y[1, order], int((~finite).sum()))


def _two(measurement: Measurement) -> tuple[xr.DataArray, xr.DataArray]:
    signal = measurement.signal
    for dimension, size in signal.sizes.items():
        if size == 2 and (dimension == SHOT or signal.ndim > 1):
            return signal.isel({dimension: 0}), signal.isel({dimension: 1})
    named = [one for name, one in measurement.dataset.data_vars.items() if not str(name).endswith("_error")]
    if len(named) != 2:
        raise CascadeError(
            f"expected two signals, one for each sequence of pulses, found {len(named)}: "
            f"{', '.join(str(one.name) for one in named)}"
        )
    return named[0], named[1]
