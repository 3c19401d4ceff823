"""Are two terms warranted, and does a fit fit? Tests by simulating from the fit (parametric bootstrap)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.fits.laws import best_line, best_two_terms
from cascade_qec.evaluation.fits.likelihood import Floats, Outcomes
from cascade_qec.evaluation.fits.points import Curve
from cascade_qec.evaluation.fits.waterfall import WaterfallFit, enough_for, fit

LEVEL = 0.05
"""Two terms are warranted where one is rejected at this level."""


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
    are, also where the number of failures had decided when to stop.

    Parameters
    ----------
    one, two
        Both fits of one curve.
    simulations
        Data sets drawn; the p-value is at least 1 / (simulations + 1).
    seed
        Of the draws.

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
