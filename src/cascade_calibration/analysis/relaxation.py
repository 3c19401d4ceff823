"""Decays to a constant, weighed by Bayes' rule: which decay times the data allow, and whether there is a decay at all.

The constant, slow drift, the noise's strength and the contrast are integrated over. What is known of a contrast
beforehand is its size beside the noise of a point: some ten, within a factor of some. A change along the sweep that is
small beside the noise is then no decay. Each decay time has outliers of its own: they lie anywhere in the data's range,
and are rare.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import i0e, logsumexp
from scipy.stats import norm

from cascade_calibration.analysis.posterior import Posterior
from cascade_calibration.analysis.separable import Array, Fit, Model, fit
from cascade_calibration.analysis.summary import quality
from cascade_calibration.analysis.trace import Trace, trace
from cascade_calibration.analysis.verdict import Estimate
from cascade_calibration.measurement import Measurement

_CONTRAST, _FACTOR = 10.0, 4.0
"""A contrast over the noise of a point, and the factor that is one standard deviation of its logarithm."""
_NODES = np.linspace(-5, 5, 21)
"""Standard deviations from the likeliest contrast, to integrate over."""
_DRIFT = 0.1
"""Root mean square of slow drift, over the noise of a point."""
_RARE = 0.01
"""Probability that a point is an outlier."""
_MOST = 0.25
"""Of the points that may be outliers."""
_PASSES = 6
_GRID = 80
_HALVINGS, _STEP, _WORTH = 40, 0.4, 14.0
"""Of gaps between decay times: until the logarithm of the likelihood changes by less, where it is worth a look."""
_SAMPLES = (np.arange(512) + 0.5) / 512
_LEAST_NOISE = 1e-9
"""Of the data's range: rounding."""


@dataclass(frozen=True, eq=False)
class Relaxation:
    """Decay times that the data allow.

    Attributes
    ----------
    line
        The signal along the direction in which it decays.
    kept : bool [n]
        Points that are no outliers to the likeliest decay.
    logs : float64 [m]
        Logarithms of decay times, evenly spaced: those that are possible.
    found
        Of the logarithm of the decay time, each as probable beforehand as another; None for constant data.
    nothing
        Logarithm of the likelihood of a constant; `found.evidence` is a decay's.
    """

    line: Trace
    kept: NDArray[np.bool_]
    logs: Array
    found: Posterior | None
    nothing: float = 0.0

    @property
    def times(self) -> Array:
        """Decay times that the data allow, each as probable as another: float64 [samples]."""
        points, weights = (self.found.points[:, 0], self.found.weights) if self.found else (self.logs, np.ones(1))
        order = np.argsort(points)
        below = np.cumsum(np.broadcast_to(weights, points.shape)[order])
        return np.exp(points[order][np.searchsorted(below / below[-1], _SAMPLES)])

    def estimate(self, of: Callable[[Array], Array], unit: str) -> Estimate:
        """A function of decay times [m] -> [m], with its errors."""
        assert self.found is not None  # or nothing decays
        return self.found.estimate(of(np.exp(self.found.points[:, 0])), float(of(np.exp(self.found.best))[0]), unit)

    def weigh(
        self, statuses: Sequence[str], status_of: Callable[[Array], NDArray[np.str_]], nothing: str
    ) -> dict[str, float]:
        """Probabilities of statuses, of which each is as probable beforehand as another.

        Parameters
        ----------
        status_of
            What decay times mean: [m] -> [m].
        nothing
            Status of a constant.
        """
        if self.found is None:
            return {status: float(status == nothing) for status in statuses}
        beforehand, now = status_of(np.exp(self.logs)), status_of(np.exp(self.found.points[:, 0]))
        evidence = np.full(len(statuses), -np.inf)
        for i, status in enumerate(statuses):
            share, before = self.found.share(now == status), float((beforehand == status).mean())
            if share > 0 and before > 0:
                evidence[i] = self.found.evidence + np.log(share / before)
            if status == nothing:
                evidence[i] = np.logaddexp(evidence[i], self.nothing)
        return dict(zip(statuses, np.exp(evidence - logsumexp(evidence)).tolist(), strict=True))

    def fit(self, model: Model) -> Fit | None:
        """The likeliest decay, for pictures."""
        if self.found is None:
            return None
        best = self.found.best[0]
        fits = fit([model], self.line.x[self.kept], self.line.y[self.kept])
        return min(fits, key=lambda one: abs(one.theta[0] - best), default=None)

    def quality(self, best: Fit | None) -> dict[str, float]:
        """Numbers about data and fit."""
        facts = quality(self.line, best, self.kept)
        if best and self.found:
            facts["log Bayes factor of a signal"] = self.found.evidence - self.nothing
        return facts


def relaxation(measurement: Measurement, unit: str, times: Callable[[Trace], tuple[float, float]]) -> Relaxation:
    """Weigh ``exp(-t / T)`` to a constant, from the first point on. The signal may be quadratures.

    Parameters
    ----------
    unit
        Of the axis, in base units.
    times
        The shortest and the longest decay time that the sweep could show.

    Raises
    ------
    CascadeError
        As :func:`trace`.
    """
    line = trace(measurement, (unit,))
    quadratures = np.iscomplexobj(measurement.signal.values)
    lines = [trace(measurement, (unit,), along=turn) for turn in (1, 1j)] if quadratures else [line]
    x, y = line.x, np.stack([one.y for one in lines])
    low, high = times(line)
    logs = np.linspace(np.log(low), np.log(high), _GRID)
    size = float(np.ptp(y, axis=1).max())
    if not size > 1e-12 * np.abs(y).max():
        return Relaxation(line, np.ones(len(x), dtype=bool), logs, None)
    y = (y - np.median(y, axis=1, keepdims=True)) / size

    def decays(thetas: Array) -> Array:
        return np.exp(-(x - x[0]) / np.exp(thetas))

    found = _posterior(lambda thetas: _weighed(decays(thetas), y)[0], logs)
    best = decays(found.best[None])
    kept = _weighed(best, y)[1][0]
    nothing = float(_weighed(np.zeros((1, len(x))), y)[0][0])
    if quadratures:
        along = _integrated(best, y, kept[None])[3][0]
        turn = complex(*along) / max(float(np.linalg.norm(along)), 1e-300)
        line = trace(measurement, (unit,), along=turn or None)
    return Relaxation(line, kept, logs, found, nothing)


def _posterior(log_likelihood: Callable[[Array], Array], axis: Array) -> Posterior:
    """Of one parameter, from points as close to each other as it changes."""
    points, logs = axis, log_likelihood(axis[:, None])
    for _ in range(_HALVINGS):
        near = np.maximum(logs[:-1], logs[1:]) > logs.max() - _WORTH
        top = np.abs(np.arange(len(logs) - 1) + 0.5 - logs.argmax()) < 1
        split = near & (np.abs(np.diff(logs)) > np.where(top, _STEP / 4, _STEP))
        if not split.any():
            break
        new = ((points[:-1] + points[1:]) / 2)[split]
        points, logs = np.append(points, new), np.append(logs, log_likelihood(new[:, None]))
        order = np.argsort(points)
        points, logs = points[order], logs[order]
    gaps = np.diff(points)
    weights = logs + np.log((np.append(gaps, 0) + np.append(0, gaps)) / 2)  # trapezoids
    total = float(np.logaddexp.reduce(weights))
    evidence = total - float(np.log(axis[-1] - axis[0]))
    return Posterior(points[:, None], np.exp(weights - total), points[[logs.argmax()]], evidence)


def _weighed(functions: Array, y: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Logarithms of the likelihoods of a constant and any multiple of each function, and the points that it keeps.

    Parameters
    ----------
    functions : float64 [m, n]
    y : float64 [q, n]
        In units of the range.
    """
    kept = np.ones(functions.shape, dtype=bool)
    best, best_kept = np.full(len(functions), -np.inf), kept
    most = max(1, _MOST * y.shape[1])
    for _ in range(_PASSES):
        logs, off, sigma, _ = _integrated(functions, y, kept)
        better = logs > best
        best, best_kept = np.where(better, logs, best), np.where(better[:, None], kept, best_kept)
        # an outlier is likelier than a point so far off; the farthest first
        odds = np.log(np.maximum(1 / _RARE / (np.sqrt(2 * np.pi) * sigma) ** len(y), np.e))
        bound = np.maximum(sigma * np.sqrt(2 * odds), (off * kept).max(axis=1) / 2)
        new = off <= bound[:, None]
        new = np.where((~new).sum(axis=1, keepdims=True) > most, kept, new)
        if (new == kept).all():
            break
        kept = new
    return best, best_kept


def _integrated(functions: Array, y: Array, kept: NDArray[np.bool_]) -> tuple[Array, Array, Array, Array]:
    """Logarithms of likelihoods [m], distances of points from the curves [m, n], noise [m], and amplitudes [m, q]."""
    weights = kept.astype(np.float64)
    n, q = weights.sum(axis=1), len(y)
    # products allow for a straight drift of a size that is known about, as noise that all points share
    drift = _DRIFT * np.sqrt(3) * np.linspace(-1, 1, y.shape[1])
    slopes = weights * drift
    shared = slopes @ drift
    sums = n - slopes.sum(axis=1) ** 2 / (1 + shared)
    ones = weights - slopes * (slopes.sum(axis=1) / (1 + shared))[:, None]
    function = functions - ((ones * functions).sum(axis=1) / sums)[:, None]
    rest = y - ((ones @ y.T) / sums[:, None])[..., None]  # [m, q, n]
    bent = np.einsum("mn,mqn->mq", slopes, rest)
    moved = weights * function - slopes * ((slopes * function).sum(axis=1) / (1 + shared))[:, None]
    size = np.maximum((moved * function).sum(axis=1), 1e-300)
    product = np.einsum("mn,mqn->mq", moved, rest)
    total = np.einsum("mn,mqn->m", weights, rest**2) - (bent**2).sum(axis=1) / (1 + shared) + q * n * _LEAST_NOISE**2
    power = c = q * (n - 1) - 1
    amplitude = product / size[:, None]
    length = np.linalg.norm(product, axis=1)
    left = np.maximum(total - length**2 / size, q * n * _LEAST_NOISE**2)
    sigma = np.sqrt(left / c)
    off = np.linalg.norm(rest - amplitude[..., None] * function[:, None], axis=1)
    if functions.any():
        # the noise is likeliest at 1 / u for each contrast, about which the integrand is normal
        likeliest = length / size / sigma
        width = np.sqrt(1 / size + likeliest**2 / (2 * c))
        contrast = np.maximum(likeliest[:, None] + width[:, None] * _NODES, 1e-9)
        a, b, c = total[:, None], contrast * length[:, None], c[:, None]
        u = (b + np.sqrt(b**2 + 4 * a * c)) / (2 * a)
        logs = c * np.log(u) - 0.5 * (a * u**2 - 2 * b * u + size[:, None] * contrast**2)
        logs += 0.5 * np.log(2 * np.pi / (c / u**2 + a))
        # over all directions
        logs += np.log(i0e(b * u)) if q == 2 else np.log1p(np.exp(-2 * b * u)) - np.log(2)
        logs += norm.logpdf(np.log(contrast / _CONTRAST) / np.log(_FACTOR)) - np.log(contrast * np.log(_FACTOR))
        logs = np.logaddexp.reduce(logs, axis=1) + np.log(width * (_NODES[1] - _NODES[0]))
    else:
        u = np.sqrt(c / total)
        logs = c * np.log(u) - 0.5 * c + 0.5 * np.log(np.pi / total)
    logs += -0.5 * (power + 1) * np.log(2 * np.pi) - 0.5 * q * np.log(sums * (1 + shared))
    return logs + n * np.log1p(-_RARE) + (y.shape[1] - n) * np.log(_RARE), off, sigma, amplitude
