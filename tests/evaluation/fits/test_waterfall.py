"""Waterfall fits: known laws found again, intervals that cover, and a test that keeps its level."""

import numpy as np
import pytest
import sinter

from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.fits import compare_terms, fit, fit_curve, goodness_of_fit
from cascade_qec.evaluation.fits.lines import Line
from cascade_qec.evaluation.fits.profile import profile_interval
from cascade_qec.evaluation.fits.two_terms import TwoTerms, starts
from cascade_qec.evaluation.fits.warranted import likelihood_ratios
from cascade_qec.evaluation.fits.waterfall import best_line, best_two_terms, pivot

AT = np.log(0.003)


def _one(x):
    return np.log(1e-3) + 3 * (x - AT)


def _two(x):
    return np.logaddexp(np.log(1e-4) + 2 * (x - AT), np.log(5e-4) + 9 * (x - AT))


def _drawn(curve, log_rate, repetitions, seed):
    counts = curve.counts
    block = counts.block_error(log_rate(curve.log_p))
    drawn = np.random.default_rng(seed).binomial(counts.shots.astype(int), block, size=(repetitions, len(block)))
    return counts.with_failures(drawn)


def test_one_term_found_again(make_curve):
    found = fit(make_curve(_one, shots=10**9), "one term")
    assert found.parameters["m1"].value == pytest.approx(3, rel=1e-3)
    assert found.parameters["a"].value == pytest.approx(1e-3 / 0.003**3, rel=0.01)
    assert found.rate(1e-4).value == pytest.approx(np.exp(_one(np.log(1e-4))), rel=0.01)
    assert np.exp(found.log_rate(1e-4)) == pytest.approx(found.rate(1e-4).value)
    assert found.deviance < 0.1


def test_two_terms_found_again(make_curve):
    found = fit(make_curve(_two, shots=10**9), "two terms")
    expected = {"a": 1e-4 / 0.003**2, "m1": 2, "b": 5e-4 / 0.003**9, "m2": 9}
    for name, value in expected.items():
        estimate = found.parameters[name]
        assert estimate.low < value < estimate.high
        assert np.log(estimate.value) == pytest.approx(np.log(value), abs=0.05)
    assert found.rate(0.0005).value == pytest.approx(np.exp(_two(np.log(0.0005))), rel=0.01)


def test_slope_agrees_with_sinters(make_curve):
    # sinter's least squares know no shots, so the points are all but exact.
    curve = make_curve(_one, k=12, rounds=6, n=72, code="bb72", shots=10**10)
    slope = sinter.fit_line_slope(xs=curve.log_p, ys=_one(curve.log_p), max_extra_squared_error=1)
    assert fit(curve, "one term").parameters["m1"].value == pytest.approx(slope.best, abs=1e-3)


def test_intervals_of_one_term_cover(make_curve):
    # 1000 experiments: the number of misses deviates by 0.7 %, so 3 % is 4.3 deviations, a false alarm in 1e-5.
    curve = make_curve(_one, k=12, rounds=6, shots=20_000)
    x, counts = curve.log_p, _drawn(curve, _one, 1000, seed=5)
    line, likelihood = best_line(x, counts)
    far = np.log(2e-4)
    for chart, truth in ((Line(x, 0.0, "slope"), 3.0), (Line(x, far), _one(far))):
        best = chart.of(line[:, 0], line[:, 1], pivot(x, counts))
        low, high = profile_interval(chart, counts, best, likelihood)
        assert np.mean((low <= truth) & (truth <= high)) == pytest.approx(0.95, abs=0.03)


@pytest.mark.parametrize(("quantity", "truth"), [("rate", _two(AT)), ("m2", 9.0)])
def test_intervals_of_two_terms_cover(make_curve, quantity, truth):
    # Of 200 intervals 5 % miss; 22 or more do with probability 5e-4, and none with 4e-5.
    curve = make_curve(_two, shots=2_000_000)
    x, counts = curve.log_p, _drawn(curve, _two, 200, seed=6)
    natural, likelihood = best_two_terms(x, counts)
    chart = TwoTerms(x, pivot(x, counts), quantity, AT)
    low, high = profile_interval(chart, counts, chart.of(natural), likelihood)
    assert 0 < np.sum((truth < low) | (truth > high)) < 22


def test_profile_ends_are_where_the_likelihood_has_fallen(make_curve):
    curve = make_curve(_two, shots=100_000)
    found = fit(curve, "two terms")
    rate = found.rate(0.002)
    x, at = curve.log_p, np.log(0.002)
    chart = TwoTerms(x, found.at, "rate", at)
    random = np.random.default_rng(1)
    # No parameters with a rate beyond an end are likelier than the end allows: 20,000 random ones near the best.
    best = chart.of(found.coordinates)
    tried = best + random.normal(scale=0.5, size=(20_000, 4)) * [0.2, 0.5, 0.2, 0.1]
    many = curve.counts.with_failures(np.repeat(curve.counts.failures, len(tried), axis=0))
    likely = many.log_likelihood(chart.log_rates(tried)[0]) > found.log_likelihood - 1.9207
    rates = np.exp(tried[likely, 0])
    assert len(rates) > 100
    assert rate.low * (1 - 1e-4) <= rates.min() < rates.max() <= rate.high * (1 + 1e-4)


def test_two_terms_are_warranted_where_they_are_the_truth(make_curve):
    result = fit_curve(make_curve(_two, shots=1_000_000), simulations=39, seed=1)
    assert result.test is not None
    assert result.test.p_value == pytest.approx(1 / 40)
    assert result.warranted.form == "two terms"
    assert result.one_fits == pytest.approx(1 / 40)
    assert result.two_fits is not None
    assert result.two_fits > 0.3


def test_one_term_is_kept_where_it_is_the_truth(make_curve):
    curve = make_curve(_one, shots=1_000_000)
    result = fit_curve(curve, simulations=39, seed=1)
    assert result.test is not None
    assert result.test.p_value > 0.3
    assert result.warranted is result.one
    assert result.one_fits > 0.3
    assert result.two_fits is None


def test_ratio_is_not_chi_squared_and_its_bootstrap_keeps_the_level(make_curve):
    # With one term the truth, 5 % of the ratios must lie above the 95 % quantile of those simulated from a fit to
    # other data. 800 on each side: the fraction deviates by 1.1 %, so 4.5 % is 4 deviations, 6e-5.
    curve = make_curve(_one, shots=50_000)
    truth = likelihood_ratios(curve.log_p, _drawn(curve, _one, 800, seed=8))
    refitted = fit(make_curve(_one, failures=_drawn(curve, _one, 1, seed=9).failures[0], shots=50_000), "one term")
    drawn = likelihood_ratios(
        curve.log_p, _drawn(curve, lambda x: np.array([refitted.log_rate(v) for v in np.exp(x)]), 800, seed=10)
    )
    assert np.mean(truth > np.quantile(drawn, 0.95)) == pytest.approx(0.05, abs=0.045)
    # The boundary shows: for many data the ratio is 0, which chi squared never is.
    assert np.mean(truth < 1e-3) > 0.2


def test_same_seed_same_p_value(make_curve):
    curve = make_curve(_two, shots=20_000)
    one, two = fit(curve, "one term"), fit(curve, "two terms")
    assert compare_terms(one, two, simulations=19, seed=3) == compare_terms(one, two, simulations=19, seed=3)
    with pytest.raises(CascadeError, match="one curve by one term and by two"):
        compare_terms(two, one, simulations=19, seed=3)
    with pytest.raises(CascadeError, match="at least 1 simulation"):
        goodness_of_fit(one, simulations=0, seed=3)


def test_points_without_failures_count(make_curve):
    some = make_curve(_one, failures=np.array([0, 0, 2, 8, 20, 40]), shots=10_000)
    without = make_curve(_one, failures=np.array([2, 8, 20, 40]), shots=10_000, ps=(0.003, 0.004, 0.005, 0.006))
    # no failure where few were expected makes the law steeper
    assert fit(some, "one term").parameters["m1"].value > fit(without, "one term").parameters["m1"].value


def test_too_few_points_are_refused(make_curve):
    curve = make_curve(_one, failures=np.array([0, 0, 0, 0, 0, 3]))
    with pytest.raises(CascadeError, match="failures at 2 noise rates to fit one term, got 1"):
        fit(curve, "one term")
    with pytest.raises(CascadeError, match="failures at 5 noise rates to fit two terms, got 1"):
        fit(curve, "two terms")
    with pytest.raises(CascadeError, match="noise rate 0 < p <= 1"):
        fit(make_curve(_one), "one term").rate(0.0)


def test_starts_hold_the_single_law():
    x = np.log([0.001, 0.01])
    natural = starts(x, x.mean(), np.array([-7.0]), np.array([3.0]))[0]
    chart = TwoTerms(x, x.mean(), "rate")
    rates, _ = chart.log_rates(chart.of(natural))
    gap = np.abs(rates - (-7.0 + 3 * (x - x.mean()))).max(axis=1)
    assert gap.min() < 2e-4
