"""From columns of numbers, as most formats keep them, to axes and data."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cascade_calibration.measurement import Measurement
from cascade_calibration.units import to_base
from cascade_qec.errors import CascadeError

_PAIRS = (
    # magnitude, angle
    (r"(magn\w*|signal|\|s21\|)", r"(phase|s21 angle|s21 phase)", True),
    # in phase, quadrature
    (r"(i|raw w0|w0|voltage i\d?|re|real)", r"(q|raw w[13]|w1|voltage q\d?|im|imag)", False),
    (r"raw w1", r"raw w0", False),
)
_WORDS = {
    "freq": "frequency",
    "frequency": "frequency",
    "rf_frequency": "frequency",
    "amp": "amplitude",
    "wait": "delay",
    "tau": "delay",
    "time": "delay",
    "ro_pulse_delay": "delay",
    "bias": "flux",
    "length": "length",
}


@dataclass(frozen=True)
class Column:
    """A column: its name, its units, and its values [rows]."""

    name: str
    unit: str
    values: NDArray[Any]


def measurement(axes: Sequence[Column], data: Sequence[Column], **attributes: str | float) -> Measurement:
    """A measurement from the columns of a table, one row for each point.

    Two axes that make a full grid become two axes; rows that repeat the values of one axis become shots, if each value
    is there as often. A magnitude and an angle, or two quadratures, that follow each other become one complex variable.

    Raises
    ------
    CascadeError
        If the columns have no rows, or several axes make no grid.
    """
    if not axes or not data or not len(axes[0].values):
        raise CascadeError(
            f"expected columns of axes and data with rows, found {len(axes)} axes and {len(data)} of data"
        )
    places = [np.unique(axis.values, return_inverse=True) for axis in axes]
    shape = [len(values) for values, _ in places]
    rows = len(axes[0].values)
    variables = complexes(data)
    cells = int(np.prod(shape))
    cell = np.ravel_multi_index([inverse for _, inverse in places], shape)
    each, uneven = divmod(rows, cells)
    full = not uneven and bool((np.bincount(cell, minlength=cells) == each).all())
    if full and (len(axes) > 1 or each > 1):
        order = np.argsort(cell, kind="stable")
        coordinates, tail = [values for values, _ in places], [each] if each > 1 else []
    elif len(axes) == 1:  # in the order in which it was measured
        order, coordinates, shape, tail = np.arange(rows), [axes[0].values], [rows], []
    else:
        raise CascadeError(f"expected points on a full grid of {' x '.join(map(str, shape))}, found {rows} rows")
    return Measurement.of(
        {canonical(axis.name): (values, axis.unit) for axis, values in zip(axes, coordinates, strict=True)},
        {one.name: (one.values[order].reshape([*shape, *tail]), one.unit) for one in variables},
        **attributes,
    )


def complexes(data: Sequence[Column]) -> list[Column]:
    """Columns of data, pairs that follow each other made complex, and names made different."""
    found: list[Column] = []
    rest = list(data)
    while rest:
        first = rest.pop(0)
        polar = _pair(first.name, rest[0].name) if rest else None
        if polar is not None:
            second = rest.pop(0)
            if polar:
                to_radians, unit = to_base(second.unit)
                if unit not in ("rad", ""):
                    raise CascadeError(f"{second.name}: expected an angle in deg or rad, found {second.unit}")
                values = first.values * np.exp(1j * to_radians * second.values)
            else:
                values = first.values + 1j * second.values
            first = Column("iq", first.unit, values)
        name, taken = first.name, {one.name for one in found}
        number = next(i for i in range(len(data) + 1) if (f"{name}_{i}" if i else name) not in taken)
        found.append(Column(f"{name}_{number}" if number else name, first.unit, first.values))
    return found


def canonical(name: str) -> str:
    """What an axis is called here."""
    return _WORDS.get(re.sub(r"\W+", "_", name.strip().lower()), re.sub(r"\W+", "_", name.strip()))


def _pair(first: str, second: str) -> bool | None:
    """True for magnitude and angle, False for two quadratures, None for neither."""
    for one, other, polar in _PAIRS:
        if re.fullmatch(one, first.lower()) and re.fullmatch(other, second.lower()):
            return polar
    return None
