"""Fits without starting values, what their evidence counts, and what their intervals hold."""

import numpy as np
import pytest

from cascade_calibration.analysis.oscillation import aliases, highest_frequency, oscillation
from cascade_calibration.analysis.ranges import likeliest_window
from cascade_calibration.analysis.separable import estimate, fit, fit_robustly, lack_of_fit
from cascade_calibration.analysis.trace import principal_axis

X = np.linspace(0, 1, 61)


def wave(periods: float, seed: int, noise: float = 0.1) -> np.ndarray:
    return np.cos(2 * np.pi * periods * X + 0.4) + noise * np.random.default_rng(seed).standard_normal(len(X))


@pytest.mark.parametrize("periods", [0.7, 1.9, 6.3, 21.4])
def test_any_frequency_is_found_without_a_starting_value(periods):
    fits = fit([oscillation(X)], X, wave(periods, seed=1))
    found = estimate(fits, lambda p: p[..., 0], "")
    assert found.low <= periods <= found.high
    assert found.error < 0.1


def test_noise_is_no_signal_and_a_signal_is_no_noise():
    model = [oscillation(X)]
    noise = [fit(model, X, np.random.default_rng(seed).standard_normal(len(X)))[0].evidence for seed in range(20)]
    # one of twenty or fewer searches of noise should look like anything
    assert sum(evidence > 2 for evidence in noise) <= 1
    assert fit(model, X, wave(4.2, seed=2))[0].evidence > 30


def test_intervals_hold_the_truth():
    """Of 40 intervals of 95 %, 33 or more hold it with probability 0.999."""
    held = 0
    for seed in range(40):
        found = estimate(fit([oscillation(X)], X, wave(3.3, seed, noise=0.2)), lambda p: p[..., 0], "")
        held += found.low <= 3.3 <= found.high
    assert held >= 33


def test_outliers_are_left_out_and_nothing_else():
    y = wave(3.3, seed=4)
    y[[7, 30]] += [9, -25]
    fits, kept = fit_robustly([oscillation(X)], X, y)
    assert np.flatnonzero(~kept).tolist() == [7, 30]
    assert fits[0].theta[0] == pytest.approx(3.3, abs=0.05)


def test_fits_without_outliers_are_those_of_the_other_points():
    y = wave(3.3, seed=4)
    y[[7, 30]] += [9, -25]
    fits, kept = fit_robustly([oscillation(X)], X, y)
    alone = fit([oscillation(X)], X[kept], y[kept])
    np.testing.assert_allclose(fits[0].theta, alone[0].theta, rtol=1e-6)
    assert fits[0].evidence == pytest.approx(alone[0].evidence)


def test_structure_in_residuals_is_seen():
    assert lack_of_fit(fit([oscillation(X)], X, wave(4.0, seed=5))[0]) < 0
    drifting = wave(4.0, seed=5) + 1.5 * X**2
    assert lack_of_fit(fit([oscillation(X)], X, drifting)[0]) > 3


def test_aliases_look_the_same_at_the_points():
    step = X[1] - X[0]
    for other in aliases(4.0, step, 4):
        np.testing.assert_allclose(np.cos(2 * np.pi * other * X), np.cos(2 * np.pi * 4.0 * X), atol=1e-9)


def test_the_likeliest_window_suits_most_scales():
    scales = np.exp(np.random.default_rng(0).normal(0, 0.3, 500))
    window = likeliest_window(scales, 3, 12)
    assert ((window >= 3 * scales) & (window <= 12 * scales)).mean() > 0.95


def test_quadratures_are_turned_to_where_they_change():
    line = np.linspace(-1, 1, 20) * np.exp(0.7j) + 5 - 3j
    assert abs((principal_axis(line) * np.exp(-0.7j)).real) == pytest.approx(1)


def test_points_over_many_decades_have_as_many_periods_as_can_be_searched():
    delays = np.logspace(-20, 0, 41)
    assert highest_frequency(delays) * np.ptp(delays) <= 50 * len(delays)
    assert highest_frequency(np.linspace(0, 1, 41)) == pytest.approx(20)
