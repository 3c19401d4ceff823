"""Ramsey fringes between the ground and a Rydberg state, at delays in clusters."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from cascade_calibration.analysis.ramsey import fringes
from cascade_calibration.analysis.registry import Family
from cascade_calibration.analysis.separable import Fit, Model, estimate, fit_robustly
from cascade_calibration.analysis.summary import curve, quality
from cascade_calibration.analysis.trace import Trace, trace
from cascade_calibration.analysis.verdict import Range, Verdict
from cascade_calibration.analysis.weighing import most_probable, weigh
from cascade_calibration.measurement import Measurement

_STATUSES = ("SUCCESS", "UNDERSAMPLED")

_GAP = 3.0
"""Steps between neighbours that are a gap between clusters."""
_SPAN = 0.6
"""Of a period, that a cluster must span."""
_PER_PERIOD = 2.5
"""Points in a cluster that a period must have."""
_LASTING = 0.2
"""Of the window, that the fringes must last."""
_SAME = 0.25
"""Turns by which two fits may differ over the window and be the same frequency."""
_FINE = 5.0
"""Points that a period should have in the next measurement."""
_POINTS = 301
_GRID = 2.5
"""Frequencies searched per period of the window."""


def analyse(measurement: Measurement) -> Verdict:
    """Frequency and T2, and whether the clusters of delays allow one frequency alone."""
    line = trace(measurement, ("s",), least=8)
    span, step = _clusters(line)
    fits, kept = fit_robustly([_model(line, span, step, exponent) for exponent in (1, 2)], line.x, line.y)
    probabilities = weigh(fits, _STATUSES, lambda one: _status(one, fits[0], span, step), nothing="UNDERSAMPLED")
    status, probability = most_probable(probabilities)
    best = fits[0] if fits and fits[0].evidence > 0 else None
    parameters = {}
    facts = {"longest cluster [s]": span, "step in clusters [s]": step}
    if best:
        frequency = float(best.theta[0]) / line.window
        facts |= {"periods in a cluster": span * frequency, "points per period": 1 / (step * frequency)}
        if status == "SUCCESS":
            same = [one for one in fits if abs(one.theta[0] - best.theta[0]) < _SAME]
            parameters = {
                "frequency": estimate(same, lambda p: p[..., 0] / line.window, "Hz"),
                "T2": estimate(same, lambda p: np.exp(p[..., 1]) * line.window, "s"),
            }
    return Verdict(
        family="rydberg_ramsey",
        status=status,
        probability=probability,
        probabilities=probabilities,
        parameters=parameters,
        evidence=quality(line, best, kept) | facts,
        sentences=_sentences(status, fits, best, facts),
        suggested_range=() if status == "SUCCESS" else (_suggested(line, best, span, step),),
        next_experiment="correct the laser's frequency by the detuning"
        if status == "SUCCESS"
        else "rydberg_ramsey over the suggested delays, or clusters that span a period with five points and more",
        picture=curve(line, best, kept),
    )


def _model(line: Trace, span: float, step: float, exponent: float) -> Model:
    """Between clusters, frequencies that look the same in each of them differ: twice as many can be told."""
    most = line.window / step / (2 if span > line.window / 2 else 1)
    periods = np.linspace(0.2, most, max(8, int(_GRID * most)))
    return fringes(line.x, exponent, periods, np.linspace(np.log(0.1), np.log(20.0), 4))


def _clusters(line: Trace) -> tuple[float, float]:
    """How long the longest cluster is, and the usual step within clusters."""
    x = np.unique(line.x)
    steps = np.diff(x)
    step = float(np.median(steps))
    ends = np.flatnonzero(np.concatenate([[True], steps > _GAP * step, [True]]))
    return float(max(x[last - 1] - x[first] for first, last in pairwise(ends))), step


def _status(one: Fit, best: Fit, span: float, step: float) -> NDArray[np.str_]:
    """Another frequency than the best that fits as well means that the clusters do not tell."""
    frequency = one.thetas[:, 0] / np.ptp(one.x)
    alone = abs(one.theta[0] - best.theta[0]) < _SAME
    # fringes that are over after the first of the clusters say nothing of the others
    alone = alone & (one.thetas[:, 1] > np.log(_LASTING))
    good = alone & (span * frequency > _SPAN) & (step * frequency < 1 / _PER_PERIOD)
    return np.where(good, "SUCCESS", "UNDERSAMPLED")


def _sentences(status: str, fits: list[Fit], best: Fit | None, facts: dict[str, float]) -> tuple[str, ...]:
    if best is None:
        return (
            "The signal does not oscillate by more than its noise.",
            "The data cannot tell a lost signal from delays that miss the fringes.",
        )
    seen = (
        f"Clusters span {facts['periods in a cluster']:.2g} periods, with {facts['points per period']:.2g} points each."
    )
    if status == "SUCCESS":
        return ("One decaying cosine fits all clusters of delays.", seen)
    others = [
        one for one in fits[1:] if abs(one.theta[0] - best.theta[0]) >= _SAME and one.evidence > best.evidence - 3
    ]
    if others:
        found = ", ".join(f"{one.theta[0] / np.ptp(one.x):.4g}" for one in [best, *others][:3])
        return (seen, f"Several frequencies fit as well: {found} Hz.")
    return (seen, "A frequency from such clusters may be an alias of the true one.")


def _suggested(line: Trace, best: Fit | None, span: float, step: float) -> Range:
    """Evenly spaced delays: finer steps than in the clusters if these are too coarse, else over the whole window."""
    frequency = float(best.theta[0]) / line.window if best else 1 / span
    coarse = step * frequency > 1 / _FINE
    window = min(line.window, (_POINTS - 1) * step / 3) if coarse else line.window
    return Range(line.axis, 0.0, window, line.x_unit, _POINTS)


FAMILY = Family(
    name="rydberg_ramsey",
    about="Ramsey fringes of a Rydberg transition: frequency and T2 from the occupancy at clusters of delays",
    statuses=_STATUSES,
    called=r"\brydberg\b.*\bramsey\b",
    analyse=analyse,
)
