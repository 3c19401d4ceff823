"""Pinch-off: a current falls from its plateau to zero as a gate voltage is swept."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from cascade_calibration.analysis.registry import Family
from cascade_calibration.analysis.separable import Array, Fit, Model, estimate, fit_robustly
from cascade_calibration.analysis.summary import curve, quality
from cascade_calibration.analysis.trace import Trace, trace
from cascade_calibration.analysis.verdict import Range, Verdict
from cascade_calibration.analysis.weighing import most_probable, weigh
from cascade_calibration.measurement import Measurement
from cascade_qec.errors import CascadeError

_STATUSES = ("SUCCESS", "INVERTED", "INCOMPLETE", "NO_TRANSITION", "NEGATIVE_OFFSET", "POSITIVE_OFFSET")

_ZERO = 0.13
"""What may be left of the step where the current is off."""
_WHOLE = 3.0
"""Widths from the middle of the transition to the end of the sweep: a twentieth of the step is left there."""
_SMALL = 2.5
"""A current that is so many steps high does not pinch off."""


def analyse(measurement: Measurement) -> Verdict:
    """The voltage of the transition, its width, and the current that is left."""
    line = trace(measurement, ("V", "", "A"), least=6)
    if np.iscomplexobj(measurement.signal.values):
        raise CascadeError("expected a current, whose zero is known, found complex values")
    raw = measurement.dataset.coords[line.axis].values
    forward = bool(np.nanmean(np.diff(raw)) >= 0)
    fits, kept = fit_robustly(_models(line, forward), line.x, line.y)
    probabilities = weigh(fits, _STATUSES, _status, nothing="NO_TRANSITION")
    status, probability = most_probable(probabilities)
    best = fits[0] if fits and status != "NO_TRANSITION" else None
    parameters = {}
    if best and status not in ("INCOMPLETE", "NO_TRANSITION"):
        start, way = (line.x[0], 1) if forward else (line.x[-1], -1)
        parameters = {
            "transition": estimate(fits, lambda p: start + way * line.window * p[..., 0], line.x_unit),
            "width": estimate(fits, lambda p: line.window * np.exp(p[..., 1]), line.x_unit),
        }
        alike = [one for one in fits if one.model is best.model]
        parameters["residual"] = estimate(alike, lambda p: p[..., 2], line.y_unit)
    sentences, suggested = _advice(status, line, forward, best)
    marks = {"transition": parameters["transition"].value} if parameters else {}
    facts = {"residual over step": float(best.amplitudes[0] / abs(best.amplitudes[1]))} if best else {}
    return Verdict(
        family="pinchoff",
        status=status,
        probability=probability,
        probabilities=probabilities,
        parameters=parameters,
        evidence=quality(line, best, kept) | facts,
        sentences=sentences,
        suggested_range=suggested,
        next_experiment={
            "SUCCESS": "set the gate beyond the transition",
            "INVERTED": "check polarity and wiring of the gate, then pinchoff",
            "NO_TRANSITION": "check that the gate is connected and the channel conducts, then pinchoff farther on",
            "NEGATIVE_OFFSET": "measure the current without a bias and subtract it, then pinchoff",
            "POSITIVE_OFFSET": "look for leakage or a channel beside the gate, then pinchoff",
        }.get(status, "pinchoff over the suggested range"),
        picture=curve(line, best, kept, marks=marks),
    )


def _models(line: Trace, forward: bool) -> list[Model]:
    """A step that ends at the constant, flat before or not; theta is its place and the logarithm of its width.

    Both are in windows, from where the sweep began.
    """

    def step(x: Array, theta: Array) -> Array:
        place = _place(line, forward, x)
        return expit((theta[..., None, 0] - place) / np.exp(theta[..., None, 1]))[..., None]

    def sloped(x: Array, theta: Array) -> Array:
        before = np.minimum(_place(line, forward, x) - theta[..., None, 0], 0)[..., None]
        one = step(x, theta)
        return np.concatenate([one, before * one], axis=-1)

    widths = np.linspace(np.log(max(line.step / line.window / 4, 1e-3)), np.log(0.3), 12)
    grid = np.linspace(0.0, 1.1, 45), widths
    return [Model("step", step, grid), Model("step after a slope", sloped, grid, -1.0)]


def _place(line: Trace, forward: bool, x: Array) -> Array:
    place = (x - line.x[0]) / line.window
    return place if forward else 1 - place


def _status(fit: Fit) -> NDArray[np.str_]:
    place, width = fit.thetas[:, 0], np.exp(fit.thetas[:, 1])
    rest, step = fit.samples[:, 2], fit.samples[:, 3]
    ratio = rest / np.abs(step)
    return np.select(
        [
            ratio > _SMALL,
            step < 0,
            (1 - place < _WHOLE * width) | (place < width),
            ratio > _ZERO,
            ratio < -_ZERO,
        ],
        ["NO_TRANSITION", "INVERTED", "INCOMPLETE", "POSITIVE_OFFSET", "NEGATIVE_OFFSET"],
        "SUCCESS",
    )


def _advice(status: str, line: Trace, forward: bool, best: Fit | None) -> tuple[tuple[str, ...], tuple[Range, ...]]:
    if best is None:
        return (
            "The current does not step down by more than its noise.",
            "The data cannot tell a gate that has no effect from a transition outside of the sweep.",
        ), (_further(line, forward, 0.0, 2.0),)
    place, width = float(best.theta[0]), float(np.exp(best.theta[1]))
    rest, step = best.amplitudes[0], best.amplitudes[1]
    middle = line.x[0] + place * line.window if forward else line.x[-1] - place * line.window
    where = f"The current changes at {middle:.3g} {line.x_unit}".rstrip()
    if status == "INCOMPLETE":
        begin, end = min(0.0, place - 4 * width), float(np.clip(place + 8 * width, 1.5, 2.5))
        return (
            f"{where}, and the sweep ends before it is off.",
            "A sweep that goes on shows what is left.",
        ), (_further(line, forward, begin, end),)
    return (
        f"{where}, within {width * line.window:.2g}; {rest / abs(step):+.0%} of the step are left.",
        *(("The current grows along the sweep.",) if status == "INVERTED" else ()),
    ), ()


def _further(line: Trace, forward: bool, begin: float, end: float) -> Range:
    """From one place to another, in windows from where the sweep began."""
    ends = [line.x[0] + one * line.window if forward else line.x[-1] - one * line.window for one in (begin, end)]
    return Range(line.axis, float(min(ends)), float(max(ends)), line.x_unit, int(np.ceil(len(line.x) * (end - begin))))


FAMILY = Family(
    name="pinchoff",
    about="pinch-off: the gate voltage at which a current is off, from the current against the voltage",
    statuses=_STATUSES,
    called=r"\bpinch ?off\b",
    analyse=analyse,
)
