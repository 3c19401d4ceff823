"""Where the curves of two distances cross."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from cascade_qec.evaluation.fits.laws import best_line, pivot
from cascade_qec.evaluation.fits.likelihood import Floats
from cascade_qec.evaluation.fits.points import Curve, outcomes
from cascade_qec.evaluation.fits.profile import climb, profile_interval
from cascade_qec.statistics import Interval

_FEWEST_FOR_CURVATURE = 4


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
