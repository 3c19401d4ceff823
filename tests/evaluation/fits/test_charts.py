"""Derivatives of both laws by differences, and the coordinates of two terms there and back."""

import numpy as np
import pytest

from cascade_qec.evaluation.fits.laws import Chart, line, parameters, two_terms

X = np.log([0.001, 0.002, 0.004, 0.006])
NATURAL = np.array([[-9.0, -8.0, 2.5, 7.0], [-7.0, -12.0, 0.5, 11.0]])
QUANTITIES = ("rate", "a", "b", "m1", "m2")


@pytest.mark.parametrize(
    ("law", "phi"), [(line(X + 6.0), np.array([[-7.0, 2.5]])), (two_terms(X + 6.0), parameters(NATURAL.T).T)]
)
def test_derivatives(law, phi):
    _, slopes = law(phi)
    for i, step in enumerate(1e-6 * np.eye(phi.shape[1])):
        difference = (law(phi + step)[0] - law(phi - step)[0]) / 2e-6
        np.testing.assert_allclose(slopes[..., i], difference, rtol=1e-5, atol=1e-7)


def test_two_terms_are_the_sum_of_two():
    log_a, log_b, m1, m2 = NATURAL.T[..., None]
    expected = np.log(np.exp(log_a + m1 * (X + 6)) + np.exp(log_b + m2 * (X + 6)))
    np.testing.assert_allclose(two_terms(X + 6.0)(parameters(NATURAL.T).T)[0], expected, rtol=1e-9)


@pytest.mark.parametrize("quantity", QUANTITIES)
def test_natural_coordinates_there_and_back(quantity):
    chart = Chart(quantity, -1.5)
    for natural in NATURAL:
        np.testing.assert_allclose(chart.natural(np.array(chart.of(natural))), natural, rtol=1e-9)


def test_the_first_coordinate_is_the_quantity():
    for log_a, log_b, m1, m2 in NATURAL:
        there = {"a": log_a - 1.5 * m1, "b": log_b - 1.5 * m2, "m1": m1, "m2": m2}
        there["rate"] = np.logaddexp(there["a"], there["b"])
        for quantity in QUANTITIES:
            assert Chart(quantity, -1.5).of(np.array([log_a, log_b, m1, m2]))[0] == pytest.approx(there[quantity])
