"""From a measurement to a verdict."""

from cascade_calibration.analysis.registry import Family, family_of, get, names
from cascade_calibration.analysis.verdict import Curve, Estimate, Map, Range, Verdict
from cascade_calibration.measurement import Measurement

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
        If the family is unknown, or the measurement cannot be of it: other axes or units, too few points.
    """
    return (get(family) if family else family_of(measurement)).analyse(measurement)
