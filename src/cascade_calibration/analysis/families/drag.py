"""DRAG: two sequences of pulses whose errors have opposite signs; their signals cross at the best coefficient."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from cascade_calibration.analysis.pair import Pair, pair
from cascade_calibration.analysis.registry import Family
from cascade_calibration.analysis.separable import Array, Fit, Model, estimate, fit_robustly
from cascade_calibration.analysis.summary import curve, quality
from cascade_calibration.analysis.trace import Trace
from cascade_calibration.analysis.verdict import Range, Verdict
from cascade_calibration.analysis.weighing import most_probable, weigh
from cascade_calibration.measurement import Measurement

_STATUSES = ("SUCCESS", "NO_SIGNAL", "OPTIMAL_NOT_CENTERED")

_CENTRED = 0.5
"""Of half the window: the crossing lies in its two quarters in the middle."""
_SECOND = 10.0
"""The second signal's places are moved by this, so that both are one line to fit; the first's are from -1 to 1."""
_FARTHEST = 3.0
_BENT = "bent lines", "bent lines over a slope"
_RATES = 0.1, 2.5
"""Radians by which errors grow in half a window: with the least, lines are straight."""
_DRIFT = 0.15
"""Standard deviation of what the readout drifts from one sequence to the other, in noise of a point: where it is not
seen, it moves the crossing.
"""
_FROM_HERE = 1.2
_STEP = 1.75
"""Half windows that the next sweep moves at most."""


def analyse(measurement: Measurement) -> Verdict:
    """The coefficient at which both sequences give the same signal."""
    two = pair(measurement, ("", "s", "V"))
    middle, half = (two.x[0] + two.x[-1]) / 2, two.window / 2
    place = (two.x - middle) / half
    at = np.concatenate([place, place + _SECOND])
    fits, kept = fit_robustly(_models(), at, np.concatenate([two.first, two.second]))
    probabilities = weigh(fits, _STATUSES, _status, nothing="NO_SIGNAL")
    status, probability = most_probable(probabilities)
    best = fits[0] if fits and status != "NO_SIGNAL" else None
    parameters = {}
    if best is not None:
        # errors are angles: lines that look straight are bent by less than the noise, which moves their crossing
        bent = [one for one in fits if one.model.name in _BENT]
        found = estimate(bent, lambda p: middle - half * np.tan(p[..., 0]), two.x_unit)
        slope = abs(2 * bent[0].amplitudes[1] * bent[0].theta[1]) / half
        found = found.with_error(_DRIFT * bent[0].sigma / slope)
        # farther away it is extrapolated, and lines bend
        if abs(found.value - middle) < _FROM_HERE * half and found.high - found.low < two.window:
            parameters = {"optimum": found}
    sentences, suggested = _advice(status, two, best)
    stacked = Trace(two.axis, two.x_unit, two.y_unit, at, np.concatenate([two.first, two.second]), None, two.missing)
    apart = Trace(two.axis, two.x_unit, two.y_unit, two.x, two.first - two.second, None, two.missing)
    lost = ~(kept[: len(two.x)] & kept[len(two.x) :])
    picture = curve(apart, None, ~lost, marks={"optimum": parameters["optimum"].value} if parameters else {})
    return Verdict(
        family="drag",
        status=status,
        probability=probability,
        probabilities=probabilities,
        parameters=parameters,
        evidence=quality(stacked, best, kept)
        | ({"crossing, in half windows from the middle": float(-np.tan(best.theta[0]))} if best else {}),
        sentences=sentences,
        suggested_range=suggested,
        next_experiment={
            "SUCCESS": "pi-pulse trains (pingpong)",
            "NO_SIGNAL": "check the pulse (rabi) and the readout (gmm); then more pulses in each sequence",
        }.get(status, "drag over the suggested range"),
        picture=picture,
    )


def _models() -> list[Model]:
    """Opposite signals, straight or bent as a sine is, alone and over a slope that both share.

    The first part of theta is an angle: 0 for lines that cross in the middle, a right angle for parallel ones.
    """
    angles = np.linspace(-np.pi / 2, np.pi / 2, 41)
    near = np.arctan(_FARTHEST)
    bends = (np.linspace(-near, near, 31), np.linspace(*_RATES, 9))

    def straight(x: Array, theta: Array) -> Array:
        place, sign = _unstacked(x)
        angle = theta[..., None, 0]
        return (sign * (np.cos(angle) * place + np.sin(angle)))[..., None]

    def bent(x: Array, theta: Array) -> Array:
        place, sign = _unstacked(x)
        off, rate = np.tan(theta[..., None, 0]), theta[..., None, 1]
        nearest = np.abs(rate * off) <= np.pi / 2  # of all crossings
        return (nearest * sign * np.sin(rate * (place + off)))[..., None]

    def over_slope(curve: Callable[[Array, Array], Array]) -> Callable[[Array, Array], Array]:
        def sloped(x: Array, theta: Array) -> Array:
            place = np.broadcast_to(_unstacked(x)[0], (*theta.shape[:-1], len(x)))
            return np.concatenate([curve(x, theta), place[..., None]], axis=-1)

        return sloped

    return [
        Model("lines", straight, (angles,)),
        Model(_BENT[0], bent, bends),
        Model("lines over a slope", over_slope(straight), (angles,), -1.0),
        Model(_BENT[1], over_slope(bent), bends, -1.0),
    ]


def _unstacked(x: Array) -> tuple[Array, Array]:
    second = x > _SECOND / 2
    return x - _SECOND * second, np.where(second, -1.0, 1.0)


def _status(fit: Fit) -> NDArray[np.str_]:
    return np.where(np.abs(np.tan(fit.thetas[:, 0])) < _CENTRED, "SUCCESS", "OPTIMAL_NOT_CENTERED")


def _advice(status: str, two: Pair, best: Fit | None) -> tuple[tuple[str, ...], tuple[Range, ...]]:
    middle, half = float(two.x[0] + two.x[-1]) / 2, two.window / 2
    if best is None:
        return (
            "The two signals do not differ by more than their noise, anywhere.",
            "The data cannot tell pulses that do not reach the qubit from too few pulses to show their error.",
        ), ()
    crossing = -np.tan(best.thetas[:, 0])
    if status == "SUCCESS":
        return (f"The two signals cross {np.median(crossing):+.2g} half windows from the middle.",), ()
    low, high = np.quantile(crossing, [0.1, 0.9])
    points = max(31, len(two.x))
    if low * high < 0:
        # small coefficients are the likely ones
        reach = max(abs(two.x[0]), abs(two.x[-1]))
        return (
            "The two signals differ throughout, and run too nearly parallel to tell where they cross.",
            "The best coefficient lies far outside of the sweep.",
        ), (Range(two.axis, -float(reach), float(reach), two.x_unit, points),)
    # lines bend: they may cross nearer than straight ones would, so the next sweep goes less far and is wider
    centre = float(np.clip((low + high) / 2, -_STEP, _STEP))
    wide = half * max(1.0, high - low if abs(centre) < 1 else 0.0, abs(centre))
    centre = middle + half * centre
    where = "near the edge of" if abs(np.median(crossing)) < 1 else "outside of"
    return (
        f"The two signals cross {where} the sweep, {np.median(crossing):+.2g} half windows from its middle.",
        "A sweep around the crossing tells it better.",
    ), (Range(two.axis, float(centre - wide), float(centre + wide), two.x_unit, points),)


FAMILY = Family(
    name="drag",
    about="DRAG coefficient: where the signals of two sequences with opposite errors cross",
    statuses=_STATUSES,
    called=r"\b(drag|motzoi)\b",
    analyse=analyse,
)
