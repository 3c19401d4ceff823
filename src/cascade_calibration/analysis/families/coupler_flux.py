"""Qubit spectroscopy against a tunable coupler's flux: the qubit's line, pushed aside where the coupler crosses it."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares
from scipy.special import expit

from cascade_calibration.analysis.families.qubit_flux_spectroscopy import arc
from cascade_calibration.analysis.maps import Grid, consensus, grid, share_near, spots
from cascade_calibration.analysis.registry import Family
from cascade_calibration.analysis.separable import Array, Fit, Model, estimate, fit, lack_of_fit
from cascade_calibration.analysis.verdict import Estimate, Range, Verdict
from cascade_calibration.analysis.weighing import most_probable, weigh
from cascade_calibration.measurement import Measurement

_STATUSES = ("SUCCESS", "FIT_POOR")

_FITS = 0.91
"""Of the lines near the curve: with fewer the fit is poor."""
_BESIDE = 1.6
"""Columns beside a crossing that do not count."""
_ALL = 0.96
_STRUCTURE = 6.0
"""Logarithm of the Bayes factor of structure in what the curve leaves, where it misses more lines than a few."""
_ROUNDS = 3
_LEAST = 9
_WIDER = 4.0
_SCALES = (0.02, 0.02, 0.02, 0.2, 0.01, 0.01, 0.05)


def pushed(place: Array, centre: Array, period: Array, crossing: Array, steepness: Array, asymmetry: Array) -> Array:
    """How far the coupler pushes the qubit's brighter branch, in couplings: all broadcast.

    Parameters
    ----------
    crossing
        Distance from the coupler's sweet spot, in periods, where it crosses the qubit.
    steepness
        The coupler's frequency over twice the coupling.
    asymmetry
        Of its junctions.
    """
    zero, one = np.zeros_like(centre), np.ones_like(centre)
    level = arc(crossing, zero, one, asymmetry)
    away = steepness * (level - arc(place, centre, period, asymmetry))
    return np.where(away >= 0, 1.0, -1.0) * (np.sqrt(away**2 + 1) - np.abs(away))


def _root(squared: Array) -> Array:
    return np.sqrt(np.maximum(squared, 0.0))


def _model(start: Array | None = None) -> Model:
    """theta: the coupler's sweet spot in sweeps, log period, crossing in periods, log steepness,
    and the asymmetry squared.
    """

    def basis(x: Array, theta: Array) -> Array:
        parts = [theta[..., i, None] for i in range(5)]
        return pushed(x, parts[0], np.exp(parts[1]), parts[2], np.exp(parts[3]), _root(parts[4]))[..., None]

    axes = (
        np.linspace(-0.75, 0.75, 31),
        np.linspace(np.log(0.4), np.log(2.5), 10),
        np.linspace(0.08, 0.45, 8),
        np.linspace(np.log(3), np.log(300), 5),
        np.array([0.01]),
    )
    if start is not None:
        steps = [axis[1] - axis[0] for axis in axes[:4]]
        axes = tuple(
            np.unique(np.clip([axis[0], at - step / 16, at, at + step / 16, axis[-1]], axis[0], axis[-1]))
            for axis, at, step in zip(axes, start, steps, strict=False)
        )
        axes = (*axes, np.array([1e-5, 0.02, 0.06]))
    return Model("crossings", basis, axes)


def analyse(measurement: Measurement) -> Verdict:
    """Where the coupler crosses the qubit."""
    map_ = grid(measurement, ("Phi0", "V", "A", ""), least=(9, 15))
    found = spots(map_)
    seen = found.seen
    middle, window = float((map_.x[0] + map_.x[-1]) / 2), float(map_.x[-1] - map_.x[0])
    low, span = float(map_.f[0]), float(map_.f[-1] - map_.f[0])
    place, y = (map_.x[seen] - middle) / window, (found.f[seen] - low) / span
    tolerance = 1.2 * max(found.half_width, map_.step) / span
    near, structure = 0.0, 0.0
    fits: list[Fit] = []
    if seen.sum() >= _LEAST and seen.mean() > 0.3:
        model = _model()
        thetas = np.array(list(product(*model.grid)))
        number, off = consensus(y, model.basis(place, thetas)[..., 0], tolerance)
        start = thetas[number]
        start[0] -= np.exp(start[1]) * np.round(start[0] / np.exp(start[1]))  # the sweet spot nearest to the middle
        model = _model(_closer(start, place, y, tolerance))
        for _ in range(_ROUNDS):
            inliers = np.abs(off) < tolerance
            tried = _crossings(model, place[inliers], y[inliers]) if inliers.sum() >= _LEAST else []
            closer = np.abs(y - tried[0](place)) if tried else off
            if share_near(closer, tolerance) <= near:
                break
            fits, off, near = tried, closer, share_near(closer, tolerance)
            model = _model(fits[0].theta) if fits else model
        structure = lack_of_fit(fits[0]) if fits and near < _ALL else 0.0
        if fits:  # at a crossing either branch may be the brighter one
            away = np.abs(place[:, None] - _places(fits[0].theta)).min(axis=1) > _BESIDE / len(map_.x)
            near = share_near(off[away], tolerance) if away.any() else 0.0

    def status_of(one: Fit) -> NDArray[np.str_]:
        ends = np.linspace(-0.5, 0.5, 81)
        moved = np.ptp(one.samples[:, 6, None] * one.model.basis(ends, one.thetas)[..., 0], axis=1)
        return np.where((moved > 2 * tolerance) & _crossed(one.thetas), "SUCCESS", "FIT_POOR")

    poor = 1 - float(expit((near - _FITS) / 0.015)) * float(expit(_STRUCTURE - structure))
    weighed = weigh(fits, _STATUSES, status_of, nothing="FIT_POOR")
    probabilities = {"SUCCESS": weighed["SUCCESS"] * (1 - poor)}
    probabilities["FIT_POOR"] = 1 - probabilities["SUCCESS"]
    status, probability = most_probable(probabilities)
    best = fits[0] if fits else None
    share = float(seen.mean())
    facts = {"spectra": float(len(map_.x)), "frequencies": float(len(map_.f)), "missing": float(map_.missing)}
    facts |= {"share of spectra with a line": share, "share of lines on the curve": near}
    if best:
        facts |= {"log Bayes factor of crossings": best.evidence, "log Bayes factor of structure": structure}
    line = np.linspace(-0.5, 0.5, 400)
    sentences, suggested = _advice(status, map_, best, share, near, middle, window)
    return Verdict(
        family="coupler_flux",
        status=status,
        probability=probability,
        probabilities=probabilities,
        parameters=_parameters(map_, best, middle, window, low, span) if best and status == "SUCCESS" else {},
        evidence=facts,
        sentences=sentences,
        suggested_range=suggested,
        next_experiment="choose the coupler's idle point, then cz_benchmarking"
        if status == "SUCCESS"
        else "coupler_flux over the suggested range, or finer around what leaves the curve",
        picture=map_.picture({"qubit": (middle + window * line, low + span * best(line))} if best else {}),
    )


def _closer(theta: Array, place: Array, y: Array, tolerance: float) -> Array:
    """A better theta near one, whatever lines far from the curve say: its steps at crossings need small steps."""
    model = _model(theta)
    columns = np.column_stack([np.ones(len(y)), model.basis(place, theta)[:, 0]])
    start = np.concatenate([theta, np.linalg.lstsq(columns, y, rcond=1e-9)[0]])
    low = np.array([*(axis[0] for axis in model.grid), -np.inf, 0.0])
    high = np.array([*(axis[-1] for axis in model.grid), np.inf, np.inf])

    def rest(p: Array) -> Array:
        return (p[5] + p[6] * model.basis(place, p[:5])[:, 0] - y) / tolerance

    start = np.clip(start, low, high)
    found = least_squares(rest, start, bounds=(low, high), loss="soft_l1", f_scale=0.3, x_scale=_SCALES, max_nfev=200)
    return found.x[:5]


def _crossings(model: Model, place: Array, y: Array) -> list[Fit]:
    """The curve that leaves least, of those that the coupler pushes away and not towards it."""
    apart = [one for one in fit([model], place, y) if one.amplitudes[1] > 0]
    return sorted(apart, key=lambda one: one.sigma)[:1]


def _places(theta: Array) -> Array:
    """Crossings, in sweeps from the middle: [..., some]."""
    period = np.exp(theta[..., 1, None])
    turns = np.arange(-3, 4)
    at = theta[..., 0, None] + period * turns
    return np.concatenate([at - theta[..., 2, None] * period, at + theta[..., 2, None] * period], axis=-1)


def _crossed(thetas: Array) -> NDArray[np.bool_]:
    """Whether a crossing is in the sweep: [samples]."""
    return np.asarray((np.abs(_places(thetas)) < 0.47).any(axis=-1))


def _parameters(map_: Grid, best: Fit, middle: float, window: float, low: float, span: float) -> dict[str, Estimate]:
    places = _places(best.theta)
    which = int(np.abs(places).argmin())
    crossing = estimate([best], lambda p: middle + window * _places(p)[..., which], map_.x_unit)
    step = window / (len(map_.x) - 1)  # the line jumps from one column to the next
    return {
        "f_q": estimate([best], lambda p: low + span * p[..., 5], "Hz"),
        "crossing": replace(
            crossing, error=max(crossing.error, step / 2), low=crossing.low - step, high=crossing.high + step
        ),
    }


def _advice(
    status: str, map_: Grid, best: Fit | None, share: float, near: float, middle: float, window: float
) -> tuple[tuple[str, ...], tuple[Range, ...]]:
    if status == "SUCCESS" and best is not None:
        count = int((np.abs(_places(best.theta)) < 0.5).sum())
        return (f"A qubit that a coupler crosses {count} times fits {near:.0%} of the lines.",), ()
    wide = Range(
        map_.x_axis,
        middle - _WIDER / 2 * window,
        middle + _WIDER / 2 * window,
        map_.x_unit,
        min(int(_WIDER * len(map_.x)), 201),
    )
    if best is None:
        return (f"{share:.0%} of the spectra show a line, and no curve of a coupler passes through them.",), (wide,)
    if near > _FITS:
        return (
            "The line stays where it is, or the sweep shows no crossing.",
            "Without a crossing the coupler's place and the coupling are a guess.",
        ), (wide,)
    return (
        f"A qubit that a coupler crosses fits only {near:.0%} of the lines.",
        "Another mode, a jump of the flux, or a line that is too faint can do that.",
    ), (wide,)


FAMILY = Family(
    name="coupler_flux",
    about="qubit spectroscopy against a coupler's flux: where the coupler crosses the qubit",
    statuses=_STATUSES,
    called=r"\b(coupler|tc)\b.*\bflux\b|\bflux\b.*\bcoupler\b",
    analyse=analyse,
)
