"""Qubit spectroscopy against flux: the arc of a tunable transmon."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln, expit

from cascade_calibration.analysis.maps import Grid, Spots, consensus, grid, share_near, share_on, spots
from cascade_calibration.analysis.registry import Family
from cascade_calibration.analysis.separable import Array, Fit, Model, estimate, fit, lack_of_fit
from cascade_calibration.analysis.verdict import Estimate, Range, Verdict
from cascade_calibration.analysis.weighing import most_probable, weigh
from cascade_calibration.measurement import Measurement

_STATUSES = ("SUCCESS", "FIT_POOR", "FIT_FAILED", "RANGE_TOO_NARROW", "NO_SIGNAL", "NOT_TUNABLE")

_FEW = 0.15
"""Of the spectra: with fewer that show a line there is no signal."""
_SEEN = 0.55
"""Of the spectra: with fewer the arc leaves the frequencies."""
_FITS = 0.925
"""Of the lines near the arc: with fewer the fit is poor."""
_FAILS = 0.5
"""With fewer there is no fit."""
_CHANCE = 0.01
"""Of spectra without a line, how many show one: noise does that, and outliers beside each other."""
_FLAT = 0.8
"""Change along the sweep in linewidths that is none."""
_MARGIN = 0.04
"""Of the sweep beyond the sweet spot that must be seen."""
_STRUCTURE = 3.0
"""Logarithm of the Bayes factor of structure in what the arc leaves, where the fit may be poor."""
_ALIKE = 1.5
"""Times what the best arc leaves, that others leave which may be meant as well."""
_ROUNDS = 3
_LEAST = 6
_DEEP = 0.5
"""Of the largest frequency, how much of it the arc must be made of."""
_MOST_POINTS = 401


def arc(place: Array, centre: Array | float, period: Array | float, asymmetry: Array | float) -> Array:
    """A transmon's frequency over its largest, but for the charging energy: all broadcast."""
    phase = np.pi * (place - centre) / period
    return np.sqrt(np.sqrt(asymmetry**2 + (1 - asymmetry**2) * np.cos(phase) ** 2))


def _model(share: float, start: Array | None = None) -> Model:
    """An arc over sweeps from the middle; theta is the sweet spot, the logarithm of the period, and the asymmetry
    squared. Where only a share of the arc is seen it bends as much within that, so the grid is as much finer.
    """

    def basis(x: Array, theta: Array) -> Array:
        return arc(x, theta[..., 0, None], np.exp(theta[..., 1, None]), np.sqrt(np.maximum(theta[..., 2, None], 0.0)))[
            ..., None
        ]

    fine = round(1 / max(share, _FEW))
    centres, periods = np.linspace(-1.5, 1.5, 60 * fine + 1), np.linspace(np.log(0.5), np.log(8), 11 * fine + 1)
    if start is not None:
        near = np.array([-0.05, 0.0, 0.05]) / fine
        centres = np.unique(np.clip([-1.5, *(start[0] + near), 1.5], -1.5, 1.5))
        periods = np.unique(np.clip([periods[0], *(start[1] + 2 * near), periods[-1]], periods[0], periods[-1]))
    return Model("arc", basis, (centres, periods, _ASYMMETRIES))


_ASYMMETRIES = np.array([1e-4, 0.1, 0.35, 0.7])


def analyse(measurement: Measurement) -> Verdict:
    """The sweet spot and the frequency there, and whether the map shows enough of the arc."""
    map_ = grid(measurement, ("Phi0", "V", "A", ""), least=(7, 15))
    found = spots(map_)
    seen = found.seen
    share = float(seen.mean())
    middle, window = float((map_.x[0] + map_.x[-1]) / 2), float(map_.x[-1] - map_.x[0])
    low, span = float(map_.f[0]), float(map_.f[-1] - map_.f[0])
    # a line whose top lies at an edge may have its centre beyond
    inner = seen & (np.abs(found.f - low - span / 2) < span / 2 - found.half_width)
    told = inner if inner.sum() >= _LEAST else seen
    places, y = (map_.x - middle) / window, (found.f[told] - low) / span
    place = places[told]
    tolerance = 1.2 * max(found.half_width, map_.step) / span
    there = float(expit((share - _FEW) / 0.02)) if seen.sum() >= 5 else 0.0
    near, fits, arcs, off = 0.0, [], [], np.zeros(len(y))
    model = _model(share)
    if there:
        thetas = np.array(list(product(*model.grid)))
        number, off = consensus(y, model.basis(place, thetas)[..., 0], tolerance)
        start = thetas[number]
        model = _model(share, np.array([_sweet(start), *start[1:]]))
        near = share_near(off, tolerance)
        for _ in range(_ROUNDS):
            inliers = np.abs(off) < tolerance
            arcs = _arcs(model, place[inliers], y[inliers]) if inliers.sum() >= _LEAST else []
            fits = arcs[:1]
            closer = np.abs(y - fits[0](place)) if fits else off
            if share_near(closer, tolerance) <= near:
                break
            off, near = closer, share_near(closer, tolerance)
        if arcs and share > _SEEN:  # the cap of an arc alone does not tell where else it should be seen
            curves = np.concatenate([fits[0](places)[None], *(_curves(one, places) for one in arcs)])
            near = share_on(map_, replace(found, seen=told), low + span * curves, tolerance * span)

    def status_of(one: Fit) -> NDArray[np.str_]:
        return _status(one, share, 2 * found.half_width / span)

    weighed = weigh(fits, _STATUSES, status_of, nothing="NOT_TUNABLE" if share > _SEEN else "RANGE_TOO_NARROW")
    on = np.abs(off) < tolerance
    doubt = (_FITS - near) / 0.015 if share > _SEEN else _strays(int((~on).sum()), len(seen) - int(on.sum()))
    failed, poor = float(expit((_FAILS - near) / 0.03)), float(expit(doubt))
    structure = lack_of_fit(fits[0]) if fits else 0.0
    poor = 1 - (1 - poor) * (1 - float(expit(structure - _STRUCTURE)))
    probabilities = {status: there * (1 - poor) * weighed[status] for status in _STATUSES}
    probabilities["FIT_FAILED"] += there * failed
    probabilities["FIT_POOR"] += there * poor * (1 - failed)
    probabilities["NO_SIGNAL"] += 1 - there
    total = sum(probabilities.values())
    probabilities = {status: one / total for status, one in probabilities.items()}
    status, probability = most_probable(probabilities)
    best = fits[0] if fits and status not in ("NO_SIGNAL", "FIT_FAILED") else None
    parameters = _parameters(map_, fits, status, middle, window, low, span)
    sentences, suggested = _advice(status, map_, best, share, near, middle, window, low, span, place[on])
    line = np.linspace(-0.5, 0.5, 200)
    return Verdict(
        family="qubit_flux_spectroscopy",
        status=status,
        probability=probability,
        probabilities=probabilities,
        parameters=parameters,
        evidence=_facts(map_, found, share, near, fits) | {"log Bayes factor of structure": structure},
        sentences=sentences,
        suggested_range=suggested,
        next_experiment={
            "SUCCESS": "rabi at the sweet spot",
            "NOT_TUNABLE": "rabi at this frequency; check the flux line if the qubit should be tunable",
            "NO_SIGNAL": "qubit_spectroscopy over a wider range",
            "FIT_POOR": "a finer map around what leaves the arc: a crossing, or a jump of the flux",
            "FIT_FAILED": "check that the flux is stable, then repeat",
        }.get(status, "qubit_flux_spectroscopy over the suggested range"),
        picture=map_.picture({"arc": (middle + window * line, low + span * best(line))} if best else {}),
    )


def _arcs(model: Model, place: Array, y: Array) -> list[Fit]:
    """Arcs that open downwards and leave little, the least first: Bayes factors of such clear lines differ by too
    little to tell.
    """
    down = sorted((one for one in fit([model], place, y) if one.amplitudes[1] > 0), key=lambda one: one.sigma)
    return [one for one in down if one.sigma < _ALIKE * down[0].sigma]


def _curves(one: Fit, places: Array) -> Array:
    """That the data allow, over sweeps from the middle: [samples, n]."""
    return one.samples[:, 3, None] + one.samples[:, 4, None] * one.model.basis(places, one.thetas)[..., 0]


def _strays(lines: int, spectra: int) -> float:
    """Logarithm of the Bayes factor of any share of spectra off the arc that show a line, against chance."""
    by_chance = lines * np.log(_CHANCE) + (spectra - lines) * np.log1p(-_CHANCE)
    return float(betaln(lines + 1, spectra - lines + 1) - by_chance)


def _sweet(theta: Array) -> Array:
    """The sweet spot nearest to the middle of the sweep, in sweeps from there: [...]."""
    period = np.exp(theta[..., 1])
    return theta[..., 0] - period * np.round(theta[..., 0] / period)


def _status(one: Fit, share: float, linewidth: float) -> NDArray[np.str_]:
    ends = np.linspace(-0.5, 0.5, 41)
    curve = one.samples[:, 4, None] * one.model.basis(ends, one.thetas)[..., 0]
    flat = np.ptp(curve, axis=1) < _FLAT * linewidth
    narrow = (np.abs(_sweet(one.thetas)) > 0.5 - _MARGIN) | (share < _SEEN)
    return np.where(flat, "NOT_TUNABLE", np.where(narrow, "RANGE_TOO_NARROW", "SUCCESS"))


def _parameters(
    map_: Grid, fits: list[Fit], status: str, middle: float, window: float, low: float, span: float
) -> dict[str, Estimate]:
    if not fits or status != "SUCCESS":
        return {}
    made = {
        "f_max": estimate(fits, lambda p: low + span * (p[..., 3] + p[..., 4]), "Hz"),
        "sweet_spot": estimate(fits, lambda p: middle + window * _sweet(p), map_.x_unit),
    }
    period = estimate(fits, lambda p: window * np.exp(p[..., 1]), map_.x_unit)
    # a real arc falls to about zero, so one that is shallower has been given too short a period
    if period.high < 1.2 * window and span * fits[0].amplitudes[1] > _DEEP * made["f_max"].value:
        made["period"] = period
    return made


def _facts(map_: Grid, found: Spots, share: float, near: float, fits: list[Fit]) -> dict[str, float]:
    facts = {
        "spectra": float(len(map_.x)),
        "frequencies": float(len(map_.f)),
        "missing": float(map_.missing),
        "share of spectra with a line": share,
        "median strength of lines": float(np.median(found.strength)),
    }
    if fits:
        facts |= {"share of lines on the arc": near, "log Bayes factor of an arc": fits[0].evidence}
    return facts


def _advice(
    status: str,
    map_: Grid,
    best: Fit | None,
    share: float,
    near: float,
    middle: float,
    window: float,
    low: float,
    span: float,
    seen: Array,
) -> tuple[tuple[str, ...], tuple[Range, ...]]:
    count = f"{share:.0%} of the spectra show a line"
    if status == "NO_SIGNAL":
        points = min(3 * len(map_.f), _MOST_POINTS)
        return (
            f"{count}, no more than noise would.",
            "The data cannot tell a qubit elsewhere from a drive or a readout that does not reach it.",
        ), (Range(map_.f_axis, max(low - span, 0.0), low + 2 * span, "Hz", points),)
    if status == "FIT_FAILED":
        return (f"{count}, but only {near:.0%} of the lines lie on any arc.", "Unstable flux looks like this."), ()
    if status == "FIT_POOR":
        return (
            f"An arc passes through {near:.0%} of the lines; the others lie apart from it.",
            "A crossing with another mode, or a jump of the flux, can do that.",
        ), ()
    if status == "NOT_TUNABLE":
        return (f"{count}, all at one frequency: it does not change with the flux by a linewidth.",), ()
    if status == "SUCCESS":
        return (f"An arc passes through {near:.0%} of the lines, and the sweep holds its sweet spot.",), ()
    columns = max(len(map_.x), 31)
    sweet = float(np.median(_sweet(best.thetas))) if best else float(np.median(seen))
    if best is None or abs(sweet) <= 0.5 - _MARGIN:
        half = float(np.exp(best.theta[1])) / 2 if best else 1.0
        top = np.abs(seen - sweet) < half
        low, high = (middle + window * float(end(seen[top])) for end in (np.min, np.max))
        return (
            f"The arc leaves the frequencies: {count}.",
            "It is within them around its sweet spot.",
        ), (Range(map_.x_axis, low, high, map_.x_unit, columns),)
    start, stop = max(min(-0.5, sweet - 0.5), -2.0), min(max(0.5, sweet + 0.5), 2.0)
    over = np.linspace(start, stop, 101)
    curves = _curves(best, over)
    bottom, top = (float(np.quantile(one, q)) for one, q in ((curves.min(axis=1), 0.3), (curves.max(axis=1), 0.9)))
    bottom, top = max(min(bottom - 0.1, 0.0), -4.0), min(max(top + 0.15, 1.0), 4.0)
    points = int(np.clip(np.ceil(len(map_.f) * (top - bottom)), len(map_.f), _MOST_POINTS))
    columns = int(np.ceil(len(map_.x) * (stop - start)))
    return (
        "The sweep does not reach the sweet spot.",
        "What is seen of the arc tells about where it lies.",
    ), (
        Range(map_.x_axis, middle + window * start, middle + window * stop, map_.x_unit, columns),
        Range(map_.f_axis, max(low + span * bottom, 0.0), low + span * top, "Hz", points),
    )


FAMILY = Family(
    name="qubit_flux_spectroscopy",
    about="qubit spectroscopy against flux: the sweet spot and the arc of a tunable transmon",
    statuses=_STATUSES,
    called=r"^(?!.*(coupler|res)).*\bqubit\b.*\bflux\b",
    analyse=analyse,
)
