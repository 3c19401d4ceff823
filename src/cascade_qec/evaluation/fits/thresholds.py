"""Where the curves of two distances cross."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from cascade_qec.evaluation.fits.likelihood import Counts
from cascade_qec.evaluation.fits.lines import Crossing
from cascade_qec.evaluation.fits.maximise import maximise
from cascade_qec.evaluation.fits.points import Curve, counts
from cascade_qec.evaluation.fits.profile import profile_interval
from cascade_qec.evaluation.fits.waterfall import Estimate, best_line, pivot

_FEWEST_FOR_CURVATURE = 4


@dataclass(frozen=True)
class Threshold:
    """The noise rate at which two codes have the same rate per logical per cycle.

    Attributes
    ----------
    codes
        Of the smaller and the larger distance.
    p
        The crossing with its 95 % profile-likelihood interval.
    curved
        Whether the curves were fitted with a quadratic term in log p, else with power laws.
    extrapolated
        Whether it lies outside the noise rates measured for both.
    log_likelihood
        Of both curves.
    """

    codes: tuple[str, str]
    p: Estimate
    curved: bool
    extrapolated: bool
    log_likelihood: float


def threshold(small: Curve, large: Curve) -> Threshold | None:
    """Crossing of two curves, or None where they are parallel or cross at no noise rate below 1.

    Towards the threshold curves bend down, which sums of power laws cannot; so each curve is a parabola of
    log P over log p where it was measured at four or more noise rates. If the crossing is outside the
    measured noise rates, where a parabola is no guide, it is that of single power laws.
    """
    x = np.concatenate([small.log_p, large.log_p])
    second = np.arange(len(x)) >= len(small.points)
    data = counts([*small.points, *large.points])
    straight = _solve(Crossing(x, second, False), small, large, data)
    if straight is None:
        return None
    if min(len(small.points), len(large.points)) >= _FEWEST_FOR_CURVATURE:
        chart = Crossing(x, second, True)
        start = np.concatenate([straight[0], np.zeros((1, 2))], axis=1)
        bent = maximise(chart, data, start)
        if _inside(float(bent[0][0, 0]), small, large):
            return _result(chart, bent, small, large, data)
    return _result(Crossing(x, second, False), straight, small, large, data)


def _solve(chart: Crossing, small: Curve, large: Curve, data: Counts) -> tuple[np.ndarray, np.ndarray] | None:
    """Power laws fitted apart, by their crossing: then the likelihood is at its maximum already."""
    lines = [(pivot(c.log_p, c.counts), best_line(c.log_p, c.counts)[0][0]) for c in (small, large)]
    (at_0, (value_0, slope_0)), (at_1, (value_1, slope_1)) = lines
    if abs(slope_1 - slope_0) < 1e-6:
        return None
    x = ((value_0 - slope_0 * at_0) - (value_1 - slope_1 * at_1)) / (slope_1 - slope_0)
    if not -40 < x < 0:
        return None
    return maximise(chart, data, np.array([[x, value_0 + slope_0 * (x - at_0), slope_0, slope_1]]))


def _inside(x: float, small: Curve, large: Curve) -> bool:
    low = max(small.log_p[0], large.log_p[0])
    high = min(small.log_p[-1], large.log_p[-1])
    return bool(low <= x <= high)


def _result(
    chart: Crossing, best: tuple[np.ndarray, np.ndarray], small: Curve, large: Curve, data: Counts
) -> Threshold:
    phi, likelihood = best
    low, high = profile_interval(chart, data, phi, likelihood)
    p = Estimate(*(math.exp(min(float(v), 0.0)) for v in (phi[0, 0], low[0], high[0])))
    outside = not _inside(float(phi[0, 0]), small, large)
    return Threshold((small.first.code, large.first.code), p, chart.curved, outside, float(likelihood[0]))
