"""Codes of several distances with one decoder: how fast errors fall with it (Lambda), and where curves cross."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc

from cascade_qec import codes
from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.fits.laws import best_line, pivot
from cascade_qec.evaluation.fits.likelihood import Floats, Outcomes
from cascade_qec.evaluation.fits.points import Curve, Point, outcomes
from cascade_qec.evaluation.fits.profile import climb, profile_interval
from cascade_qec.evaluation.fits.waterfall import exp
from cascade_qec.statistics import Interval

_FARTHEST_DISTANCE = 9999
_FEWEST_FOR_CURVATURE = 4
_BY_DISTANCE = re.compile(r"(\w+_d)(\d+)")
"""Names of codes that differ in the distance alone, such as surface_d5."""


@dataclass(frozen=True)
class Series:
    """Curves of codes that differ in the distance alone, in ascending order, measured alike.

    Attributes
    ----------
    decoder
        With a star for the code in names of models: "cascade:surface_d*".
    stem
        What the codes' names have in common: "surface_d".
    rule
        How the rounds go with the distance: "rounds = d", "rounds = 3 d", or "rounds = 5" for all.
    bases
        Measured ones.
    curves
        At least two.
    """

    decoder: str
    stem: str
    rule: str
    bases: str
    curves: tuple[Curve, ...]

    @property
    def distances(self) -> tuple[int, ...]:
        """In ascending order."""
        return tuple(int(curve.first.code.removeprefix(self.stem)) for curve in self.curves)

    @property
    def codes(self) -> str:
        """The codes' names in one: "surface_d3..7"."""
        return f"{self.stem}{self.distances[0]}..{self.distances[-1]}"

    @property
    def name(self) -> str:
        """As messages call it."""
        return f"{self.decoder} on {self.codes}, {self.rule}, basis {self.bases}"

    def qubits_per_logical(self, d: int) -> float:
        """Data and check qubits for each logical qubit at a distance, however large.

        In two dimensions their number is a parabola in the distance, which three small codes tell.
        """
        small = {distance: codes.get(f"{self.stem}{distance}") for distance in (3, 5, 7)}
        counts = [(code.n + len(code.hx) + len(code.hz)) / code.k for code in small.values()]
        return float(np.rint(np.polyval(np.polyfit(list(small), counts, 2), d)))


def in_series(curve: Curve) -> bool:
    """Whether a curve's code is one of many that differ in the distance alone."""
    return _BY_DISTANCE.fullmatch(curve.first.code) is not None


def distance_series(curves: Iterable[Curve]) -> list[Series]:
    """Curves of codes that differ in the distance only, two or more.

    Rounds that are a multiple of the distance go with the same multiple of other distances, other rounds with
    the same number. Models for one code each are one decoder if their names differ in the code alone.
    """
    found: dict[tuple, dict[int, Curve]] = defaultdict(dict)
    for curve in curves:
        here = curve.first
        if match := _BY_DISTANCE.fullmatch(here.code):
            d = int(match[2])
            times = here.rounds // d
            rule = f"rounds = {here.rounds}" if here.rounds % d else f"rounds = {times} d".replace(" 1 d", " d")
            found[starred(here.decoder, here.code), match[1], rule, here.bases, here.noise][d] = curve
    return [
        Series(decoder, stem, rule, bases, tuple(by_distance[d] for d in sorted(by_distance)))
        for (decoder, stem, rule, bases, _), by_distance in found.items()
        if len(by_distance) > 1
    ]


def starred(decoder: str, code: str) -> str:
    """A decoder's name with the code's number in it, if any, replaced by a star: "cascade:bb*"."""
    return decoder.replace(code, re.sub(r"\d+", "*", code))


@dataclass(frozen=True)
class Suppression:
    """``log P(d) = c - (d / 2) log Lambda`` at one noise rate, so that Lambda = P(d) / P(d + 2).

    P is the rate per logical per cycle.

    Attributes
    ----------
    p
        Noise rate.
    distances
        Measured ones.
    factor
        Lambda with its 95 % profile-likelihood interval.
    log_likelihood
        Of the line.
    deviance
        Twice what a rate of its own for each distance would add.
    p_value
        Of the deviance, as chi squared; None of two distances, where nothing is left to test.
    outcomes, line
        For extrapolation: the data, and (log P at the pivot, log Lambda).
    """

    p: float
    distances: tuple[int, ...]
    factor: Interval
    log_likelihood: float
    deviance: float
    p_value: float | None
    outcomes: Outcomes
    line: Floats

    def distance_for(self, target: float) -> Interval:
        """Distance, not rounded, at which the line reaches a rate per logical per cycle, with its interval.

        Its upper end is infinite where the data allow a Lambda of 1. The interval takes the line for granted.

        Raises
        ------
        CascadeError
            If errors do not fall with the distance, or unless ``0 < target < 0.5``.
        """
        if not 0 < target < 0.5:
            raise CascadeError(f"expected a target rate between 0 and 0.5, got {target}")
        value, slope = self.line
        if slope <= 0:
            raise CascadeError(
                f"expected errors that fall with the distance at p = {self.p:g}, got Lambda = {self.factor.value:.3g}"
            )
        x, log_target = _half_distances(self.distances), math.log(target)
        # The line by where it reaches the target: log P = log_target + slope (x - reached)
        reached = profile_interval(
            lambda phi: log_target + phi[1] * (x - phi[0]),
            self.outcomes,
            (pivot(x, self.outcomes) + (log_target - value) / slope, slope),
            lowest=-_FARTHEST_DISTANCE,
        )
        # x is minus half the distance, so the ends change places
        unbounded = self.factor.low <= 1 or reached.low <= -_FARTHEST_DISTANCE
        return Interval(-2 * reached.value, max(-2 * reached.high, 0.0), math.inf if unbounded else -2 * reached.low)


def suppression(series: Series, p: float) -> Suppression:
    """Fit the rates measured at one noise rate over the distances.

    Raises
    ------
    CascadeError
        If fewer than two distances were measured there, or fewer than two had failures.
    """
    points = [point for curve in series.curves if (point := curve.at(p)) is not None]
    if sum(point.failures > 0 for point in points) < 2:
        raise CascadeError(f"{series.name}: expected failures of two distances at p = {p:g}, got {_list(points)}")
    distances = tuple(d for d, curve in zip(series.distances, series.curves, strict=True) if curve.at(p))
    x = _half_distances(distances)
    data = outcomes(points)
    line, likelihood = best_line(x, data)
    (value, slope), dx = line[0], x - pivot(x, data)
    factor = exp(profile_interval(lambda phi: phi[1] + phi[0] * dx, data, (slope, value)))
    deviance = max(0.0, 2 * float((data.highest_log_likelihood() - likelihood)[0]))
    free = len(points) - 2
    return Suppression(
        p=p,
        distances=distances,
        factor=factor,
        log_likelihood=float(likelihood[0]),
        deviance=deviance,
        p_value=float(chdtrc(free, deviance)) if free else None,
        outcomes=data,
        line=line[0],
    )


def measured_noise_rates(series: Series) -> list[float]:
    """Noise rates at which two or more distances had failures, ascending."""
    rates = sorted({point.p for curve in series.curves for point in curve.points})
    return [p for p in rates if sum((point := c.at(p)) is not None and point.failures > 0 for c in series.curves) > 1]


def _half_distances(distances: tuple[int, ...]) -> Floats:
    return -0.5 * np.array(distances, dtype=np.float64)


def _list(points: list[Point]) -> str:
    return ", ".join(f"{point.code}: {point.failures} in {point.shots}" for point in points) or "no data"


@dataclass(frozen=True)
class Threshold:
    """The noise rate at which two codes have the same rate per logical per cycle.

    Attributes
    ----------
    p
        The crossing with its 95 % profile-likelihood interval.
    extrapolated
        Whether it lies outside the noise rates measured for both.
    log_likelihood
        Of both curves.
    """

    p: Interval
    extrapolated: bool
    log_likelihood: float


def threshold(small: Curve, large: Curve) -> Threshold | None:
    """Crossing of two curves, or None where they are parallel or cross at no noise rate below 1.

    Towards the threshold curves bend down, which sums of power laws cannot; so each curve is a parabola of
    log P over log p where it was measured at four or more noise rates. If the crossing is outside the
    measured noise rates, where a parabola is no guide, it is that of single power laws.
    """
    start = _crossing_of_lines(small, large)
    if start is None:
        return None

    def model(phi: Floats) -> Floats:
        # log P_i = v + s_i (x - x*) + c_i (x - x*)^2 of either curve, from (x*, v, s_0, s_1[, c_0, c_1])
        crossing, value, slopes, curvatures = phi[0], phi[1], phi[2:4], phi[4:6] if len(phi) > 4 else (0.0, 0.0)
        curves = zip((small.log_p, large.log_p), slopes, curvatures, strict=True)
        return np.concatenate([value + s * (x - crossing) + c * (x - crossing) ** 2 for x, s, c in curves], axis=-1)

    data = outcomes([*small.points, *large.points])
    best = list(climb(model, data, start).values)
    if min(len(small.points), len(large.points)) >= _FEWEST_FOR_CURVATURE:
        bent = list(climb(model, data, [*best, 0.0, 0.0]).values)
        if _inside(bent[0], small, large):
            best = bent
    return Threshold(
        p=profile_interval(model, data, best).map(lambda log_p: math.exp(min(log_p, 0.0))),
        extrapolated=not _inside(best[0], small, large),
        log_likelihood=float(data.log_likelihood(model(np.array(best)))[0]),
    )


def _crossing_of_lines(small: Curve, large: Curve) -> list[float] | None:
    """Power laws fitted apart, by their crossing: then the likelihood is at its maximum already."""
    (at_0, (value_0, slope_0)), (at_1, (value_1, slope_1)) = (
        (pivot(curve.log_p, curve.outcomes), best_line(curve.log_p, curve.outcomes)[0][0]) for curve in (small, large)
    )
    if abs(slope_1 - slope_0) < 1e-6:
        return None
    x = ((value_0 - slope_0 * at_0) - (value_1 - slope_1 * at_1)) / (slope_1 - slope_0)
    return [x, value_0 + slope_0 * (x - at_0), slope_0, slope_1] if -40 < x < 0 else None


def _inside(x: float, small: Curve, large: Curve) -> bool:
    low, high = (pick(small.log_p[end], large.log_p[end]) for pick, end in ((max, 0), (min, -1)))
    return bool(low <= x <= high)
