"""What a signal is for the ground and for the excited state, where a measurement says so."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from cascade_calibration.measurement import Measurement
from cascade_calibration.units import to_base
from cascade_qec.errors import CascadeError

_POINTS = 10.0


@dataclass(frozen=True)
class Levels:
    """Signals of the ground and the excited state, in base units, and how many points each is the average of.

    Attributes
    ----------
    direction
        From one to the other, of modulus 1; None for real signals. The levels are along it.
    """

    ground: float
    excited: float
    points: float
    direction: complex | None = None


def levels(measurement: Measurement) -> Levels | None:
    """What a measurement says of the levels.

    The attributes `ground` and `excited` say them, as numbers or texts, in the units of the signal, complex ones for
    quadratures; `level_points` (by default 10) says how many points. Expectation values of Z and populations need none:
    they are without units, and called so. None where nothing tells.

    Raises
    ------
    CascadeError
        If the attributes are no two different finite numbers.
    """
    signal = measurement.signal
    scale, unit = to_base(str(signal.attrs["units"]))
    attributes = measurement.dataset.attrs
    quadratures = np.iscomplexobj(signal.values)
    if "ground" in attributes and "excited" in attributes:
        given = attributes["ground"], attributes["excited"], attributes.get("level_points", _POINTS)
        try:
            ground, excited, counted = (complex(str(one)) for one in given)
        except ValueError as error:
            raise CascadeError(f"expected numbers as the levels `ground` and `excited`, found {given}") from error
        if not np.isfinite([ground, excited, counted]).all() or ground == excited:
            raise CascadeError(f"expected two different levels `ground` and `excited`, found {given[0]} and {given[1]}")
        if not quadratures and (ground.imag or excited.imag):
            raise CascadeError(f"expected real levels of a real signal, found {given[0]} and {given[1]}")
        direction = (excited - ground) / abs(excited - ground) if quadratures else 1.0 + 0j
        low, high = (scale * (one * direction.conjugate()).real for one in (ground, excited))
        return Levels(low, high, max(counted.real, 1.0), direction if quadratures else None)
    if unit == "" and not quadratures:
        if re.fullmatch(r"[<⟨]?z[>⟩]?( expectation)?", str(signal.name), flags=re.IGNORECASE):
            return Levels(1.0, -1.0, _POINTS)
        if re.search(r"pop|prob", str(signal.name), flags=re.IGNORECASE):
            return Levels(0.0, 1.0, _POINTS)
    return None
