"""Fits of a curve by one power law in the noise rate and by the waterfall's two, and which of them is warranted.

The tests simulate data from a fit (parametric bootstrap).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

import numpy as np

from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.fits.laws import Chart, Quantity, best_line, best_two_terms, pivot, starts
from cascade_qec.evaluation.fits.likelihood import Floats, Outcomes
from cascade_qec.evaluation.fits.points import Curve
from cascade_qec.evaluation.fits.profile import profile_interval
from cascade_qec.statistics import Interval

Form = Literal["one term", "two terms"]

_FEWEST = {"one term": 2, "two terms": 5}
"""Points with failures that a fit needs: the parameters of one term, and one more than those of two."""

LEVEL = 0.05
"""Two terms are warranted where one is rejected at this level."""


@dataclass(frozen=True)
class WaterfallFit:
    """A curve's fit ``P = a p^m1`` or ``P = a p^m1 + b p^m2`` with 0 <= m1 <= m2, P per logical per cycle.

    The second term of two is the waterfall, the first the distance-limited one that remains at low noise.

    Attributes
    ----------
    curve, form
        What was fitted, and by which of the two.
    at
        Pivot: logarithm of the noise rate at which `coordinates` are meant.
    coordinates : float64 [2] or [4]
        (log rate, m1) or (log A, log B, m1, m2) at the pivot.
    log_likelihood
        Of the fit.
    """

    curve: Curve
    form: Form
    at: float
    coordinates: Floats
    log_likelihood: float

    @property
    def deviance(self) -> float:
        """Twice what a rate of its own for each point adds to the log likelihood."""
        return 2 * float(self.curve.outcomes.highest_log_likelihood()[0] - self.log_likelihood)

    @cached_property
    def parameters(self) -> dict[str, Interval]:
        """a, m1 and, of two terms, b, m2, with 95 % intervals from the profile likelihood.

        a and b are the terms' rates at p = 1, far from any data: use them with their exponents only.
        """
        names: tuple[Quantity, ...] = ("a", "m1") if self.form == "one term" else ("a", "m1", "b", "m2")
        found = {name: self.interval(name, 0.0) for name in names}
        return {name: exp(value) if name in ("a", "b") else value for name, value in found.items()}

    def rate(self, p: float) -> Interval:
        """Rate per logical per cycle at a noise rate, inside the data or outside, with its profile interval.

        The interval takes the form for granted; far outside the data that is the larger doubt.

        Raises
        ------
        CascadeError
            Unless ``0 < p <= 1``.
        """
        if not 0 < p <= 1:
            raise CascadeError(f"expected a noise rate 0 < p <= 1, got {p}")
        return exp(self.interval("rate", math.log(p)))

    def log_rates(self, log_p: Floats) -> Floats:
        """Logarithms of the fitted rates per logical per cycle, from those of noise rates."""
        return _log_rates(self.coordinates, log_p - self.at)

    def interval(self, quantity: Quantity, log_p: float) -> Interval:
        """95 % interval of an exponent, or of the logarithm of a term or of the whole rate at a noise rate."""
        x, outcomes = self.curve.log_p, self.curve.outcomes
        dx, shift = x - self.at, log_p - self.at
        if self.form == "one term":
            value, slope = self.coordinates
            if quantity == "m1":
                return profile_interval(lambda phi: phi[1] + phi[0] * dx, outcomes, (slope, value))
            return profile_interval(
                lambda phi: phi[0] + phi[1] * (dx - shift), outcomes, (value + slope * shift, slope)
            )
        chart = Chart(quantity, shift)
        more = [chart.of(start) for start in starts(dx, best_line(x, outcomes)[0])[0]]
        # one law may fall with p, by chance; the exponents of two are bounded
        lowest = 0.0 if quantity in ("m1", "m2") else -math.inf
        return profile_interval(
            lambda phi: _log_rates(chart.natural(phi), dx),
            outcomes,
            chart.of(self.coordinates),
            more_starts=more,
            lowest=lowest,
        )


def enough_for(curve: Curve, form: Form) -> bool:
    """Whether a curve has the points with failures that a form needs."""
    return sum(point.failures > 0 for point in curve.points) >= _FEWEST[form]


def fit(curve: Curve, form: Form) -> WaterfallFit:
    """Fit a curve by maximum likelihood; every point's failures are binomial.

    Raises
    ------
    CascadeError
        If fewer than two points have failures, or five for two terms.
    """
    if not enough_for(curve, form):
        seen = sum(point.failures > 0 for point in curve.points)
        raise CascadeError(f"{curve.name}: expected failures at {_FEWEST[form]} noise rates to fit {form}, got {seen}")
    best = best_line if form == "one term" else best_two_terms
    coordinates, likelihood = best(curve.log_p, curve.outcomes)
    return WaterfallFit(curve, form, pivot(curve.log_p, curve.outcomes), coordinates[0], float(likelihood[0]))


class TwoTermsTest(NamedTuple):
    """Two terms against one.

    Attributes
    ----------
    likelihood_ratio
        Twice the gain in log likelihood.
    p_value
        Probability of as large a gain where one term is the truth.
    """

    likelihood_ratio: float
    p_value: float


@dataclass(frozen=True)
class CurveFit:
    """A curve's fit by one term, by two where its points allow, and the test between them."""

    one: WaterfallFit
    one_fits: float
    two: WaterfallFit | None = None
    test: TwoTermsTest | None = None
    two_fits: float | None = None

    @property
    def warranted(self) -> WaterfallFit:
        """Two terms if one is rejected, else one."""
        if self.two is not None and self.test is not None and self.test.p_value < LEVEL:
            return self.two
        return self.one


def fit_curve(curve: Curve, *, simulations: int, seed: int) -> CurveFit:
    """Fit one curve by one term and, with failures at five noise rates or more, by two.

    Raises
    ------
    CascadeError
        If fewer than two points have failures.
    """
    one = fit(curve, "one term")
    one_fits = goodness_of_fit(one, simulations=simulations, seed=seed)
    if not enough_for(curve, "two terms"):
        return CurveFit(one, one_fits)
    two = fit(curve, "two terms")
    test = compare_terms(one, two, simulations=simulations, seed=seed)
    # the second term's parameters mean nothing, and their intervals everything, unless it is warranted
    two_fits = goodness_of_fit(two, simulations=simulations, seed=seed) if test.p_value < LEVEL else None
    return CurveFit(one, one_fits, two, test, two_fits)


def compare_terms(one: WaterfallFit, two: WaterfallFit, *, simulations: int, seed: int) -> TwoTermsTest:
    """Likelihood-ratio test of the second term.

    One term lies on the edge of two (an amplitude of 0, or equal exponents), and there the other term's
    parameters mean nothing; so the ratio is not distributed as chi squared. Its distribution is simulated
    instead: failures are drawn from the fitted single term, and both forms fitted to them. Shots stay as they
    are, also where the number of failures had decided when to stop. The p-value is at least 1 / (simulations + 1).

    Raises
    ------
    CascadeError
        If the fits are not of one curve, or ``simulations`` is below 1.
    """
    if one.curve is not two.curve or (one.form, two.form) != ("one term", "two terms"):
        raise CascadeError(f"expected the fits of one curve by one term and by two, got {one.form} and {two.form}")
    ratio = max(0.0, 2 * (two.log_likelihood - one.log_likelihood))
    drawn = simulate(one, simulations=simulations, seed=seed)
    return TwoTermsTest(ratio, _p_value(ratio, likelihood_ratios(one.curve.log_p, drawn)))


def likelihood_ratios(x: Floats, outcomes: Outcomes) -> Floats:
    """Twice the gain of two terms over one, for every repetition: float64 [repetitions], none below 0."""
    _, one = best_line(x, outcomes)
    _, two = best_two_terms(x, outcomes)
    return np.maximum(0.0, 2 * (two - one))


def goodness_of_fit(fit: WaterfallFit, *, simulations: int, seed: int) -> float:
    """Probability of a deviance as large as the fit's where the fit is the truth; small if the form is wrong.

    By simulation, since with few failures the deviance is not distributed as chi squared.

    Raises
    ------
    CascadeError
        If ``simulations`` is below 1.
    """
    drawn = simulate(fit, simulations=simulations, seed=seed)
    best = best_line if fit.form == "one term" else best_two_terms
    _, likelihood = best(fit.curve.log_p, drawn)
    return _p_value(fit.deviance, 2 * (drawn.highest_log_likelihood() - likelihood))


def simulate(fit: WaterfallFit, *, simulations: int, seed: int) -> Outcomes:
    """Failures drawn from a fit at its curve's points and shots: ``[simulations, points]``."""
    if simulations < 1:
        raise CascadeError(f"expected at least 1 simulation, got {simulations}")
    outcomes = fit.curve.outcomes
    block = outcomes.block_error(fit.log_rates(fit.curve.log_p))
    drawn = np.random.default_rng(seed).binomial(outcomes.shots.astype(np.int64), block, size=(simulations, len(block)))
    return outcomes.with_failures(drawn)


def _p_value(observed: float, drawn: Floats) -> float:
    # The observed one counts as a draw, which keeps the test's level exact (Davison & Hinkley 1997, section 4.2.2);
    # the slack is the optimizer's.
    return float((1 + np.sum(drawn >= observed - 1e-6)) / (len(drawn) + 1))


def _log_rates(coordinates: Floats, dx: Floats) -> Floats:
    if len(coordinates) == 2:
        return coordinates[0] + coordinates[1] * dx
    log_a, log_b, m1, m2 = coordinates
    return np.logaddexp(log_a + m1 * dx, log_b + m2 * dx)


def exp(log: Interval) -> Interval:
    """Of a quantity whose logarithm is given; an end is infinite where it is too large for a float."""
    return log.map(lambda value: math.exp(value) if value < 709 else math.inf)
