"""From a measurement to a verdict."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cascade_calibration.analysis.registry import Family, family_of, get, names
from cascade_calibration.analysis.verdict import Curve, Estimate, Map, Range, Verdict
from cascade_calibration.measurement import Measurement
from cascade_qec.errors import CascadeError

__all__ = ["Curve", "Estimate", "Family", "Map", "Range", "Verdict", "diagnose", "family_of", "get", "names"]


def diagnose(measurement: Measurement, family: str | None = None) -> Verdict:
    """Say what a measurement shows, and what to do next.

    Parameters
    ----------
    family
        One of :func:`names`. By default, what the measurement says, or its name tells.

    Raises
    ------
    CascadeError
        If the family is unknown, or the measurement cannot be of it: other axes or units, too few points, values too
        far apart or too near for squares of their differences.
    """
    analyser = get(family) if family else family_of(measurement)
    for name in (*measurement.axes, *measurement.dataset.data_vars):
        _check_spread(str(name), measurement.dataset[name].to_numpy())
    return analyser.analyse(measurement)


def _check_spread(name: str, values: NDArray[Any]) -> None:
    finite = values[np.isfinite(values)]
    with np.errstate(over="ignore"):
        spread = np.max(np.abs(finite - finite[:1]), initial=0)
    if spread and not 1e-100 <= spread <= 1e100:
        raise CascadeError(f"{name}: expected values that differ by 1e-100 to 1e100, or not at all, got {spread:.3g}")
