"""T1: an excited qubit relaxes; the signal decays exponentially with the delay."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cascade_calibration.analysis.ranges import likeliest_window
from cascade_calibration.analysis.registry import Family
from cascade_calibration.analysis.separable import Array, Fit, Model, estimate, fit_robustly
from cascade_calibration.analysis.summary import curve, quality
from cascade_calibration.analysis.trace import Trace, trace
from cascade_calibration.analysis.verdict import Range, Verdict
from cascade_calibration.analysis.weighing import most_probable, weigh
from cascade_calibration.measurement import Measurement

_STATUSES = ("SUCCESS", "NO_SIGNAL", "WINDOW_TOO_SHORT", "SAMPLING_TOO_COARSE")

_SHORT = 2.1
"""Decay times that the window must be long: less than an eighth of the signal is then left."""
_RESOLVED = 1.5, 3
"""Within so many decay times of the first point there must be so many points."""
_AIM = 1.4
"""The next measurement should be on the good side of both limits by this factor."""


def decay(x: Array, step: float) -> Model:
    """An exponential decay to a constant; theta is the logarithm of the decay time."""

    def basis(x: Array, theta: Array) -> Array:
        return np.exp(-(x - x[0])[:, None] / np.exp(theta)[..., None, :])

    return Model("decay", basis, (np.linspace(np.log(step / 5), np.log(8 * np.ptp(x)), 80),))


def analyse(measurement: Measurement) -> Verdict:
    """The decay time, and whether the delays suit it."""
    line = trace(measurement, ("s",))
    fits, kept = fit_robustly([decay(line.x, line.step)], line.x, line.y)
    used = line.keep(kept)

    def status_of(fit: Fit) -> NDArray[np.str_]:
        return _status(used, np.exp(fit.thetas[:, 0]))

    probabilities = weigh(fits, _STATUSES, status_of, nothing="NO_SIGNAL")
    status, probability = most_probable(probabilities)
    best = fits[0] if fits and status != "NO_SIGNAL" else None
    t1 = estimate(fits, lambda p: np.exp(p[..., 0]), "s") if best else None
    sentences, suggested = _advice(status, line, fits)
    return Verdict(
        family="t1",
        status=status,
        probability=probability,
        probabilities=probabilities,
        parameters={"T1": t1} if t1 else {},
        evidence=quality(line, best, kept) | ({"window / T1": line.window / t1.value} if t1 else {}),
        sentences=sentences,
        suggested_range=suggested,
        next_experiment={
            "SUCCESS": "ramsey_t2star",
            "NO_SIGNAL": "check the pi pulse (rabi) and the readout (gmm), then repeat",
        }.get(status, "t1 over the suggested delays"),
        picture=curve(line, best, kept, marks={"T1": line.x[0] + t1.value} if t1 else {}),
    )


def _status(line: Trace, t1: Array) -> NDArray[np.str_]:
    reach, points = _RESOLVED
    inside = np.searchsorted(line.x, line.x[0] + reach * t1, side="right")
    short = line.window < _SHORT * t1
    return np.where(short, "WINDOW_TOO_SHORT", np.where(inside < points, "SAMPLING_TOO_COARSE", "SUCCESS"))


def _advice(status: str, line: Trace, fits: list[Fit]) -> tuple[tuple[str, ...], tuple[Range, ...]]:
    points = max(61, len(line.x))
    reach, within = _RESOLVED
    longest = reach * (points - 1) / (within - 1)
    t1 = np.exp(fits[0].thetas[:, 0]) if fits else np.array([line.window])
    suggested = (Range(line.axis, 0.0, likeliest_window(t1, _AIM * _SHORT, longest / _AIM), "s", points),)
    if status == "NO_SIGNAL":
        return (
            "The signal does not change with the delay by more than its noise.",
            "The data cannot tell a qubit that was not excited from one that decayed at once or hardly at all.",
        ), suggested
    ratio = line.window / np.exp(fits[0].theta[0])
    if status == "WINDOW_TOO_SHORT":
        left = f"The delays end after {ratio:.2g} decay times, with {np.exp(-ratio):.0%} of the signal left."
        return (left, "The level that it decays to is a guess, and so is T1."), suggested
    if status == "SAMPLING_TOO_COARSE":
        inside = int((line.x <= line.x[0] + line.window / ratio).sum())
        return (
            f"The signal is gone after the first {inside} of {len(line.x)} points.",
            "The step between delays is too long to tell how fast it decays.",
        ), suggested
    return (f"An exponential decay fits, over {ratio:.2g} decay times.",), ()


FAMILY = Family(
    name="t1",
    about="relaxation: the decay time T1 from the signal against the delay",
    statuses=_STATUSES,
    called=r"\bt1\b(?!.*(fluct|stab))",
    analyse=analyse,
)
