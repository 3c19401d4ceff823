"""What a simulator is, and what it gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pkgutil import iter_modules

import numpy as np

from cascade_calibration.analysis.verdict import Range
from cascade_calibration.measurement import Measurement
from cascade_calibration.simulation import families
from cascade_qec.errors import unknown


@dataclass(frozen=True)
class Draw:
    """A simulated measurement, and the truth about it.

    Attributes
    ----------
    truth
        Parameters in base units, named as the verdict names them.
    again
        Measures the same device over other ranges; None where no range would help.
    """

    measurement: Measurement
    truth: Mapping[str, float] = field(default_factory=dict)
    again: Callable[[tuple[Range, ...]], Measurement] | None = None


@dataclass(frozen=True)
class Simulator:
    """Simulates one family.

    Attributes
    ----------
    modes
        Ways to go right or wrong, and the status that each should get. Several may share one.
    draw
        ``(mode, signal to noise, generator) -> Draw``, with parameters from wide priors. Signal to noise is the whole
        contrast of the readout (ground to excited) over the standard deviation of a point.
    """

    modes: Mapping[str, str]
    draw: Callable[[str, float, np.random.Generator], Draw]


def get(name: str) -> Simulator:
    """A family's simulator.

    Raises
    ------
    CascadeError
        If there is none of that name.
    """
    known = [module.name for module in iter_modules(families.__path__)]
    if name not in known:
        raise unknown("family", name, known)
    return import_module(f"{families.__name__}.{name}").SIMULATOR
