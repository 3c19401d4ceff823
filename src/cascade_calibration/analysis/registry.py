"""The families: one file each in `families`, found by its name."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from cascade_calibration.analysis import families
from cascade_calibration.analysis.verdict import Verdict
from cascade_calibration.measurement import Measurement
from cascade_qec.errors import CascadeError, unknown


@dataclass(frozen=True)
class Family:
    """A family of measurements.

    Attributes
    ----------
    about
        A line that says what is swept and what is found.
    statuses
        That a verdict may have, the good one first.
    called
        Regular expression for what laboratories call it in names of experiments, whatever the case; `_` and `-` are
        blanks.
    analyse
        Raises :class:`CascadeError` for a measurement that cannot be of this family.
    """

    name: str
    about: str
    statuses: tuple[str, ...]
    called: str
    analyse: Callable[[Measurement], Verdict]

    @property
    def success(self) -> str:
        """The status that means: go on."""
        return self.statuses[0]


@cache
def names() -> tuple[str, ...]:
    """Names of all families."""
    return tuple(sorted(module.name for module in iter_modules(families.__path__)))


def get(name: str) -> Family:
    """A family by its name.

    Raises
    ------
    CascadeError
        If there is none of that name.
    """
    if name not in names():
        raise unknown("family", name, names())
    return import_module(f"{families.__name__}.{name}").FAMILY


def family_of(measurement: Measurement) -> Family:
    """The family that a measurement says it belongs to, or that its name tells.

    Raises
    ------
    CascadeError
        If neither tells one family.
    """
    if measurement.family:
        return get(measurement.family)
    words = re.sub(r"[_\-.]+", " ", measurement.name)
    fitting = [name for name in names() if re.search(get(name).called, words, flags=re.IGNORECASE)]
    if len(fitting) != 1:
        raise CascadeError(
            f"expected a measurement that says its family, or one whose name tells it; {measurement.name!r} tells "
            f"{' or '.join(fitting) or 'none'}: name one of {', '.join(names())}"
        )
    return get(fitting[0])
