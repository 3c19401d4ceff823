"""Rabi oscillations: the population against the amplitude, or the length, of a resonant pulse."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cascade_calibration.analysis.oscillation import aliases, oscillation
from cascade_calibration.analysis.ranges import likeliest_window
from cascade_calibration.analysis.registry import Family
from cascade_calibration.analysis.separable import Array, Fit, fit_robustly, lack_of_fit
from cascade_calibration.analysis.summary import curve, quality
from cascade_calibration.analysis.trace import Trace, trace
from cascade_calibration.analysis.verdict import Estimate, Range, Verdict
from cascade_calibration.analysis.weighing import divided, most_probable, weigh
from cascade_calibration.measurement import Measurement

_STATUSES = ("SUCCESS", "FIT_POOR", "RANGE_TOO_NARROW", "NO_SIGNAL", "DAMPED", "UNDERSAMPLED")

_PERIODS = 1.0
"""Periods that the window must have."""
_PER_PERIOD = 3.1
"""Points that a period must have: fewer may be aliases of each other in the noise."""
_DECAYS = np.log(2)
"""Decay times that the window may have: half of the oscillation is then left."""
_AIM = 1.35


def analyse(measurement: Measurement) -> Verdict:
    """The amplitude or length of a pi pulse, and whether the sweep suits it."""
    line = trace(measurement, ("s", "V", "A", ""), least=6)
    models = [
        oscillation(line.x, phase=phase, envelope=envelope)
        for phase in (0.0, None)
        for envelope in ("exponential", "gaussian")
    ]
    fits, kept = fit_robustly(models, line.x, line.y)
    used = line.keep(kept)
    probabilities = weigh(fits, _STATUSES, lambda fit: _status(used, fit), nothing="NO_SIGNAL")
    if fits:
        probabilities = divided(probabilities, "FIT_POOR", lack_of_fit(fits[0]), among=("SUCCESS", "DAMPED"))
    status, probability = most_probable(probabilities)
    best = fits[0] if fits and status != "NO_SIGNAL" else None
    parameters = _parameters(line, best) if best and status not in ("UNDERSAMPLED", "FIT_POOR") else {}
    sentences, suggested = _advice(status, line, fits)
    facts = {}
    if best:
        periods, decays = map(float, best.theta)
        facts = {"periods": periods, "points per period": line.window / line.step / periods}
        facts["window / decay"] = decays
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


def _status(line: Trace, fit: Fit) -> NDArray[np.str_]:
    periods, decays = fit.thetas[:, 0], fit.thetas[:, 1]
    per_period = line.window / line.step / periods
    conditions = [per_period < _PER_PERIOD, periods < _PERIODS, decays > _decays(fit)]
    return np.select(conditions, ["UNDERSAMPLED", "RANGE_TOO_NARROW", "DAMPED"], "SUCCESS")


def _decays(fit: Fit) -> float:
    return float(np.sqrt(_DECAYS) if fit.model.name.startswith("gaussian") else _DECAYS)


def _parameters(line: Trace, best: Fit) -> dict[str, Estimate]:
    def pi(theta: Array) -> Array:
        return line.window / (2 * theta[..., 0])

    return {"pi": best.estimate(pi, line.x_unit)}


def _advice(status: str, line: Trace, fits: list[Fit]) -> tuple[tuple[str, ...], tuple[Range, ...]]:
    points = max(61, len(line.x))
    if status == "NO_SIGNAL" or not fits:
        return (
            "The signal does not oscillate by more than its noise.",
            "The data cannot tell a drive that misses the qubit from a range that is far too narrow.",
        ), (Range(line.axis, 0.0, 4 * float(np.abs(line.x).max()), line.x_unit, points),)
    best = fits[0]
    periods = float(best.theta[0])
    period = line.window / best.thetas[:, 0]
    longest = (points - 1) / _PER_PERIOD
    if status == "SUCCESS":
        return (f"A cosine fits, over {periods:.2g} periods.",), ()
    if status == "RANGE_TOO_NARROW":
        window = likeliest_window(period, _AIM * _PERIODS, min(longest / _AIM, 4.0))
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
        left = float(_decays(best) / best.theta[1])
        window = max(1.5 * line.window / periods, 0.55 * left * line.window)
        sentences = (f"The oscillation falls to a half in {left:.0%} of the sweep.", "A shorter sweep shows it at full size.")
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
