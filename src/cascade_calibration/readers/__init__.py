"""Measurements from files that others wrote: one file here for each format."""

from __future__ import annotations

from pathlib import Path

from cascade_calibration.measurement import Measurement
from cascade_calibration.readers import netcdf, pycqed, qibocal, quam, quantify, text, touchstone
from cascade_qec.errors import CascadeError

_FORMATS = (netcdf, quantify, pycqed, qibocal, quam, touchstone, text)
"""Each has `FORMAT`, `fits(path)`, which looks at the file or folder, and `read(path)`."""


def read(path: Path | str) -> list[Measurement]:
    """Measurements in a file, or in the folder of a run: one for each target.

    Formats: our own (NetCDF4), quantify-core (dataset.hdf5), PycQED (HDF5), Qibocal (a folder with data.npz),
    QUAlibrate (arrays in .npz), touchstone (.s1p, .s2p) and CSV with units in its header.

    Raises
    ------
    CascadeError
        If there is nothing of that name, it is cut short, or its layout is unknown: with what was found.
    """
    path = Path(path)
    if not path.exists():
        raise CascadeError(f"{path}: expected a file or folder to read, found nothing of that name")
    for one in _FORMATS:
        if one.fits(path):
            try:
                return one.read(path)
            except CascadeError as error:
                raise CascadeError(f"{path}: {error}") from error
    known = ", ".join(one.FORMAT for one in _FORMATS)
    raise CascadeError(f"{path}: expected a measurement in a layout of {known}; found {_found(path)}")


def runs(folder: Path) -> list[Path]:
    """Files and folders of runs that :func:`read` may read, in a folder and those below it, by path.

    Raises
    ------
    CascadeError
        If there is no folder of that name, or it cannot be looked into.
    """
    if any(one.fits(folder) for one in _FORMATS):
        return [folder]
    try:
        inside = sorted(folder.iterdir())
    except OSError as error:
        raise CascadeError(f"{folder}: expected a folder to look into: {error.strerror}") from error
    found: list[Path] = []
    for path in inside:
        if path.is_dir() and not path.name.startswith("."):
            found += runs(path)
        elif path.is_file() and any(one.fits(path) for one in _FORMATS):
            found.append(path)
    return found


def _found(path: Path) -> str:
    from cascade_calibration.readers import hdf5

    if path.is_dir():
        names = sorted(one.name for one in path.iterdir())
        return f"a folder with {', '.join(names[:8]) or 'nothing'}{' and more' if len(names) > 8 else ''}"
    if hdf5.is_hdf5(path):
        with hdf5.opened(path) as file:
            return f"HDF5 with {', '.join(list(file)[:8]) or 'nothing'}"
    with path.open("rb") as file:
        start = file.read(24)
    return f"a file that begins with {start!r}" if start else "an empty file"
