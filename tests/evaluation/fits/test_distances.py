"""Lambda, thresholds and resources: hand values, and intervals that cover."""

import math
from dataclasses import replace

import numpy as np
import pytest

from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.fits.points import Curve
from cascade_qec.evaluation.fits.resources import code_resources, series_resource
from cascade_qec.evaluation.fits.suppression import distance_series, suppression, threshold
from cascade_qec.evaluation.fits.waterfall import fit

PS = (0.002, 0.004, 0.006, 0.008, 0.012)


def _law(d, factor=0.05, p_th=0.01):
    """The textbook's: P = factor (p / p_th)^((d+1)/2), so Lambda = p_th / p."""
    return lambda x: np.log(factor) + (d + 1) / 2 * (x - np.log(p_th))


def _curves(make_curve, shots=10**9, distances=(3, 5, 7), decoder="matching", law=_law, ps=PS):
    return [
        make_curve(law(d), code=f"surface_d{d}", rounds=d, ps=ps, shots=shots, decoder=decoder.format(d=d))
        for d in distances
    ]


def test_series_gather_models_and_rounds(make_curve):
    curves = _curves(make_curve, decoder="cascade:surface_d{d}_large")
    odd = make_curve(_law(3), code="surface_d3", rounds=6, ps=PS)
    triple = [make_curve(_law(d), code=f"surface_d{d}", rounds=3 * d, ps=PS) for d in (3, 5)]
    bb = make_curve(_law(6), code="bb72", rounds=6, ps=PS)
    found = distance_series([*reversed(curves), odd, *triple, bb])
    assert [(s.decoder, s.rule, s.distances, s.codes) for s in found] == [
        ("cascade:surface_d*_large", "rounds = d", (3, 5, 7), "surface_d3..7"),
        ("matching", "rounds = 3 d", (3, 5), "surface_d3..5"),
    ]


def test_lambda_found_again(make_curve):
    (series,) = distance_series(_curves(make_curve))
    found = suppression(series, 0.002)
    assert found.factor.value == pytest.approx(5, rel=1e-3)
    assert found.factor.low < 5 < found.factor.high
    assert found.distances == (3, 5, 7)
    assert found.p_value is not None
    assert found.p_value > 0.5
    # 0.05 * 5^-((d+1)/2) = 1e-12
    assert found.distance_for(1e-12).value == pytest.approx(2 * math.log(0.05e12) / math.log(5) - 1, rel=1e-3)


def test_lambda_of_two_distances_is_their_ratio(make_curve):
    (series,) = distance_series(_curves(make_curve, shots=100_000, distances=(3, 7)))
    found = suppression(series, 0.004)
    small, large = (point for curve in series.curves if (point := curve.at(0.004)))
    per_cycle = [p.failures / p.shots / p.rounds for p in (small, large)]  # to first order
    assert found.factor.value == pytest.approx((per_cycle[0] / per_cycle[1]) ** 0.5, rel=0.02)
    assert found.p_value is None


def _drawn(curves):
    """150 repetitions of the curves' experiments."""
    random = np.random.default_rng(12)
    block = [point.failures / point.shots for curve in curves for point in curve.points]
    shots = [point.shots for curve in curves for point in curve.points]
    for failures in random.binomial(shots, block, size=(150, len(shots))):
        each = iter(failures)
        yield [Curve(tuple(replace(point, failures=int(next(each))) for point in curve.points)) for curve in curves]


# Of 150 intervals 5 % miss; 20 or more do with probability 1e-4, and none with 5e-4.


def _missed(intervals, truth):
    return sum(not found.low <= truth <= found.high for found in intervals)


@pytest.mark.slow
def test_intervals_of_lambda_and_distance_cover(make_curve):
    truth = suppression(distance_series(_curves(make_curve))[0], 0.004)
    found = [suppression(distance_series(drawn)[0], 0.004) for drawn in _drawn(_curves(make_curve, shots=20_000))]
    assert 0 < _missed([fitted.factor for fitted in found], truth.factor.value) < 20
    assert 0 < _missed([fitted.distance_for(1e-9) for fitted in found], truth.distance_for(1e-9).value) < 20


@pytest.mark.slow
@pytest.mark.parametrize("ps", [PS, PS[2:]])
def test_intervals_of_thresholds_cover(make_curve, ps):
    curves = _curves(make_curve, shots=20_000, distances=(3, 5), ps=ps)
    found = [threshold(small, large) for small, large in _drawn(curves)]
    crossed = [there.p for there in found if there is not None]
    assert len(crossed) == 150
    assert 0 < _missed(crossed, 0.01) < 20


def test_threshold_of_bent_curves(make_curve):
    def bent(d):
        law = _law(d)
        return lambda x: law(x) - 0.1 * d * (x - np.log(0.01)) ** 2

    (series,) = distance_series(_curves(make_curve, law=bent))
    crossed = threshold(*series.curves[:2])
    assert crossed is not None
    assert not crossed.extrapolated
    assert crossed.p.value == pytest.approx(0.01, rel=1e-3)


def test_threshold_beyond_the_data_is_told(make_curve):
    curves = _curves(make_curve, law=lambda d: _law(d, p_th=0.03))
    crossed = threshold(*curves[:2])
    assert crossed is not None
    assert crossed.extrapolated
    assert crossed.p.value == pytest.approx(0.03, rel=0.01)
    assert threshold(curves[0], curves[0]) is None


def test_surface_resources(make_curve):
    (series,) = distance_series(_curves(make_curve))
    distance, qubits = series_resource(series, p=0.002, target=1e-12)
    # the law gives 29.6, so 31, of 2 * 31^2 - 1 qubits
    assert (qubits.code, qubits.value, qubits.extrapolated) == ("surface_d31", 1921, "yes")
    assert (distance.value_low, distance.value, distance.value_high) == (31, 31, 31)
    _, inside = series_resource(series, p=0.002, target=1e-4)
    assert (inside.code, inside.value, inside.extrapolated) == ("surface_d7", 97, "")
    with pytest.raises(CascadeError, match=r"fall with the distance at p = 0\.012, got Lambda = 0\.83"):
        series_resource(series, p=0.012, target=1e-12)
    with pytest.raises(CascadeError, match=r"failures of two distances at p = 0\.001, got no data"):
        series_resource(series, p=0.001, target=1e-12)


def test_distance_is_unbounded_where_lambda_may_be_one(make_curve):
    (series,) = distance_series(_curves(make_curve, shots=1000, distances=(3, 5), law=lambda d: _law(d, p_th=0.0085)))
    distance, qubits = series_resource(series, p=0.008, target=1e-9)
    assert distance.value_high == qubits.value_high == math.inf
    assert qubits.value_low is not None
    assert math.isfinite(qubits.value_low)


def test_bicycle_resources_take_the_smallest_code_that_is_enough(make_curve):
    fits = [
        fit(make_curve(_law(d), code=code, n=n, k=12, rounds=d, ps=PS, decoder=f"cascade:{code}"), "one term")
        for code, n, d in (("bb72", 72, 6), ("bb144", 144, 12))
    ]
    low, high = (f.rate(0.003).value for f in reversed(fits))
    assert low < high
    small, large, none = (code_resources(fits, p=0.003, target=t)[0] for t in (2 * high, 2 * low, low / 2))
    assert (small.decoder, small.code, small.value) == ("cascade:bb*", "bb72", (72 + 60) / 12)
    assert (large.code, large.extrapolated) == ("bb144", "")
    assert (none.code, none.value) == ("none measured", math.inf)
    assert code_resources(fits, p=0.0005, target=2 * high)[0].extrapolated == "yes"
