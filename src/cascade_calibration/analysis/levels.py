"""What a signal is for the ground and for the excited state, where a measurement says so."""

from __future__ import annotations

import re

import numpy as np

from cascade_calibration.measurement import Measurement
from cascade_calibration.units import to_base
from cascade_qec.errors import CascadeError

_POINTS = 10.0


def levels(measurement: Measurement) -> tuple[float, float, float] | None:
    """Signals of the ground and the excited state, in base units, and how many points each is the average of.

    The attributes `ground` and `excited` say them, in the units of the signal, and `level_points` (by default 10) how
    many points. Expectation values of Z and populations need none: they are without units, and called so. None where
    nothing tells.

    Raises
    ------
    CascadeError
        If the attributes are no two different finite numbers.
    """
    signal = measurement.signal
    scale, unit = to_base(str(signal.attrs["units"]))
    attributes = measurement.dataset.attrs
    if "ground" in attributes and "excited" in attributes:
        given = attributes["ground"], attributes["excited"], attributes.get("level_points", _POINTS)
        try:
            ground, excited, counted = (float(str(one)) for one in given)
        except ValueError as error:
            raise CascadeError(f"expected numbers as the levels `ground` and `excited`, found {given}") from error
        ground, excited = scale * ground, scale * excited
        if not np.isfinite([ground, excited, counted]).all() or ground == excited:
            raise CascadeError(f"expected two different levels `ground` and `excited`, found {ground} and {excited}")
        return ground, excited, max(counted, 1.0)
    if unit == "" and not np.iscomplexobj(signal.values):
        if re.fullmatch(r"[<⟨]?z[>⟩]?( expectation)?", str(signal.name), flags=re.IGNORECASE):
            return 1.0, -1.0, _POINTS
        if re.search(r"pop|prob", str(signal.name), flags=re.IGNORECASE):
            return 0.0, 1.0, _POINTS
    return None
