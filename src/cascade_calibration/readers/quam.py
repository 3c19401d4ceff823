"""QUAlibrate: arrays in a .npz file, whose first dimension is that of the targets."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cascade_calibration.measurement import Measurement
from cascade_calibration.readers import columns, npz
from cascade_calibration.readers.columns import Column
from cascade_qec.errors import CascadeError

FORMAT = "QUAlibrate"

_UNITS = {"idle_time": "ns", "time": "ns", "duration": "ns", "detuning": "Hz", "frequency": "Hz", "I": "V", "Q": "V"}


def fits(path: Path) -> bool:
    return path.suffix == ".npz" and path.name != "data.npz"


def read(path: Path) -> list[Measurement]:
    found = npz.arrays(path)
    lines = {name: array for name, array in found.items() if array.ndim == 1 and array.dtype.kind in "iuf"}
    targets = [str(one) for name, array in found.items() if array.dtype.kind == "U" for one in np.atleast_1d(array)]
    data = {name: array for name, array in found.items() if array.dtype.kind in "iufc" and name not in lines}
    axes = {name: values for name, values in lines.items() if any(len(values) in one.shape for one in data.values())}
    if not data:  # one axis and what was measured over it, all of one dimension
        axes = {name: values for name, values in lines.items() if name in _UNITS and name not in ("I", "Q")}
        data = {name: values[None] for name, values in lines.items() if name not in axes}
    shape = tuple(map(len, axes.values()))
    wrong = {name: array.shape for name, array in data.items() if array.shape[1:] != shape}
    if not axes or wrong or not data:
        raise CascadeError(
            f"expected arrays [target, {', '.join(axes) or 'axis'}] and their axes, found "
            f"{ {name: array.shape for name, array in found.items()} }"
        )
    count = len(next(iter(data.values())))
    return [
        Measurement.of(
            {columns.canonical(name): (values, _UNITS.get(name, "")) for name, values in axes.items()},
            {
                one.name: (one.values, one.unit)
                for one in columns.complexes([Column(k, _UNITS.get(k, ""), v[i]) for k, v in data.items()])
            },
            name=path.stem,
            target=targets[i] if i < len(targets) else str(i),
            source=str(path),
        )
        for i in range(count)
    ]
