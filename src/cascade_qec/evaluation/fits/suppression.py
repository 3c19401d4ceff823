"""How fast errors fall with the distance: Lambda, and the distance that a target needs."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc

from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.fits.laws import best_line, pivot
from cascade_qec.evaluation.fits.likelihood import Floats, Outcomes
from cascade_qec.evaluation.fits.points import Point, outcomes
from cascade_qec.evaluation.fits.profile import profile_interval
from cascade_qec.evaluation.fits.series import Series
from cascade_qec.evaluation.fits.waterfall import exp
from cascade_qec.statistics import Interval

_FARTHEST_DISTANCE = 9999


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
    x, outcomes, line
        For extrapolation: minus half the distances, the data, and (log P at `at`, log Lambda).
    """

    p: float
    distances: tuple[int, ...]
    factor: Interval
    log_likelihood: float
    deviance: float
    p_value: float | None
    x: Floats
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
        log_target = math.log(target)
        # The line by where it reaches the target: log P = log_target + slope (x - reached)
        reached = profile_interval(
            lambda phi: log_target + phi[1] * (self.x - phi[0]),
            self.outcomes,
            (pivot(self.x, self.outcomes) + (log_target - value) / slope, slope),
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
    x = -0.5 * np.array(distances, dtype=np.float64)
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
        x=x,
        outcomes=data,
        line=line[0],
    )


def measured_noise_rates(series: Series) -> list[float]:
    """Noise rates at which two or more distances had failures, ascending."""
    rates = sorted({point.p for curve in series.curves for point in curve.points})
    return [p for p in rates if sum((point := c.at(p)) is not None and point.failures > 0 for c in series.curves) > 1]


def _list(points: list[Point]) -> str:
    return ", ".join(f"{point.code}: {point.failures} in {point.shots}" for point in points) or "no data"
