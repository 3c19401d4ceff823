"""Qubit spectroscopy against a tunable coupler's flux: the qubit's line, pushed aside where the coupler crosses it."""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from cascade_calibration.analysis.crossings import Crossings, branches, brighter, find, jump_evidence, places
from cascade_calibration.analysis.lines import interval
from cascade_calibration.analysis.maps import Grid, Spots, grid, spots
from cascade_calibration.analysis.registry import Family
from cascade_calibration.analysis.separable import Array
from cascade_calibration.analysis.verdict import Estimate, Range, Verdict
from cascade_calibration.analysis.weighing import most_probable
from cascade_calibration.measurement import Measurement

_STATUSES = ("SUCCESS", "FIT_POOR")

_FITS = 0.91
"""Of the lines near the curve: with fewer the fit is poor."""
_BRIGHT = 0.1
"""Share of the line that a branch must have to be seen."""
_LEAST, _FEW = 9, 0.3
"""Lines, and their share of the spectra, below which nothing is fitted."""
_WIDER = 4.0


def analyse(measurement: Measurement) -> Verdict:
    """Where the coupler crosses the qubit."""
    map_ = grid(measurement, ("Phi0", "V", "A", ""), least=(9, 15))
    found = spots(map_)
    share = float(found.seen.mean())
    middle, window = float((map_.x[0] + map_.x[-1]) / 2), float(map_.x[-1] - map_.x[0])
    low, span = float(map_.f[0]), float(map_.f[-1] - map_.f[0])
    scale = float(np.mean(map_.f)) / span
    best, near, jump = None, 0.0, 0.0
    if found.seen.sum() >= _LEAST and share > _FEW:
        best, broken = find(map_, found)
        jump = jump_evidence(best, broken, len(map_.x))
        tolerance = 1.2 * max(found.half_width, map_.step) / span
        near = _near(best, found, (map_.x - middle) / window, (found.f - low) / span, tolerance, scale)
    crossed = best.crossed if best else 0.0
    success = crossed * float(expit((near - _FITS) / 0.015)) * float(expit(-jump))
    probabilities = {"SUCCESS": success, "FIT_POOR": 1 - success}
    status, probability = most_probable(probabilities)
    facts = {"spectra": float(len(map_.x)), "frequencies": float(len(map_.f)), "missing": float(map_.missing)}
    facts |= {"share of spectra with a line": share, "share of lines on the curve": near}
    if best:
        facts["log Bayes factor of a jump"] = jump
    sentences, suggested = _advice(status, map_, best, share, near, jump, middle, window)
    lines = {}
    if best:
        fine = np.linspace(-0.5, 0.5, 400)
        lines["qubit"] = middle + window * fine, low + span * brighter(best.theta, fine, scale)
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
        picture=map_.picture(lines),
    )


def _near(best: Crossings, found: Spots, place: Array, y: Array, tolerance: float, scale: float) -> float:
    """Share of the lines that are where a branch is bright."""
    centres, shares = np.split(branches(best.theta, place, scale), 2)
    off = np.where(shares > _BRIGHT, np.abs(centres - y), np.inf).min(axis=0)
    return float((off < tolerance)[found.seen].mean())


def _parameters(
    map_: Grid, best: Crossings, middle: float, window: float, low: float, span: float
) -> dict[str, Estimate]:
    at, samples = places(best.theta), best.samples()
    which = int(np.abs(at).argmin())
    return {
        "f_q": interval(low + span * best.theta[5], low + span * samples[:, 5], "Hz"),
        "crossing": interval(middle + window * at[which], middle + window * places(samples)[:, which], map_.x_unit),
        "g": interval(span * np.exp(best.theta[6]), span * np.exp(samples[:, 6]), "Hz"),
    }


def _advice(
    status: str,
    map_: Grid,
    best: Crossings | None,
    share: float,
    near: float,
    jump: float,
    middle: float,
    window: float,
) -> tuple[tuple[str, ...], tuple[Range, ...]]:
    if status == "SUCCESS" and best is not None:
        count = int((np.abs(places(best.theta)) < 0.5).sum())
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
    if jump > 0:
        return (
            "The line fits a coupler whose flux jumps once, and no other.",
            "What it was before the jump, it is not after it: repeat the sweep, or make it faster.",
        ), (wide,)
    if near > _FITS:
        return (
            "The line stays where it is, or the sweep shows no crossing.",
            "Without a crossing the coupler's place and the coupling are a guess.",
        ), (wide,)
    return (
        f"A qubit that a coupler crosses fits only {near:.0%} of the lines.",
        "Another mode, unstable flux, or a line that is too faint can do that.",
    ), (wide,)


FAMILY = Family(
    name="coupler_flux",
    about="qubit spectroscopy against a coupler's flux: where the coupler crosses the qubit",
    statuses=_STATUSES,
    called=r"\b(coupler|tc)\b.*\bflux\b|\bflux\b.*\bcoupler\b",
    analyse=analyse,
)
