"""Rabi oscillations: the population against the amplitude, or the length, of a resonant pulse."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cascade_calibration.analysis.oscillation import (
    DISTORTIONS,
    ENVELOPES,
    aliases,
    distorted,
    from_nothing,
    left_over,
    oscillation,
)
from cascade_calibration.analysis.ranges import likeliest_window
from cascade_calibration.analysis.registry import Family
from cascade_calibration.analysis.separable import Fit, estimate, fit_robustly
from cascade_calibration.analysis.summary import curve, quality
from cascade_calibration.analysis.trace import Trace, trace
from cascade_calibration.analysis.verdict import Range, Verdict
from cascade_calibration.analysis.weighing import most_probable, weigh
from cascade_calibration.measurement import Measurement

_STATUSES = ("SUCCESS", "FIT_POOR", "RANGE_TOO_NARROW", "NO_SIGNAL", "DAMPED", "UNDERSAMPLED")

_PERIODS = 1.0
"""Periods that the window must have."""
_PER_PERIOD = 3.1
"""Points that a period must have: fewer may be aliases of each other in the noise."""
_LEFT = 0.5
"""Of the oscillation at the end of the window."""
_SHIFTED = -2.0
"""Logarithm of how rare another phase than 0 is in a sweep from zero."""
_DISTORTED = 0.1
"""Distance from a plain oscillation, of its size, that makes a fit poor; less hardly moves the pi pulse."""
_POINTS = 101
"""Of the next sweep at least: few leave it open whether an oscillation is damped or distorted."""
_ENOUGH = 2.5
"""Periods that the next window needs at most: many more, and they may be damped."""
_AIM = 1.35


def analyse(measurement: Measurement) -> Verdict:
    """The amplitude or length of a pi pulse, and whether the sweep suits it."""
    line = trace(measurement, ("s", "V", "A", ""), least=6)
    started = from_nothing(line.x)
    first, free = ([oscillation(line.x, phase=phase, envelope=one) for one in ENVELOPES] for phase in (0.0, None))
    free = [replace(one, prior=_SHIFTED if started else 0.0) for one in free]
    plain = [*first, *free]
    fits, kept = fit_robustly([*plain, *distorted(line.x)], line.x, line.y)
    used = line.keep(kept)
    good = [one for one in fits if one.model in plain]
    # of any phase, a plain oscillation may follow a distorted one and miss its pi pulse
    beside = [one for one in good if one.model in first or not started]
    probabilities = weigh(fits, _STATUSES, lambda fit: _status(used, fit, beside[0]), nothing="NO_SIGNAL")
    status, probability = most_probable(probabilities)
    best = fits[0] if fits and status != "NO_SIGNAL" else None
    parameters = {}
    if good and status in ("SUCCESS", "DAMPED", "RANGE_TOO_NARROW"):
        best = good[0]
        parameters = {"pi": estimate(good, lambda p: line.window / (2 * p[..., 0]), line.x_unit)}
    sentences, suggested = _advice(status, line, best)
    facts = {}
    if best:
        periods = float(best.theta[0])
        facts = {"periods": periods, "points per period": line.window / line.step / periods}
        facts["distortion"] = _distortion(fits[0], beside[0])
    return Verdict(
        family="rabi",
        status=status,
        probability=probability,
        probabilities=probabilities,
        parameters=parameters,
        evidence=quality(line, best, kept) | facts,
        sentences=sentences,
        suggested_range=suggested,
        next_experiment={
            "SUCCESS": "drag, then pi-pulse trains (pingpong)",
            "NO_SIGNAL": "check the frequency of the drive (qubit_spectroscopy) and the readout (gmm)",
        }.get(status, "rabi over the suggested range"),
        picture=curve(line, best, kept, marks={"pi": parameters["pi"].value} if "pi" in parameters else {}),
    )


def _status(line: Trace, fit: Fit, plain: Fit) -> NDArray[np.str_]:
    periods = fit.thetas[:, 0]
    coarse, narrow = line.window / line.step / periods < _PER_PERIOD, periods < _PERIODS
    if fit.model.name in DISTORTIONS and _distortion(fit, plain) > _DISTORTED:
        return np.where(coarse, "UNDERSAMPLED", np.where(narrow, "RANGE_TOO_NARROW", "FIT_POOR"))
    faded = left_over(fit) < _LEFT if fit.model.name not in DISTORTIONS else np.zeros(len(periods), dtype=bool)
    return np.select([coarse, narrow, faded], ["UNDERSAMPLED", "RANGE_TOO_NARROW", "DAMPED"], "SUCCESS")


def _distortion(fit: Fit, plain: Fit) -> float:
    """How far the best curve is from the best plain oscillation, of its size."""
    curve = fit(fit.x)
    return float(np.sqrt(((curve - plain(fit.x)) ** 2).mean()) / np.ptp(curve))


def _advice(status: str, line: Trace, best: Fit | None) -> tuple[tuple[str, ...], tuple[Range, ...]]:
    points = max(_POINTS, len(line.x))
    if best is None:
        return (
            "The signal does not oscillate by more than its noise.",
            "The data cannot tell a drive that misses the qubit from a range that is far too narrow.",
        ), (Range(line.axis, 0.0, 4 * float(np.abs(line.x).max()), line.x_unit, points),)
    periods = float(best.theta[0])
    period = line.window / best.thetas[:, 0]
    longest = (points - 1) / _PER_PERIOD
    if status == "SUCCESS":
        return (f"A cosine fits, over {periods:.2g} periods.",), ()
    if status == "RANGE_TOO_NARROW":
        window = likeliest_window(period, _AIM * _PERIODS, min(longest / _AIM, _ENOUGH))
        sentences = (f"The sweep ends after {periods:.2g} of a period.", "One period and more tell where pi is.")
    elif status == "UNDERSAMPLED":
        apart = line.window / line.step / periods
        other = aliases(periods / line.window, line.step)[1]
        window = 2.5 * np.sqrt(line.window / periods / other)
        sentences = (
            f"A period has {apart:.2g} points.",
            "Higher frequencies would look the same at these points.",
        )
    elif status == "DAMPED":
        left = float(np.median(left_over(best)))
        # half of that decay, whatever its shape
        window = max(1.4 * line.window / periods, 0.4 * line.window * np.log(_LEFT) / np.log(left))
        sentences = (
            f"At the end of the sweep {left:.0%} of the oscillation are left.",
            "A shorter one shows more.",
        )
    else:
        window = 2.2 * line.window / periods
        sentences = (
            "The signal oscillates, but a decaying cosine leaves structure in the residuals.",
            "A drive that saturates, a second frequency or a jump can do that.",
        )
    return sentences, (Range(line.axis, 0.0, float(window), line.x_unit, points),)


FAMILY = Family(
    name="rabi",
    about="driven oscillation: the pi pulse from the signal against a pulse's amplitude or length",
    statuses=_STATUSES,
    called=r"\brabi\b",
    analyse=analyse,
)
