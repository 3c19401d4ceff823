"""Rabi oscillations in amplitude where the drive may miss the qubit's frequency: weak pulses then do little."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cascade_calibration.analysis.oscillation import DISTORTIONS, ENVELOPES, distorted, oscillation
from cascade_calibration.analysis.ranges import likeliest_window
from cascade_calibration.analysis.registry import Family
from cascade_calibration.analysis.separable import Array, Fit, Model, estimate, fit_robustly
from cascade_calibration.analysis.summary import curve, quality
from cascade_calibration.analysis.trace import Trace, trace
from cascade_calibration.analysis.verdict import Range, Verdict
from cascade_calibration.analysis.waves import cosine_and_sine
from cascade_calibration.analysis.weighing import most_probable, weigh
from cascade_calibration.measurement import Measurement

_STATUSES = ("SUCCESS", "FIT_POOR", "OFF_RESONANCE", "RANGE_TOO_NARROW")

_PERIODS = 1.0
"""Periods that the window must have."""
_DETUNED = 0.15
"""Turns that the detuning makes during a pulse: a pi pulse then excites 92 %."""
_FADING = 0.0, 0.4
"""Decay times in the window that are tried off resonance; where more of it fades, the detuning is no matter."""
_DISTORTED = 0.1
"""Distance from the model, of its size, that makes a fit poor."""
_RARE = -1.0
"""Of distortions, beside plain oscillations."""
_AIM = 1.35


def analyse(measurement: Measurement) -> Verdict:
    """The amplitude of a pi pulse, and how far the drive misses the qubit's frequency."""
    line = trace(measurement, ("V", "A", ""), least=6)
    plain = [oscillation(line.x, phase=0.0, envelope=envelope) for envelope in ENVELOPES]
    off = [detuned(line.x, fading) for fading in _FADING]
    others = [replace(one, prior=_RARE) for one in distorted(line.x)]
    fits, kept = fit_robustly([*plain, *off, *others], line.x, line.y)
    good = [one for one in fits if one.model.name not in DISTORTIONS]
    probabilities = weigh(fits, _STATUSES, lambda fit: _status(fit, good[0], off), nothing="FIT_POOR")
    status, probability = most_probable(probabilities)
    best = fits[0] if fits and fits[0].evidence > 0 else None
    parameters = {}
    if best is not None and status != "FIT_POOR":
        best = good[0]
        parameters = {"pi": estimate(good, lambda p: line.window / (2 * p[..., 0]), line.x_unit)}
        if best.model in off:
            missed = [one for one in good if one.model in off]
            parameters["detuning times pulse length"] = estimate(missed, lambda p: p[..., 1], "")
    sentences, suggested = _advice(status, line, best, off)
    return Verdict(
        family="rabi_hw",
        status=status,
        probability=probability,
        probabilities=probabilities,
        parameters=parameters,
        evidence=quality(line, best, kept) | ({"periods": float(best.theta[0])} if best else {}),
        sentences=sentences,
        suggested_range=suggested,
        next_experiment={
            "SUCCESS": "drag, then pi-pulse trains (pingpong)",
            "OFF_RESONANCE": "find the qubit's frequency (qubit_spectroscopy, ramsey_freq_cal), then rabi_hw",
        }.get(status, "rabi_hw over the suggested range" if best else "check the drive (qubit_spectroscopy)"),
        picture=curve(line, best, kept, marks={"pi": parameters["pi"].value} if parameters else {}),
    )


def detuned(x: Array, fading: float = 0.0) -> Model:
    """A pulse of fixed length off resonance, against its amplitude.

    Theta is the number of periods that a window of amplitudes from zero makes on resonance, and the turns of the
    detuning.

    Parameters
    ----------
    fading
        Decay times in the window.
    """
    window = float(np.ptp(x))
    most = max(1.0, 0.5 * window / float(np.median(np.diff(np.unique(x)))))
    periods = np.linspace(0.15, most, max(12, int(4 * most)))

    def basis(x: Array, theta: Array) -> Array:
        drive = (theta[..., None, 0] * x / window) ** 2
        total = drive + theta[..., None, 1] ** 2
        size, wave = drive / np.maximum(total, 1e-12), cosine_and_sine(2 * np.pi * np.sqrt(total))[0]
        return (size * (1 - wave * np.exp(-fading * np.abs(x) / window)))[..., None]

    return Model(f"off resonance {fading:g}", basis, (periods, np.linspace(_DETUNED / 2, 1.5, 13)))


def _status(fit: Fit, good: Fit, off: list[Model]) -> NDArray[np.str_]:
    periods = fit.thetas[:, 0]
    narrow = periods < _PERIODS
    if fit.model.name in DISTORTIONS:
        curve = fit(fit.x)
        far = np.sqrt(((curve - good(fit.x)) ** 2).mean()) > _DISTORTED * np.ptp(curve)
        return np.where(narrow, "RANGE_TOO_NARROW", "FIT_POOR" if far else "SUCCESS")
    missed = fit.thetas[:, 1] > _DETUNED if fit.model in off else np.zeros(len(periods), dtype=bool)
    return np.select([narrow, missed], ["RANGE_TOO_NARROW", "OFF_RESONANCE"], "SUCCESS")


def _advice(status: str, line: Trace, best: Fit | None, off: list[Model]) -> tuple[tuple[str, ...], tuple[Range, ...]]:
    points, farthest = max(61, len(line.x)), float(np.abs(line.x).max())
    if best is None:
        return (
            "The signal does not oscillate by more than its noise, so there is nothing to fit.",
            "The data cannot tell a drive that misses the qubit from amplitudes that are far too small.",
        ), (Range(line.axis, 0.0, 4 * farthest, line.x_unit, points),)
    periods = float(best.theta[0])
    if status == "RANGE_TOO_NARROW":
        window = likeliest_window(line.window / best.thetas[:, 0], _AIM * _PERIODS, 4.0)
        return (
            f"The sweep ends after {periods:.2g} of a period.",
            "One period and more tell where pi is.",
        ), (Range(line.axis, 0.0, float(window), line.x_unit, points),)
    if status == "OFF_RESONANCE":
        return (
            f"Weak pulses excite less than they should: the detuning makes {best.theta[1]:.2g} turns in a pulse."
            if best.model in off
            else "Weak pulses excite less than they should.",
            "The amplitude of a pi pulse holds only once the frequency is right.",
        ), ()
    if status == "FIT_POOR":
        return (
            "The signal oscillates, but no cosine, on resonance or off it, follows it.",
            "A drive that saturates, a second frequency or a jump can do that.",
        ), (Range(line.axis, 0.0, 2.2 * line.window / periods, line.x_unit, points),)
    return (f"A cosine fits, over {periods:.2g} periods, and the drive is on resonance.",), ()


FAMILY = Family(
    name="rabi_hw",
    about="Rabi in amplitude with a drive that may be off resonance: the pi pulse and the detuning",
    statuses=_STATUSES,
    called=r"\brabi (hw|detun\w*|off resonan\w*)\b",
    analyse=analyse,
)
