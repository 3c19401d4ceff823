"""Qibocal: the folder of a run, with one structured array for each target in data.npz, and settings in data.json."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cascade_calibration.measurement import Measurement
from cascade_calibration.readers import columns, npz
from cascade_calibration.readers.columns import Column
from cascade_qec.errors import CascadeError

FORMAT = "Qibocal"

_AXES = {"wait": "ns", "delay": "ns", "length": "ns", "amp": "", "freq": "Hz", "bias": "", "beta": "", "flips": ""}
_DATA = {"phase": "rad"}


def fits(path: Path) -> bool:
    return (path / "data.npz").is_file() or path.name == "data.npz"


def read(path: Path) -> list[Measurement]:
    folder = path if path.is_dir() else path.parent
    attributes: dict[str, str | float] = {"name": re.sub(r"-\d+$", "", folder.name), "source": str(path)}
    settings = folder / "data.json"
    if settings.is_file():
        try:
            read_settings = json.loads(settings.read_text())
        except ValueError as error:
            raise CascadeError(f"data.json: {error}") from error
        attributes |= {key.strip('"'): json.dumps(value) for key, value in read_settings.items()}
    tables = npz.arrays(folder / "data.npz")
    return [_one(target, table, attributes) for target, table in tables.items()]


def _one(target: str, table: NDArray[np.void], attributes: dict[str, str | float]) -> Measurement:
    names = table.dtype.names or ()
    axes = [Column(name, _AXES[name], table[name]) for name in names if name in _AXES]
    data = [Column(_data_name(name), _DATA.get(name, ""), table[name]) for name in names if name not in _AXES]
    if not axes or not data:
        raise CascadeError(
            f"{target}: expected an axis ({', '.join(_AXES)}) and data, found {', '.join(names) or table.dtype}"
        )
    return columns.measurement(axes, data, target=target.strip('"'), **attributes)


def _data_name(name: str) -> str:
    """Standard errors are called after what they belong to."""
    return re.sub(r"^(?:(\w+)_)?error$", lambda found: f"{found[1]}_prob_error" if found[1] else "prob_error", name)
