"""T1 again and again: steady, jumping between levels as a two-level defect does, or drifting."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp
from scipy.stats import norm, t

from cascade_calibration.analysis import series
from cascade_calibration.analysis.registry import Family
from cascade_calibration.analysis.trace import Trace, trace
from cascade_calibration.analysis.verdict import Curve, Estimate, Verdict
from cascade_calibration.analysis.weighing import most_probable
from cascade_calibration.measurement import Measurement
from cascade_qec.errors import CascadeError

_STATUSES = ("STABLE", "TELEGRAPHIC", "RANDOM_WALK")

_LEVELS = (2, 3)
"""How many levels jumps may be between: one defect, or two."""
_RARE = -1.5
"""Logarithm of how rare jumps and walks are beside steady series: a few far values look like a level."""
_LEAST = 15
_NEAR, _FAR, _MOST = 2, 5.0, 0.1
"""An outlier is so many deviations off the median of so many neighbours on each side; they are at most this share."""


def analyse(measurement: Measurement) -> Verdict:
    """Whether T1 is steady, and its mean if it is."""
    line = trace(measurement, ("s", ""), least=_LEAST)
    if line.y_unit != "s" or not (line.y > 0).mean() > 0.5:
        raise CascadeError(
            f"expected values of T1, in seconds and above zero, found values in {line.y_unit or 'no unit'}"
        )
    kept = ~_outliers(line.y)
    y = line.y[kept]
    if not np.ptp(y) > 1e-9 * np.abs(y).max():
        raise CascadeError("expected values of T1 that scatter as measured ones do, found equal ones")
    y = y / np.median(y)
    jumping = max((series.jumps(y, k) for k in _LEVELS), key=lambda one: one.evidence)
    walking = series.walk(y)
    evidence = np.array([series.steady(y), jumping.evidence + _RARE, walking.evidence + _RARE])
    shares = np.exp(evidence - logsumexp(evidence))
    probabilities: dict[str, float] = dict(zip(_STATUSES, map(float, shares), strict=True))
    status, probability = most_probable(probabilities)
    scale = float(np.median(line.y[kept]))
    parameters, sentences = _found(status, y, scale, jumping, walking)
    return Verdict(
        family="t1_fluctuations",
        status=status,
        probability=probability,
        probabilities=probabilities,
        parameters=parameters,
        evidence={
            "points": float(len(line.x)),
            "outliers": float((~kept).sum()),
            "missing": float(line.missing),
            "scatter / mean": float(y.std() / y.mean()),
            "log Bayes factor of jumps against none": float(evidence[1] - evidence[0]),
            "log Bayes factor of a walk against none": float(evidence[2] - evidence[0]),
        },
        sentences=sentences,
        next_experiment={
            "STABLE": "longer series, to find rarer events",
            "TELEGRAPHIC": "tune the qubit or the defect away (qubit_flux_spectroscopy), then repeat",
            "RANDOM_WALK": "steady the temperature, the fields and the charge, then repeat",
        }[status],
        picture=_picture(line, kept),
    )


def _outliers(y: NDArray[np.float64]) -> NDArray[np.bool_]:
    padded = np.pad(y, _NEAR, mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * _NEAR + 1)
    distance = np.abs(y - np.median(np.delete(windows, _NEAR, axis=1), axis=1))
    scale = max(np.median(distance), np.median(np.abs(np.diff(y))) / np.sqrt(2)) / norm.ppf(0.75)
    far = distance > _FAR * scale
    # many are jumps, not outliers
    return far if far.sum() <= max(1, _MOST * len(y)) and scale > 0 else np.zeros(len(y), dtype=bool)


def _found(
    status: str, y: NDArray[np.float64], scale: float, jumping: series.Jumps, walking: series.Walk
) -> tuple[dict[str, Estimate], tuple[str, ...]]:
    if status == "STABLE":
        error = y.std(ddof=1) / np.sqrt(len(y))
        half = float(t.ppf(0.975, len(y) - 1)) * error
        mean = y.mean()
        value, error, low, high = (float(scale * one) for one in (mean, error, mean - half, mean + half))
        return {"mean T1": Estimate(value, error, low, high, "s")}, ("The values scatter around one level.",)
    if status == "TELEGRAPHIC":
        count = jumping.levels.shape[1]
        names = ["T1 low", "T1 high"] if count == 2 else [f"T1 level {i + 1}" for i in range(count)]
        found = {name: _weighted(scale * jumping.levels[:, i], jumping.weights, "s") for i, name in enumerate(names)}
        chance = float(jumping.weights @ jumping.chance)
        return found, (
            f"The values jump between {count} levels, about once in {1 / chance:.2g}.",
            "A two-level defect that couples to the qubit does that.",
        )
    found = {"step": _weighted(scale * walking.steps, walking.weights, "s")}
    return found, (
        "The values drift from one to the next, more than they scatter.",
        "Slow changes of temperature, fields or charge do that; a mean says little.",
    )


def _weighted(values: NDArray[np.float64], weights: NDArray[np.float64], unit: str) -> Estimate:
    order = np.argsort(values)
    below = np.cumsum(weights[order]) - 0.5 * weights[order]
    low, down, middle, up, high = np.interp([0.025, 0.15866, 0.5, 0.84134, 0.975], below / weights.sum(), values[order])
    return Estimate(float(middle), float((up - down) / 2), float(low), float(high), unit)


def _picture(line: Trace, kept: NDArray[np.bool_]) -> Curve:
    return Curve(line.axis, line.x_unit, line.y_unit, line.x, line.y, outliers=~kept)


FAMILY = Family(
    name="t1_fluctuations",
    about="a series of T1: steady, jumping between levels, or drifting",
    statuses=_STATUSES,
    called=r"\bt1\b.*(fluct|stab)",
    analyse=analyse,
)
