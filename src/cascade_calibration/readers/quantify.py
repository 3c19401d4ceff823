"""quantify-core: dataset.hdf5, settables x0, x1, ... and gettables y0, y1, ... over one dimension."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cascade_calibration.measurement import Measurement
from cascade_calibration.readers import columns, hdf5
from cascade_calibration.readers.columns import Column

FORMAT = "quantify-core"


def fits(path: Path) -> bool:
    return hdf5.has(path, "tuid", "x0", "y0")


def read(path: Path) -> list[Measurement]:
    with hdf5.opened(path) as file:
        found = {
            name: Column(hdf5.text(one.attrs["name"]), hdf5.text(one.attrs.get("units", "")), np.asarray(one))
            for name, one in file.items()
            if name[0] in "xy"
        }
        attributes = {"name": hdf5.text(file.attrs["name"]), "tuid": hdf5.text(file.attrs["tuid"]), "source": str(path)}
    axes = [found[name] for name in sorted(found) if name[0] == "x"]
    data = [found[name] for name in sorted(found) if name[0] == "y"]
    return [columns.measurement(axes, data, **attributes)]
