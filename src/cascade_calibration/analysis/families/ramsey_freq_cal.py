"""Ramsey fringes over a short window: the detuning of the drive."""

from __future__ import annotations

from cascade_calibration.analysis import ramsey
from cascade_calibration.analysis.registry import Family
from cascade_calibration.analysis.verdict import Verdict
from cascade_calibration.measurement import Measurement

_SHORT = 0.2
"""Decay times that the window must have: a much longer one tells the frequency no better, a much
shorter one several times worse."""


def analyse(measurement: Measurement) -> Verdict:
    """The detuning, and whether the delays suit it."""
    return ramsey.analyse(measurement, "ramsey_freq_cal", least=_SHORT, after="ramsey_t2star")


FAMILY = Family(
    name="ramsey_freq_cal",
    about="Ramsey fringes: the detuning of the drive from the signal against the delay between two pi/2 pulses",
    statuses=ramsey.STATUSES,
    called=r"\bramsey\b.*\bfreq",
    analyse=analyse,
)
