"""Waterfall fits: known laws found again, intervals that cover, and a test that keeps its level."""

from dataclasses import replace

import numpy as np
import pytest
import sinter

from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.fits.laws import Chart, parameters, starts, two_terms
from cascade_qec.evaluation.fits.points import Curve
from cascade_qec.evaluation.fits.waterfall import compare_terms, fit, fit_curve, goodness_of_fit, likelihood_ratios

AT = np.log(0.003)


def _one(x):
    return np.log(1e-3) + 3 * (x - AT)


def _two(x):
    return np.logaddexp(np.log(1e-4) + 2 * (x - AT), np.log(5e-4) + 9 * (x - AT))


def _drawn(curve, log_rate, repetitions, seed):
    outcomes = curve.outcomes
    block = outcomes.block_error(log_rate(curve.log_p))
    drawn = np.random.default_rng(seed).binomial(outcomes.shots.astype(int), block, size=(repetitions, len(block)))
    return outcomes.with_failures(drawn)


def test_one_term_found_again(make_curve):
    found = fit(make_curve(_one, shots=10**9), "one term")
    assert found.parameters["m1"].value == pytest.approx(3, rel=1e-3)
    assert found.parameters["a"].value == pytest.approx(1e-3 / 0.003**3, rel=0.01)
    assert found.rate(1e-4).value == pytest.approx(np.exp(_one(np.log(1e-4))), rel=0.01)
    assert np.exp(found.log_rates(np.log(1e-4))) == pytest.approx(found.rate(1e-4).value)
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


def _refitted(curve, log_rate, form, repetitions, seed):
    """Fits of repetitions of the curve's experiments."""
    for failures in _drawn(curve, log_rate, repetitions, seed).failures:
        drawn = zip(curve.points, failures, strict=True)
        yield fit(Curve(tuple(replace(point, failures=int(count)) for point, count in drawn)), form)


def _missed(intervals, truth):
    return sum(not found.low <= truth <= found.high for found in intervals)


@pytest.mark.slow
def test_intervals_of_one_term_cover(make_curve):
    # Of 150 intervals 5 % miss; 20 or more do with probability 1e-4, and none with 5e-4.
    curve, far = make_curve(_one, k=12, rounds=6, shots=20_000), np.log(2e-4)
    fits = list(_refitted(curve, _one, "one term", 150, seed=5))
    assert 0 < _missed([f.interval("m1", 0.0) for f in fits], 3.0) < 20
    assert 0 < _missed([f.interval("rate", far) for f in fits], _one(far)) < 20


@pytest.mark.slow
def test_intervals_of_two_terms_cover(make_curve):
    # Of 100 intervals 5 % miss; 16 or more do with probability 4e-5, and none with 6e-3.
    curve = make_curve(_two, shots=2_000_000)
    fits = list(_refitted(curve, _two, "two terms", 50, seed=6))
    missed = _missed([f.interval("rate", AT) for f in fits], _two(AT))
    missed += _missed([f.interval("m2", 0.0) for f in fits], 9.0)
    assert 0 < missed < 16


def test_profile_ends_are_where_the_likelihood_has_fallen(make_curve):
    curve = make_curve(_two, shots=100_000)
    found = fit(curve, "two terms")
    rate = found.rate(0.002)
    chart = Chart("rate", np.log(0.002) - found.at)
    # No parameters with a rate beyond an end are likelier than the end allows: 20,000 random ones near the best.
    scale = np.array([0.1, 0.25, 0.1, 0.05])
    tried = chart.of(found.coordinates) + np.random.default_rng(1).normal(scale=scale, size=(20_000, 4))
    log_a, log_b, m1, m2 = chart.natural(tried.T)[..., None]
    dx = curve.log_p - found.at
    likelihood = curve.outcomes.log_likelihood(np.logaddexp(log_a + m1 * dx, log_b + m2 * dx))
    rates = np.exp(tried[likelihood > found.log_likelihood - 1.9207, 0])
    assert len(rates) > 100
    assert rate.low * (1 - 1e-4) <= rates.min() < rates.max() <= rate.high * (1 + 1e-4)


@pytest.mark.slow
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


@pytest.mark.slow
def test_ratio_is_not_chi_squared_and_its_bootstrap_keeps_the_level(make_curve):
    # With one term the truth, 5 % of the ratios must lie above the 95 % quantile of those simulated from a fit to
    # other data. 800 on each side: the fraction deviates by 1.1 %, so 4.5 % is 4 deviations, 6e-5.
    curve = make_curve(_one, shots=50_000)
    truth = likelihood_ratios(curve.log_p, _drawn(curve, _one, 800, seed=8))
    refitted = fit(make_curve(_one, failures=_drawn(curve, _one, 1, seed=9).failures[0], shots=50_000), "one term")
    drawn = likelihood_ratios(curve.log_p, _drawn(curve, refitted.log_rates, 800, seed=10))
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
    dx = np.log([0.001, 0.01]) - np.log(0.003)
    (natural,) = starts(dx, np.array([[-7.0, 3.0]]))
    rates, _ = two_terms(dx)(parameters(natural.T).T)
    gap = np.abs(rates - (-7.0 + 3 * dx)).max(axis=1)
    assert gap.min() < 2e-4
