"""PycQED: HDF5 with the table `Experimental Data/Data`, whose attributes name its columns."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cascade_calibration.measurement import Measurement
from cascade_calibration.readers import columns, hdf5
from cascade_calibration.readers.columns import Column
from cascade_qec.errors import CascadeError

FORMAT = "PycQED"
_TABLE = "Experimental Data/Data"
_CALIBRATION = 4
"""Points at the end, of known states, where the analysis says that it used such."""


def fits(path: Path) -> bool:
    return hdf5.has(path, _TABLE)


def read(path: Path) -> list[Measurement]:
    with hdf5.opened(path) as file:
        group = file["Experimental Data"].attrs
        table = np.asarray(file[_TABLE], dtype=np.float64)
        titles = [
            list(zip(*(hdf5.texts(np.asarray(group[f"{kind}_{of}"])) for of in ("names", "units")), strict=True))
            for kind in ("sweep_parameter", "value")
        ]
        settings = file["MC settings"].attrs if "MC settings" in file else {}
        used = hdf5.text(file["Analysis"].attrs.get("corrected data based on", "")) if "Analysis" in file else ""
        name = hdf5.text(settings.get("measurement_name", path.stem))
    if table.ndim != 2 or table.shape[1] != sum(map(len, titles)):
        raise CascadeError(f"expected a table with the columns {titles}, found one of shape {table.shape}")
    swept, end = len(titles[0]), table[:0]
    # trains of pi pulses end with them whatever the file says, and Rabi sweeps do not
    known = "flipping" in name.lower() or (used == "calibration points" and "rabi" not in name.lower())
    if known and len(table) > 2 * _CALIBRATION:
        table, end = table[:-_CALIBRATION], table[-_CALIBRATION:]
    made = [
        Column(title, unit, values) for (title, unit), values in zip([*titles[0], *titles[1]], table.T, strict=True)
    ]
    return [columns.measurement(made[:swept], made[swept:], name=name, source=str(path), **_levels(made[swept:], end))]


def _levels(data: list[Column], end: NDArray[np.float64]) -> dict[str, str | float]:
    """Levels of the first variable: the first half of the points at the end are of the ground state."""
    half = len(end) // 2
    known = [replace(one, values=values) for one, values in zip(data, end.T[-len(data) :], strict=True)]
    signal = columns.complexes(known)[0].values
    ground, excited = (complex(one.mean()) for one in (signal[:half], signal[half:])) if half else (0j, 0j)
    if ground == excited:
        return {}
    if not np.iscomplexobj(signal):
        return {"ground": ground.real, "excited": excited.real, "level_points": half}
    return {"ground": str(ground), "excited": str(excited), "level_points": half}
