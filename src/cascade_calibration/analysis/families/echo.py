"""Echo: a pi pulse in the middle of the delay undoes slow dephasing; the signal decays with T2."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cascade_calibration.analysis import decays
from cascade_calibration.analysis.oscillation import highest_frequency
from cascade_calibration.analysis.registry import Family
from cascade_calibration.analysis.separable import Array, Fit, Model, each_once, estimate, fit_robustly
from cascade_calibration.analysis.summary import curve, quality
from cascade_calibration.analysis.trace import trace
from cascade_calibration.analysis.verdict import Verdict
from cascade_calibration.analysis.waves import waves
from cascade_calibration.analysis.weighing import most_probable, weigh
from cascade_calibration.measurement import Measurement

_STATUSES = (*decays.STATUSES, "OSCILLATING")

_RARE = -2.0
"""Logarithm of how rare oscillations are, beside decays."""
_LEAST_PERIODS = 0.8
"""In a decay time: less is a decay of another shape."""


def analyse(measurement: Measurement) -> Verdict:
    """The decay time against the whole delay, and whether the delays suit it."""
    line = trace(measurement, ("s",))
    smooth = [decays.decay(line.x, line.step, exponent) for exponent in (1, 2)]
    oscillating = [_oscillating(line.x, line.step, exponent) for exponent in (1, 2)]
    fits, kept = fit_robustly([*smooth, *oscillating], line.x, line.y)
    used = line.keep(kept)

    def status_of(fit: Fit) -> NDArray[np.str_]:
        times = np.exp(fit.thetas[:, 0])
        suits = decays.suited(used, times)
        if fit.model in smooth:
            return suits
        seen = fit.thetas[:, 1] * np.minimum(times / line.window, 1) > _LEAST_PERIODS
        return np.where(seen & (suits != "SAMPLING_TOO_COARSE"), "OSCILLATING", suits)

    probabilities = weigh(fits, _STATUSES, status_of, nothing="NO_SIGNAL")
    status, probability = most_probable(probabilities)
    decaying = [one for one in fits if one.model in smooth]
    best = None
    if fits and status != "NO_SIGNAL":
        best = next(one for one in fits if (one.model in oscillating) == (status == "OSCILLATING"))
    t2 = estimate(decaying, lambda p: np.exp(p[..., 0]), "s") if best and status != "OSCILLATING" else None
    facts = {}
    if t2:
        facts["window / T2"] = line.window / t2.value
    elif best:
        facts["periods"] = float(best.theta[1])
    times = np.exp(decaying[0].thetas[:, 0]) if decaying else np.array([line.window])
    sentences = (
        decays.sentences(status, line, t2.value if t2 else np.nan, "T2")
        if status != "OSCILLATING" or best is None
        else (
            f"The echo oscillates at {best.theta[1] / line.window:.3g} Hz beside its decay.",
            "A pi pulse that is off, a detuning of the last pulse on purpose, or a coupled two-level system does that.",
        )
    )
    return Verdict(
        family="echo",
        status=status,
        probability=probability,
        probabilities=probabilities,
        parameters={"T2": t2} if t2 else {},
        evidence=quality(line, best, kept) | facts,
        sentences=sentences,
        suggested_range=() if status in ("SUCCESS", "OSCILLATING") else (decays.suggested(line, times),),
        next_experiment={
            "SUCCESS": "rb",
            "NO_SIGNAL": "check the pi pulse (rabi) and the readout (gmm), then repeat",
            "OSCILLATING": "tune the pi pulse (rabi, pingpong), then repeat",
        }.get(status, "echo over the suggested delays"),
        picture=curve(line, best, kept, marks={"T2": line.x[0] + t2.value} if t2 else {}),
    )


def _oscillating(x: Array, step: float, exponent: float) -> Model:
    """A decay with an oscillation of any size that decays with it; theta is (log T2, periods in the window)."""
    window = float(np.ptp(x))
    most = highest_frequency(x) * window
    times = np.linspace(np.log(2 * step), np.log(3 * window), 5)

    def basis(x: Array, theta: Array) -> Array:
        at = x - x[0]

        def fading(log_times: Array) -> Array:
            return np.exp(-((at / np.exp(log_times)[..., None]) ** exponent))[..., None]

        faded = each_once(fading, theta[..., 0])
        wave = each_once(lambda some: waves(some, at / window), theta[..., 1])
        return np.concatenate([faded, wave * faded], axis=-1)

    periods = np.linspace(1.0, max(2.0, most), max(8, int(3 * most)))
    return Model(f"oscillating {exponent:g}", basis, (times, periods), _RARE)


FAMILY = Family(
    name="echo",
    about="Hahn echo: the decay time T2 from the signal against the whole delay",
    statuses=_STATUSES,
    called=r"\becho\b",
    analyse=analyse,
)
