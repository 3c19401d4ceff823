"""Everything that `cascade fit` says of a set of points."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.fits.points import Curve
from cascade_qec.evaluation.fits.resources import Resource, code_resources, series_resource
from cascade_qec.evaluation.fits.series import Series, distance_series, in_series
from cascade_qec.evaluation.fits.suppression import Suppression, measured_noise_rates, suppression
from cascade_qec.evaluation.fits.thresholds import Threshold, threshold
from cascade_qec.evaluation.fits.warranted import TwoTermsTest, compare_terms, goodness_of_fit
from cascade_qec.evaluation.fits.waterfall import WaterfallFit, enough_for, fit

LEVEL = 0.05
"""Two terms are warranted where one is rejected at this level."""


@dataclass(frozen=True)
class CurveFit:
    """A curve's fit by one term, by two where its points allow, and the test between them."""

    curve: Curve
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


@dataclass(frozen=True)
class Analysis:
    """Results over all curves.

    Attributes
    ----------
    curves
        Fits over the noise rate.
    suppressions
        Lambda of each series at each noise rate that two distances share.
    thresholds
        Crossings of neighbouring distances of each series.
    resources
        Qubits for a target.
    left_out
        What could not be fitted, and why.
    """

    curves: list[CurveFit] = field(default_factory=list)
    suppressions: list[tuple[Series, Suppression]] = field(default_factory=list)
    thresholds: list[tuple[Series, Threshold]] = field(default_factory=list)
    resources: list[Resource] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


def analyse(
    curves: Sequence[Curve],
    *,
    at: Sequence[float] = (),
    target: float = 1e-12,
    simulations: int = 999,
    seed: int = 0,
    report: Callable[[int, int], None] = lambda done, total: None,
) -> Analysis:
    """Fit curves, suppression, thresholds, and what they say of resources.

    Parameters
    ----------
    curves
        What was measured.
    at
        Noise rates of the resource estimates.
    target
        Rate per logical per cycle of the resource estimates.
    simulations, seed
        Of the tests by simulation.
    report
        Called with curves done and in all.
    """
    found = Analysis()
    for index, curve in enumerate(curves):
        if enough_for(curve, "one term"):
            found.curves.append(fit_curve(curve, simulations=simulations, seed=seed))
        else:
            found.left_out.append(f"{curve.name}: failures at fewer than two noise rates")
        report(index + 1, len(curves))
    fitted = {id(result.curve) for result in found.curves}
    for series in distance_series(curves):
        found.suppressions.extend((series, suppression(series, p)) for p in measured_noise_rates(series))
        crossing = [curve for curve in series.curves if id(curve) in fitted]
        for small, large in pairwise(crossing):
            crossed = threshold(small, large)
            if crossed is None:
                found.left_out.append(f"{series.name}: {small.first.code} and {large.first.code} do not cross")
            else:
                found.thresholds.append((series, crossed))
        for p in at:
            try:
                found.resources.append(series_resource(series, p=p, target=target))
            except CascadeError as error:
                found.left_out.append(f"resources: {error}")
    others = [result.warranted for result in found.curves if not in_series(result.curve)]
    for p in at:
        found.resources.extend(code_resources(others, p=p, target=target))
    return found


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
        return CurveFit(curve, one, one_fits)
    two = fit(curve, "two terms")
    test = compare_terms(one, two, simulations=simulations, seed=seed)
    # the second term's parameters mean nothing, and their intervals everything, unless it is warranted
    two_fits = goodness_of_fit(two, simulations=simulations, seed=seed) if test.p_value < LEVEL else None
    return CurveFit(curve, one, one_fits, two, test, two_fits)
