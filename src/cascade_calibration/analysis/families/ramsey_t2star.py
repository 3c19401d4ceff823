"""Ramsey fringes over a window that shows their decay: T2*."""

from __future__ import annotations

from cascade_calibration.analysis import ramsey
from cascade_calibration.analysis.registry import Family
from cascade_calibration.analysis.verdict import Verdict
from cascade_calibration.measurement import Measurement

_SHORT = 1.2
"""Decay times that the window must have."""


def analyse(measurement: Measurement) -> Verdict:
    """T2*, the detuning, and whether the delays suit them."""
    return ramsey.analyse(measurement, "ramsey_t2star", least=_SHORT, after="echo")


FAMILY = Family(
    name="ramsey_t2star",
    about="Ramsey fringes: the dephasing time T2* from the signal against the delay between two pi/2 pulses",
    statuses=ramsey.STATUSES,
    called=r"\bt2 ?(\*|star)|\bramsey\b(?!.*(freq|charge|rydberg|micro|zz))",
    analyse=analyse,
)
