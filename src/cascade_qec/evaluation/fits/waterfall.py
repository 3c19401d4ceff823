"""Power laws in the noise rate: one term, and the waterfall's two."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.fits.likelihood import Counts, Floats
from cascade_qec.evaluation.fits.lines import Line
from cascade_qec.evaluation.fits.maximise import maximise, maximise_from
from cascade_qec.evaluation.fits.points import Curve
from cascade_qec.evaluation.fits.profile import profile_interval
from cascade_qec.evaluation.fits.two_terms import Quantity, TwoTerms, starts

Form = Literal["one term", "two terms"]

_FEWEST = {"one term": 2, "two terms": 5}
"""Points with failures that a fit needs: the parameters of one term, and one more than those of two."""


@dataclass(frozen=True)
class Estimate:
    """A value with its interval, whose ends may be infinite."""

    value: float
    low: float
    high: float

    def exp(self) -> Estimate:
        """Of exp of the quantity; the value is infinite where it is too large for a float."""
        return Estimate(*(math.exp(v) if v < 709 else math.inf for v in (self.value, self.low, self.high)))


def pivot(x: Floats, counts: Counts) -> float:
    """Mean of x [points], weighted by failures: near it a line's value and slope are estimated independently."""
    weights = counts.failures.sum(axis=0) + 1e-9
    return float(np.average(x, weights=weights))


def best_line(x: Floats, counts: Counts) -> tuple[Floats, Floats]:
    """The most likely line of log rates over x, for every repetition.

    Returns
    -------
    phi : float64 [repetitions, 2]
        Log rate at :func:`pivot`, and slope.
    log_likelihood : float64 [repetitions]
    """
    at = pivot(x, counts)
    crude = counts.crude_log_rate()
    weights = counts.failures + 0.5
    centre = (weights * x).sum(axis=1, keepdims=True) / weights.sum(axis=1, keepdims=True)
    mean = (weights * crude).sum(axis=1, keepdims=True) / weights.sum(axis=1, keepdims=True)
    spread = (weights * (x - centre) ** 2).sum(axis=1)
    slope = (weights * (x - centre) * (crude - mean)).sum(axis=1) / np.maximum(spread, 1e-12)
    start = np.stack([mean[:, 0] + slope * (at - centre[:, 0]), slope], axis=1)
    return maximise(Line(x, at), counts, start)


def best_two_terms(x: Floats, counts: Counts) -> tuple[Floats, Floats]:
    """The most likely sum of two power laws, for every repetition.

    Returns
    -------
    natural : float64 [repetitions, 4]
        (log A, log B, m1, m2) at :func:`pivot`.
    log_likelihood : float64 [repetitions]
    """
    at = pivot(x, counts)
    line, _ = best_line(x, counts)
    chart = TwoTerms(x, at, "rate", at)
    from_line = starts(x, at, line[:, 0], line[:, 1])
    phi, likelihood = maximise_from(chart, counts, _coordinates(chart, from_line))
    return chart.natural(phi), likelihood


def _coordinates(chart: TwoTerms, natural: Floats) -> Floats:
    return chart.of(natural.reshape(-1, 4)).reshape(natural.shape)


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
    coordinates : float64 [1, 2] or [1, 4]
        (log rate, m1) or (log A, log B, m1, m2) at the pivot.
    log_likelihood
        Of the fit.
    """

    curve: Curve
    form: Form
    at: float
    coordinates: np.ndarray
    log_likelihood: float

    @property
    def deviance(self) -> float:
        """Twice what a rate of its own for each point adds to the log likelihood."""
        return 2 * float(self.curve.counts.highest_log_likelihood()[0] - self.log_likelihood)

    @property
    def degrees_of_freedom(self) -> int:
        """Points less parameters."""
        return len(self.curve.points) - self.coordinates.shape[1]

    @cached_property
    def parameters(self) -> dict[str, Estimate]:
        """a, m1 and, of two terms, b, m2, with 95 % intervals from the profile likelihood.

        a and b are the terms' rates at p = 1, far from any data: use them with their exponents only.
        """
        names: tuple[Quantity, ...] = ("a", "m1") if self.form == "one term" else ("a", "m1", "b", "m2")
        found = {name: self._estimate(name, 0.0) for name in names}
        return {name: value.exp() if name in ("a", "b") else value for name, value in found.items()}

    def rate(self, p: float, *, confidence: float = 0.95) -> Estimate:
        """Rate per logical per cycle at a noise rate, inside the data or outside, with its profile interval.

        The interval takes the form for granted; far outside the data that is the larger doubt.

        Raises
        ------
        CascadeError
            Unless ``0 < p <= 1``.
        """
        return self._estimate("rate", math.log(_noise_rate(p)), confidence=confidence).exp()

    def log_rate(self, p: float) -> float:
        """Logarithm of the fitted rate per logical per cycle at a noise rate."""
        dx = math.log(_noise_rate(p)) - self.at
        if self.form == "one term":
            return float(self.coordinates[0] @ [1.0, dx])
        log_a, log_b, m1, m2 = self.coordinates[0]
        return float(np.logaddexp(log_a + m1 * dx, log_b + m2 * dx))

    def _estimate(self, quantity: Quantity, at: float, *, confidence: float = 0.95) -> Estimate:
        x, counts = self.curve.log_p, self.curve.counts
        likelihood = np.array([self.log_likelihood])
        more = None
        if self.form == "one term":
            chart = Line(x, at, "slope" if quantity == "m1" else "value")
            best = chart.of(self.coordinates[:, 0], self.coordinates[:, 1], self.at)
        else:
            chart = TwoTerms(x, self.at, quantity, at)
            best = chart.of(self.coordinates)
            line, _ = best_line(x, counts)
            more = _coordinates(chart, starts(x, self.at, line[:, 0], line[:, 1]))
        # one law may fall with p, by chance; the exponents of two are bounded
        lowest = 0.0 if self.form == "two terms" and quantity in ("m1", "m2") else -math.inf
        low, high = profile_interval(
            chart, counts, best, likelihood, more_starts=more, lowest=lowest, confidence=confidence
        )
        return Estimate(float(best[0, 0]), float(low[0]), float(high[0]))


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
    coordinates, likelihood = best(curve.log_p, curve.counts)
    return WaterfallFit(curve, form, pivot(curve.log_p, curve.counts), coordinates, float(likelihood[0]))


def _noise_rate(p: float) -> float:
    if not 0 < p <= 1:
        raise CascadeError(f"expected a noise rate 0 < p <= 1, got {p}")
    return p
