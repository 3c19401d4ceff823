"""Our own format: NetCDF4, as :meth:`Measurement.save` writes it, and xarray datasets that keep its conventions."""

from __future__ import annotations

from pathlib import Path

import xarray as xr

from cascade_calibration.measurement import Measurement
from cascade_calibration.readers import hdf5
from cascade_qec.errors import CascadeError

FORMAT = "our own NetCDF4"


def fits(path: Path) -> bool:
    return hdf5.is_hdf5(path) and path.suffix in (".nc", ".nc4")


def read(path: Path) -> list[Measurement]:
    try:
        with xr.open_dataset(path, engine="h5netcdf", decode_times=False) as dataset:
            return [Measurement(dataset.load())]
    except CascadeError:
        raise
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise CascadeError(f"cannot be read as NetCDF4: {error}") from error
