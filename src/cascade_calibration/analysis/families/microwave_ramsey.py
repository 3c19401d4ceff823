"""Ramsey fringes of a clock qubit against the frequency of the microwaves: their place, and how far they reach."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cascade_calibration.analysis.registry import Family
from cascade_calibration.analysis.separable import Array, Fit, Model, estimate, fit_robustly, side_by_side
from cascade_calibration.analysis.summary import curve, quality
from cascade_calibration.analysis.trace import trace
from cascade_calibration.analysis.verdict import Verdict
from cascade_calibration.analysis.waves import cosine_and_sine
from cascade_calibration.analysis.weighing import most_probable, weigh
from cascade_calibration.measurement import Measurement
from cascade_qec.errors import CascadeError

_STATUSES = ("SUCCESS", "LOW_CONTRAST", "DETUNED")

_CONTRAST = 0.6
"""From the minimum to the maximum of good fringes."""
_HIGH = 0.6
"""Middle of fringes that detuned pulses raise, as they cannot empty the state; lost atoms and dephasing do not."""
_SEEN = 4.0
"""Logarithm of the Bayes factor from which fringes get numbers: less certain ones look larger than they are."""
_DRIFT = 0.1
"""Of the noise: what slow drift of the readout moves the level by, which no more points make less."""
_BEYOND = 0.5
"""How far values may lie outside of 0 to 1, by noise."""


def analyse(measurement: Measurement) -> Verdict:
    """Where the fringes have their minimum, and whether they reach from nearly nothing to nearly all."""
    line = trace(measurement, ("Hz",), least=6)
    if line.y_unit or np.median(line.y) < -_BEYOND or np.median(line.y) > 1 + _BEYOND:
        raise CascadeError(
            f"expected the share of atoms that stayed, between 0 and 1 and without units, found values near "
            f"{np.median(line.y):.3g} {line.y_unit}"
        )
    fits, kept = fit_robustly([_fringes(line.x)], line.x, line.y)
    middle = float(np.median(line.y))
    flat = "DETUNED" if middle > _HIGH else "LOW_CONTRAST"
    probabilities = weigh(fits, _STATUSES, _status, nothing=flat)
    status, probability = most_probable(probabilities)
    best = fits[0] if fits and fits[0].evidence > _SEEN else None
    parameters = {}
    if best:
        place = _minimum(best, line.x[0], line.window)
        noise = 4 * best.sigma**2 / len(best.x)
        parameters = {
            "contrast": estimate(fits, lambda p: 2 * _size(p, noise), ""),
            "minimum": estimate(fits, lambda p: p[..., 1] - _size(p, noise), "").with_error(_DRIFT * best.sigma),
        }
        if status != "DETUNED":
            parameters["detuning"] = estimate(fits, lambda p: -_minima(p, place, line.x[0], line.window), "Hz")
    facts = {"middle": middle}
    if best:
        facts |= {"periods": float(best.theta[0]), "dark time [s]": float(best.theta[0]) / line.window}
    return Verdict(
        family="microwave_ramsey",
        status=status,
        probability=probability,
        probabilities=probabilities,
        parameters=parameters,
        evidence=quality(line, best, kept) | facts,
        sentences=_sentences(status, best, middle),
        next_experiment={
            "SUCCESS": "correct the microwaves' frequency by the detuning",
            "LOW_CONTRAST": "check the preparation, the losses and the coherence before the frequency",
            "DETUNED": "scan the microwaves' frequency over more than the Rabi frequency, then rabi",
        }[status],
        picture=curve(
            line, best, kept, marks={"minimum": -parameters["detuning"].value} if "detuning" in parameters else {}
        ),
    )


def _fringes(x: Array) -> Model:
    """A cosine of any phase; theta is the number of periods in the window."""
    window = float(np.ptp(x))
    most = 0.5 * (len(np.unique(x)) - 1)

    def basis(x: Array, theta: Array) -> Array:
        angle = 2 * np.pi * theta[..., :1] * (x - x[0]) / window
        return side_by_side(*cosine_and_sine(angle))

    return Model("fringes", basis, (np.linspace(0.5, most, max(8, int(5 * most))),))


def _size(p: Array, noise: float = 0.0) -> Array:
    """Amplitude; `noise` is what cosine and sine have of it in the mean of its square, by chance and by the search.

    The best has it once; samples around the best have it twice.
    """
    return np.sqrt(np.maximum(p[..., 2] ** 2 + p[..., 3] ** 2 - noise * p.ndim, 0.0))


def _status(fit: Fit) -> NDArray[np.str_]:
    size, middle = _size(fit.samples), fit.samples[:, 1]
    return np.where(2 * size >= _CONTRAST, "SUCCESS", np.where(middle > _HIGH, "DETUNED", "LOW_CONTRAST"))


def _minimum(best: Fit, start: float, window: float) -> float:
    """The minimum that is nearest to no detuning."""
    return float(_minima(np.concatenate([best.theta, best.amplitudes]), 0.0, start, window))


def _minima(p: Array, near: float, start: float, window: float) -> Array:
    """For each sample [..., 4] the minimum that is nearest to a place: [...]."""
    period = window / p[..., 0]
    first = start + (np.arctan2(p[..., 3], p[..., 2]) + np.pi) / (2 * np.pi) * period
    return first + np.round((near - first) / period) * period


def _sentences(status: str, best: Fit | None, middle: float) -> tuple[str, ...]:
    if best is None:
        seen = f"The signal is flat at {middle:.2g}, within its noise."
    else:
        size, centre = float(np.hypot(*best.amplitudes[1:])), float(best.amplitudes[0])
        seen = f"The fringes reach from {centre - size:.2g} to {centre + size:.2g}."
    if status == "SUCCESS":
        return (seen,)
    if status == "DETUNED":
        return (seen, "Atoms stay, but pulses that are detuned by about the Rabi frequency cannot empty the state.")
    return (seen, "Lost atoms, a poor preparation or dephasing lowers both ends, or the upper; a detuning does not.")


FAMILY = Family(
    name="microwave_ramsey",
    about="Ramsey fringes of a clock qubit: the share of atoms that stay against the frequency of the microwaves",
    statuses=_STATUSES,
    called=r"\bmicrowave\b.*\bramsey\b|\bclock\b.*\bramsey\b",
    analyse=analyse,
)
