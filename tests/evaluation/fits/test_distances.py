"""Lambda, thresholds and resources: hand values, and intervals that cover."""

import math

import numpy as np
import pytest

from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.fits import (
    Estimate,
    bicycle_resources,
    fit,
    suppression,
    surface_resource,
    surface_series,
    threshold,
)
from cascade_qec.evaluation.fits.lines import Crossing, Line, Reach
from cascade_qec.evaluation.fits.maximise import maximise
from cascade_qec.evaluation.fits.points import counts
from cascade_qec.evaluation.fits.profile import profile_interval

PS = (0.002, 0.004, 0.006, 0.008, 0.012)


def _law(d, factor=0.05, p_th=0.01):
    """The textbook's: P = factor (p / p_th)^((d+1)/2), so Lambda = p_th / p."""
    return lambda x: np.log(factor) + (d + 1) / 2 * (x - np.log(p_th))


def _curves(make_curve, shots=10**9, distances=(3, 5, 7), decoder="matching", law=_law):
    return [
        make_curve(law(d), code=f"surface_d{d}", rounds=d, ps=PS, shots=shots, decoder=decoder.format(d=d))
        for d in distances
    ]


def test_series_gather_models_and_rounds(make_curve):
    curves = _curves(make_curve, decoder="cascade:surface_d{d}_large")
    odd = make_curve(_law(3), code="surface_d3", rounds=6, ps=PS)
    triple = [make_curve(_law(d), code=f"surface_d{d}", rounds=3 * d, ps=PS) for d in (3, 5)]
    bb = make_curve(_law(6), code="bb72", rounds=6, ps=PS)
    found = surface_series([*reversed(curves), odd, *triple, bb])
    assert [(s.decoder, s.rule, s.distances, s.codes) for s in found] == [
        ("cascade:surface_d*_large", "rounds = d", (3, 5, 7), "surface_d3..7"),
        ("matching", "rounds = 3 d", (3, 5), "surface_d3..5"),
    ]


def test_lambda_found_again(make_curve):
    (series,) = surface_series(_curves(make_curve))
    found = suppression(series, 0.002)
    assert found.factor.value == pytest.approx(5, rel=1e-3)
    assert found.factor.low < 5 < found.factor.high
    assert found.distances == (3, 5, 7)
    assert found.p_value is not None
    assert found.p_value > 0.5
    # 0.05 * 5^-((d+1)/2) = 1e-12
    assert found.distance_for(1e-12).value == pytest.approx(2 * math.log(0.05e12) / math.log(5) - 1, rel=1e-3)


def test_lambda_of_two_distances_is_their_ratio(make_curve):
    (series,) = surface_series(_curves(make_curve, shots=100_000, distances=(3, 7)))
    found = suppression(series, 0.004)
    small, large = (curve.at(0.004) for curve in series.curves)
    per_cycle = [p.failures / p.shots / p.rounds for p in (small, large)]  # to first order
    assert found.factor.value == pytest.approx((per_cycle[0] / per_cycle[1]) ** 0.5, rel=0.02)
    assert found.p_value is None


def _coverage(chart, x, log_rate, counts, best, truth):
    """Fraction of 1000 repetitions whose interval holds the truth, climbing from the true parameters."""
    drawn = np.random.default_rng(12).binomial(
        counts.shots.astype(int), counts.block_error(log_rate), size=(1000, len(x))
    )
    data = counts.with_failures(drawn)
    phi, likelihood = maximise(chart, data, np.repeat([best], 1000, axis=0))
    low, high = profile_interval(chart, data, phi, likelihood)
    return np.mean((low <= truth) & (truth <= high))


# The fraction of 1000 deviates by 0.7 %, so 3 % is 4.3 deviations: a false alarm in 1e-5 for a seed drawn afresh.


def test_intervals_of_lambda_and_distance_cover(make_curve):
    (series,) = surface_series(_curves(make_curve, shots=20_000))
    fitted = suppression(series, 0.004)
    slope, value = math.log(2.5), math.log(0.05) - 0.5 * math.log(2.5)  # at x = 0, where d = 0
    log_rate = value + slope * fitted.x
    chart = Line(fitted.x, 0.0, "slope")
    covered = _coverage(chart, fitted.x, log_rate, fitted.counts, [slope, value], slope)
    assert covered == pytest.approx(0.95, abs=0.03)
    where = (math.log(1e-9) - value) / slope
    reach = Reach(fitted.x, math.log(1e-9))
    covered = _coverage(reach, fitted.x, log_rate, fitted.counts, [where, slope], where)
    assert covered == pytest.approx(0.95, abs=0.03)


@pytest.mark.parametrize("curved", [False, True])
def test_intervals_of_thresholds_cover(make_curve, curved):
    small, large = _curves(make_curve, shots=20_000, distances=(3, 5))
    x = np.concatenate([small.log_p, large.log_p])
    chart = Crossing(x, np.arange(len(x)) >= len(PS), curved)
    truth = np.array([math.log(0.01), math.log(0.05), 2, 3, 0, 0][: chart.size])
    log_rate = chart.log_rates(truth[None])[0]
    covered = _coverage(chart, x, log_rate, counts([*small.points, *large.points]), truth, truth[0])
    assert covered == pytest.approx(0.95, abs=0.03)


def test_threshold_of_bent_curves(make_curve):
    def bent(d):
        law = _law(d)
        return lambda x: law(x) - 0.1 * d * (x - np.log(0.01)) ** 2

    (series,) = surface_series(_curves(make_curve, law=bent))
    crossed = threshold(*series.curves[:2])
    assert crossed is not None
    assert crossed.curved
    assert not crossed.extrapolated
    assert crossed.p.value == pytest.approx(0.01, rel=1e-3)
    assert crossed.codes == ("surface_d3", "surface_d5")


def test_threshold_beyond_the_data_is_told(make_curve):
    curves = _curves(make_curve, law=lambda d: _law(d, p_th=0.03))
    crossed = threshold(*curves[:2])
    assert crossed is not None
    assert (crossed.curved, crossed.extrapolated) == (False, True)
    assert crossed.p.value == pytest.approx(0.03, rel=0.01)
    assert threshold(curves[0], curves[0]) is None


def test_surface_resources(make_curve):
    (series,) = surface_series(_curves(make_curve))
    found = surface_resource(series, p=0.002, target=1e-12)
    # the law gives 29.6, so 31, of 2 * 31^2 - 1 qubits
    assert (found.code, found.distance, found.qubits.value) == ("surface_d31", Estimate(31, 31, 31), 1921)
    assert found.extrapolated
    inside = surface_resource(series, p=0.002, target=1e-4)
    assert (inside.code, inside.qubits.value, inside.extrapolated) == ("surface_d7", 97, False)
    with pytest.raises(CascadeError, match=r"fall with the distance at p = 0\.012, got Lambda = 0\.83"):
        surface_resource(series, p=0.012, target=1e-12)
    with pytest.raises(CascadeError, match=r"failures of two distances at p = 0\.001, got no data"):
        surface_resource(series, p=0.001, target=1e-12)


def test_distance_is_unbounded_where_lambda_may_be_one(make_curve):
    (series,) = surface_series(_curves(make_curve, shots=1000, distances=(3, 5), law=lambda d: _law(d, p_th=0.0085)))
    found = surface_resource(series, p=0.008, target=1e-9)
    assert found.distance is not None
    assert math.isinf(found.distance.high)
    assert math.isinf(found.qubits.high)
    assert math.isfinite(found.qubits.low)


def test_bicycle_resources_take_the_smallest_code_that_is_enough(make_curve):
    fits = [
        fit(make_curve(_law(d), code=code, n=n, k=12, rounds=d, ps=PS, decoder=f"cascade:{code}"), "one term")
        for code, n, d in (("bb72", 72, 6), ("bb144", 144, 12))
    ]
    low, high = (f.rate(0.003).value for f in reversed(fits))
    assert low < high
    small, large, none = (bicycle_resources(fits, p=0.003, target=t)[0] for t in (2 * high, 2 * low, low / 2))
    assert (small.decoder, small.code, small.qubits.value) == ("cascade:bb*", "bb72", (72 + 60) / 12)
    assert (large.code, large.extrapolated) == ("bb144", False)
    assert (none.code, none.qubits.value) == ("none measured", math.inf)
    assert bicycle_resources(fits, p=0.0005, target=2 * high)[0].extrapolated
