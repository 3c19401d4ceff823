"""HDF5 files, opened so that what is cut short is told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import ArrayLike

from cascade_qec.errors import CascadeError


def is_hdf5(path: Path) -> bool:
    """Whether a file begins as HDF5 does."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(8) == b"\x89HDF\r\n\x1a\n"


@contextmanager
def opened(path: Path) -> Iterator[h5py.File]:
    """Open a file to read.

    Raises
    ------
    CascadeError
        If it is cut short or broken, now or while it is read.
    """
    try:
        with h5py.File(path, "r") as file:
            yield file
    except (OSError, KeyError, RuntimeError) as error:
        raise CascadeError(f"cannot be read as HDF5: {error}") from error


def has(path: Path, *names: str) -> bool:
    """Whether a file is HDF5 and has these groups, data sets or attributes of its root."""
    if not is_hdf5(path):
        return False
    try:
        with h5py.File(path, "r") as file:
            return all(name in file or name in file.attrs for name in names)
    except OSError:
        return False


def text(value: object) -> str:
    """An attribute as text, whether the file has bytes or a string."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def texts(values: ArrayLike) -> list[str]:
    """An attribute that is a list of texts."""
    return [text(value) for value in np.asarray(values).ravel().tolist()]
