"""A measurement: named axes with units, data with units, and where it comes from; kept as NetCDF4."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from cascade_qec.errors import CascadeError
from cascade_qec.files import written_whole

SHOT = "shot"
"""Name of the dimension of single shots; it has no axis."""

_LARGEST = 50_000_000


@dataclass(frozen=True)
class Measurement:
    """One measurement of one target, an xarray dataset that keeps these conventions.

    * Each dimension but ``shot`` is an axis: a real coordinate [n] with the attribute ``units``.
    * Each data variable has ``units``. It may be complex (both quadratures), and have the dimension ``shot``
      (single shots; without it, averages). ``NAME_error`` are standard errors of ``NAME``. The first is the signal.
    * Attributes of the dataset: ``name`` (what the laboratory calls the experiment), ``target`` (the qubit, resonator
      or pair), ``family`` (one of :func:`cascade_calibration.families`, or empty) and ``source`` (the file). Others
      are kept.

    Attributes
    ----------
    dataset
        Do not change it in place.

    Raises
    ------
    CascadeError
        If the dataset does not keep them.
    """

    dataset: xr.Dataset

    def __post_init__(self) -> None:
        if not self.dataset.data_vars:
            raise CascadeError(f"expected a measurement with data, found axes alone: {list(self.dataset.coords)}")
        for dimension, size in self.dataset.sizes.items():
            if size == 0:
                raise CascadeError(f"expected points along {dimension}, found none")
            if dimension == SHOT:
                continue
            if dimension not in self.dataset.coords:
                raise CascadeError(f"expected values for the axis {dimension}, found none")
            _check(str(dimension), self.dataset.coords[dimension], "iuf")
        for name, data in self.dataset.data_vars.items():
            _check(str(name), data, "iufc")

    @classmethod
    def of(
        cls,
        axes: Mapping[str, tuple[ArrayLike, str]],
        data: Mapping[str, tuple[ArrayLike, str]],
        **attributes: str | float,
    ) -> Measurement:
        """A measurement from arrays.

        Parameters
        ----------
        axes
            Values [n] and units of each axis, in the order of the data's dimensions.
        data
            Values and units of each variable: [n_1, n_2, ...], or [n_1, n_2, ..., shots].
        attributes
            ``name``, ``target``, ``family``, ``source`` and whatever else is known.

        Examples
        --------
        >>> Measurement.of({"delay": ([0, 10, 20], "us")}, {"signal": ([1.0, 0.4, 0.1], "V")}, family="t1").family
        't1'
        """
        variables = {}
        for name, (values, unit) in data.items():
            array = np.asarray(values)
            dimensions = [*axes, SHOT][: array.ndim]
            if array.ndim not in (len(axes), len(axes) + 1):
                raise CascadeError(f"{name}: expected an array over the axes {list(axes)}, got shape {array.shape}")
            variables[name] = (dimensions, array, {"units": unit})
        coordinates = {name: (name, np.asarray(values), {"units": unit}) for name, (values, unit) in axes.items()}
        try:
            dataset = xr.Dataset(variables, coordinates, attributes)
        except xr.CoordinateValidationError as error:
            raise CascadeError(f"expected axes of one dimension: {error}") from error
        except ValueError as error:  # xarray's: it names the dimension and both sizes
            raise CascadeError(f"expected axes and data of equal lengths: {error}") from error
        return cls(dataset)

    @property
    def name(self) -> str:
        """What the laboratory calls it."""
        return str(self.dataset.attrs.get("name", ""))

    @property
    def target(self) -> str:
        """The qubit, resonator or pair."""
        return str(self.dataset.attrs.get("target", ""))

    @property
    def family(self) -> str:
        """The family that it says it belongs to; may be empty."""
        return str(self.dataset.attrs.get("family", ""))

    @property
    def axes(self) -> tuple[str, ...]:
        """Names of the signal's axes, in the order of its dimensions."""
        return tuple(str(dimension) for dimension in self.signal.dims if dimension != SHOT)

    @property
    def signal(self) -> xr.DataArray:
        """The first variable of the data."""
        return next(iter(self.dataset.data_vars.values()))

    def save(self, path: Path) -> None:
        """Write a NetCDF4 file that :func:`cascade_calibration.read` and xarray read.

        Raises
        ------
        CascadeError
            If it cannot be written.
        """
        content = self.dataset.to_netcdf(engine="h5netcdf", invalid_netcdf=True)
        with written_whole(path) as file:
            file.write(content)

    def _repr_html_(self) -> str:
        return self.dataset._repr_html_()


def _check(name: str, values: xr.DataArray, kinds: str) -> None:
    if values.dtype.kind not in kinds:
        raise CascadeError(f"{name}: expected numbers, found values of type {values.dtype}")
    if "units" not in values.attrs:
        raise CascadeError(f"{name}: expected units (the attribute `units`, empty for none), found none")
    if values.size > _LARGEST:
        raise CascadeError(f"{name}: expected at most {_LARGEST:,} values, found {values.size:,}")
