"""Derivatives of every family by differences, and coordinates there and back."""

import numpy as np
import pytest

from cascade_qec.evaluation.fits.lines import Crossing, Line, Reach
from cascade_qec.evaluation.fits.two_terms import TwoTerms

X = np.log([0.001, 0.002, 0.004, 0.006])
NATURAL = np.array([[-9.0, -8.0, 2.5, 7.0], [-7.0, -12.0, 0.5, 11.0]])
QUANTITIES = ("rate", "a", "b", "m1", "m2")
SECOND = np.array([False, False, True, True])

CHARTS = [
    (Line(X, -6.0), [[-7.0, 2.5]]),
    (Line(X, -6.0, "slope"), [[2.5, -7.0]]),
    (Reach(X, -20.0), [[-9.0, 2.5]]),
    (Crossing(X, SECOND, False), [[-5.0, -4.0, 2.0, 3.0]]),
    (Crossing(X, SECOND, True), [[-5.0, -4.0, 2.0, 3.0, -0.2, -0.4]]),
    *((chart := TwoTerms(X, -6.0, q, -7.5), chart.of(NATURAL)) for q in QUANTITIES),
]


@pytest.mark.parametrize(("chart", "phi"), CHARTS)
def test_derivatives(chart, phi):
    phi = np.asarray(phi)
    assert phi.shape[1] == chart.size
    _, slopes = chart.log_rates(phi)
    for i in range(chart.size):
        step = np.zeros(chart.size)
        step[i] = 1e-6
        difference = (chart.log_rates(phi + step)[0] - chart.log_rates(phi - step)[0]) / 2e-6
        np.testing.assert_allclose(slopes[..., i], difference, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("quantity", QUANTITIES)
def test_natural_coordinates_there_and_back(quantity):
    chart = TwoTerms(X, -6.0, quantity, -7.5)
    phi = chart.of(NATURAL)
    np.testing.assert_allclose(chart.natural(phi), NATURAL, rtol=1e-9)
    log_a, log_b, m1, m2 = (NATURAL[:, [i]] for i in range(4))
    expected = np.log(np.exp(log_a + m1 * (X + 6)) + np.exp(log_b + m2 * (X + 6)))
    np.testing.assert_allclose(chart.log_rates(phi)[0], expected, rtol=1e-9)


def test_the_first_coordinate_is_the_quantity():
    log_a, log_b, m1, m2 = NATURAL.T
    there = {"a": log_a - 1.5 * m1, "b": log_b - 1.5 * m2, "m1": m1, "m2": m2}
    there["rate"] = np.logaddexp(there["a"], there["b"])
    for quantity, expected in there.items():
        np.testing.assert_allclose(TwoTerms(X, -6.0, quantity, -7.5).of(NATURAL)[:, 0], expected)
