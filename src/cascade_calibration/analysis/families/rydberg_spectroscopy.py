"""Rydberg spectroscopy: what survives a pulse to a Rydberg state, against the laser's detuning."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from cascade_calibration.analysis.lines import Spectrum, alone
from cascade_calibration.analysis.registry import Family
from cascade_calibration.analysis.separable import Array, Fit, Model, estimate, fit_robustly, side_by_side
from cascade_calibration.analysis.summary import curve, quality
from cascade_calibration.analysis.trace import Trace, trace
from cascade_calibration.analysis.verdict import Verdict
from cascade_calibration.analysis.waves import cosine_and_sine
from cascade_calibration.analysis.weighing import most_probable, weigh
from cascade_calibration.measurement import Measurement

_STATUSES = ("SUCCESS", "LOW_CONTRAST")

_CONTRAST = 0.6
"""Of the population: what alignment, power and detection that are in order reach."""
_WHOLE = 1.4
"""Of the population, and noise: nothing transfers more."""
_SEEN = 8.0
"""Contrast over noise that will do where the signal is no probability."""
_RARE = -2.0
_TURNS = 0.1, 0.35, 1.0, 2.0, 3.0, 4.0, 5.0
"""Each stretch is looked at: pulses of a turn more look much alike, and so do weak ones of half a turn and less, of
which only those that transfer no more than all atoms can be.
"""
_PLACES = 6
_MOST = 0.25
"""Fringes for each point of the sweep: more have aliases."""


def rabi_lines(x: Array, y: Array) -> list[Model]:
    """Transfer by a square pulse, coherent or partly dephased; theta is the resonance, turns, and time.

    In units of the sweep's width, from its middle. Coherent pulses have a model for each stretch of turns.
    """
    window, middle = float(np.ptp(x)), float((x[0] + x[-1]) / 2)
    n = len(np.unique(x))
    most = _MOST * n
    places = np.unique(np.concatenate([[-0.45, 0.45], _symmetric(x, y)]))
    times = np.linspace(0.5, most, max(8, int(3 * most)))

    def parts(x: Array, theta: Array) -> tuple[Array, Array]:
        detuning = (x - middle) / window - theta[..., None, 0]
        rabi = theta[..., None, 1] / theta[..., None, 2]
        whole = rabi**2 + detuning**2
        return rabi**2 / whole, np.sqrt(whole) * theta[..., None, 2]

    def coherent(x: Array, theta: Array) -> Array:
        share, turns = parts(x, theta)
        return (share * _turned(turns))[..., None]

    def dephased(x: Array, theta: Array) -> Array:
        share, turns = parts(x, theta)
        return side_by_side(share * _turned(turns), share)

    bands = [np.linspace(low, high, 6) for low, high in pairwise(_TURNS)]
    each = [Model("coherent", coherent, (places, turns, times), -np.log(len(bands))) for turns in bands]
    return [*each, Model("dephased", dephased, (places, np.linspace(_TURNS[0], _TURNS[-1], 25), times), _RARE)]


def _turned(turns: Array) -> Array:
    """Population after so many turns about the axis of the drive."""
    return (1 - cosine_and_sine(2 * np.pi * turns)[0]) / 2


def _symmetric(x: Array, y: Array) -> Array:
    """Places about which the line is most its own mirror image, in windows from the middle."""
    n = 2 * len(x)
    even = np.interp(np.linspace(x[0], x[-1], n), x, y)
    even = even - np.median(even)
    bound = 4 * np.median(np.abs(even))
    transform = np.fft.fft(np.clip(even, -bound, bound), 2 * n)
    likeness = np.fft.ifft(transform**2).real[: 2 * n - 1]  # at twice the place
    place = np.arange(2 * n - 1) / (2 * (n - 1)) - 0.5
    likeness = np.where(np.abs(place) < 0.4, likeness, -np.inf)
    tops = np.flatnonzero((likeness[1:-1] >= likeness[:-2]) & (likeness[1:-1] >= likeness[2:])) + 1
    return place[tops[np.argsort(-likeness[tops])][:_PLACES]]


def analyse(measurement: Measurement) -> Verdict:
    """The resonance, Rabi frequency and pulse time, and whether the contrast is what it should be."""
    line = trace(measurement, ("Hz",), least=9)
    line = line.keep(~alone(Spectrum(line.x, line.y)))  # of few points, a fringe could follow any one
    fits, kept = fit_robustly(rabi_lines(line.x, line.y), line.x, line.y)
    probability_like = line.y_unit == "" and -0.3 < np.median(line.y) < 1.3 and np.ptp(line.y[kept]) < 2
    if probability_like:
        fits = [one for one in fits if _transfer(one) < _WHOLE] or fits

    def contrast(fit: Fit, p: Array) -> Array:
        values = (fit.model.basis(fit.x, p[..., :3]) @ p[..., 4:, None])[..., 0]
        return values.max(axis=-1) - values.min(axis=-1)

    def status_of(fit: Fit) -> NDArray[np.str_]:
        enough = _CONTRAST if probability_like else _SEEN * fit.sigma
        return np.where(contrast(fit, fit.samples) < enough, "LOW_CONTRAST", "SUCCESS")

    probabilities = weigh(fits, _STATUSES, status_of, nothing="LOW_CONTRAST")
    status, probability = most_probable(probabilities)
    best = fits[0] if fits and fits[0].evidence > 0 else None
    parameters = {}
    if best:
        middle = float((line.x[0] + line.x[-1]) / 2)
        same = [one for one in fits if one.model.name == best.model.name]
        parameters = {"contrast": estimate(same, lambda p: contrast(best, p), line.y_unit)}
        if status == "SUCCESS":
            parameters |= {
                "f_0": estimate(fits, lambda p: middle + line.window * p[..., 0], "Hz"),
                "f_Rabi": estimate(fits, lambda p: line.window * p[..., 1] / p[..., 2], "Hz"),
                "t": estimate(fits, lambda p: p[..., 2] / line.window, "s"),
            }
    return Verdict(
        family="rydberg_spectroscopy",
        status=status,
        probability=probability,
        probabilities=probabilities,
        parameters=parameters,
        evidence=quality(line, best, kept),
        sentences=_sentences(status, line, best, parameters["contrast"].value if best else 0.0),
        next_experiment="rydberg_ramsey"
        if status == "SUCCESS"
        else "align the beams, check the laser's power and lock, then rydberg_spectroscopy again",
        picture=curve(line, best, kept, marks={"f_0": parameters["f_0"].value} if "f_0" in parameters else {}),
    )


def _transfer(fit: Fit) -> float:
    """What a whole turn of a half would transfer, on resonance."""
    return float(np.abs(np.cumsum(fit.amplitudes[:0:-1])).max())


def _sentences(status: str, line: Trace, best: Fit | None, contrast: float) -> tuple[str, ...]:
    if best is None:
        return (
            "No resonance stands out of the noise.",
            "The data cannot tell light that does not reach the atoms from a resonance elsewhere.",
        )
    fringes = float(best.theta[2])
    told = (
        f"A {best.model.name} Rabi line fits, with a contrast of {contrast:.2g} and {fringes:.2g} fringes in the sweep."
    )
    if status == "SUCCESS":
        return (told,)
    return (
        told,
        f"Less than {_CONTRAST:.0%} of the population is transferred: power, alignment, lock or detection are off.",
    )


FAMILY = Family(
    name="rydberg_spectroscopy",
    about="Rydberg spectroscopy: resonance and Rabi frequency from what survives a pulse against its detuning",
    statuses=_STATUSES,
    called=r"\brydberg\b.*\bspec",
    analyse=analyse,
)
