"""One line of real numbers out of a measurement, whatever it was measured as."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from cascade_calibration.measurement import SHOT, Measurement
from cascade_calibration.units import to_base
from cascade_qec.errors import CascadeError


@dataclass(frozen=True)
class Trace:
    """A signal along one axis, sorted, in base units.

    Attributes
    ----------
    axis, x_unit, y_unit
        What is swept, and the units.
    x, y : float64 [n]
        Finite.
    error : float64 [n] or None
        Standard errors of `y`, where the measurement has them or they come from single shots.
    missing
        Points that were left out, as they were no finite numbers.
    """

    axis: str
    x_unit: str
    y_unit: str
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    error: NDArray[np.float64] | None
    missing: int

    @property
    def step(self) -> float:
        """The usual distance of neighbours on the axis."""
        return float(np.median(np.diff(np.unique(self.x))))

    @property
    def window(self) -> float:
        """From the first point to the last."""
        return float(self.x[-1] - self.x[0])

    def keep(self, kept: NDArray[np.bool_]) -> Trace:
        """Some of the points: bool [n]."""
        error = None if self.error is None else self.error[kept]
        return replace(self, x=self.x[kept], y=self.y[kept], error=error)


def trace(
    measurement: Measurement,
    units: tuple[str, ...],
    *,
    least: int = 5,
    signal: str | None = None,
    along: complex | None = None,
) -> Trace:
    """The signal along the only axis: shots averaged, quadratures projected to one, units made base units.

    Parameters
    ----------
    units
        Base units that the axis may have.
    least
        Distinct places on the axis that are needed.
    signal
        Name of the variable; the measurement's first by default.
    along
        Direction (a number of modulus 1) of what quadratures tell; by default that in which they change most.

    Raises
    ------
    CascadeError
        If there are several axes, other units, or too few points that are finite numbers.
    """
    data = measurement.signal if signal is None else measurement.dataset[signal]
    axes = [dimension for dimension in data.dims if dimension != SHOT]
    if len(axes) != 1:
        raise CascadeError(f"expected a signal along one axis, found {len(axes)}: {', '.join(map(str, axes))}")
    axis = str(axes[0])
    values = np.asarray(data.transpose(axis, ...).values)
    x, x_unit = in_base_units(measurement.dataset.coords[axis], units)
    error = measurement.dataset.get(f"{data.name}_error")
    y, errors = projected(values, None if error is None else np.asarray(error.values, dtype=np.float64), along)
    scale, y_unit = to_base(str(data.attrs["units"]))
    finite = np.isfinite(x) & np.isfinite(y)
    distinct = len(np.unique(x[finite]))
    if distinct < least:
        raise CascadeError(f"expected at least {least} points along {axis}, found {distinct} that are finite numbers")
    order = np.flatnonzero(finite)[np.argsort(x[finite], kind="stable")]
    errors = None if errors is None or not np.isfinite(errors[order]).all() else scale * errors[order]
    return Trace(axis, x_unit, y_unit, x[order], scale * y[order], errors, int((~finite).sum()))


def in_base_units(axis: xr.DataArray, units: tuple[str, ...]) -> tuple[NDArray[np.float64], str]:
    """Values of an axis in its base unit, and that unit.

    Raises
    ------
    CascadeError
        If it is none of `units`.
    """
    factor, unit = to_base(str(axis.attrs["units"]))
    if unit not in units:
        wanted = " or ".join(one or "none" for one in units)
        raise CascadeError(f"{axis.name}: expected an axis in units of {wanted}, found {axis.attrs['units'] or 'none'}")
    return factor * np.asarray(axis.values, dtype=np.float64), unit


def projected(
    values: NDArray[Any], error: NDArray[np.float64] | None = None, along: complex | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
    """One real number for each point: the quadrature that changes most, or that along a direction, averaged over shots.

    Parameters
    ----------
    values : real or complex [n] or [n, shots]
    error : float64 [n] or None
        Standard errors of averages, if they are known.

    Returns
    -------
    float64 [n], and standard errors: float64 [n], or None if they are not known
    """
    means = values if values.ndim == 1 else values.mean(axis=1)
    turn = (along or principal_axis(means)) if np.iscomplexobj(values) else None
    if turn is not None:
        values = (values * np.conj(turn)).real
    values = values.astype(np.float64)
    if values.ndim == 1:
        return values, None if turn is not None else error
    shots = values.shape[1]
    return values.mean(axis=1), values.std(axis=1, ddof=1) / np.sqrt(shots) if shots > 1 else None


def principal_axis(points: NDArray[Any]) -> complex:
    """The direction (a number of modulus 1) along which complex points [n] differ most, those not finite left out."""
    points = points[np.isfinite(points)]
    if len(points) < 2:
        return 1 + 0j
    centred = points - np.median(np.real(points)) - 1j * np.median(np.imag(points))
    # the sum of squares has twice the angle of the axis
    return complex(np.exp(0.5j * np.angle((centred**2).sum())))
