"""Fits of models that are linear in all but one, two or three of their parameters.

A model is ``y = c_0 + c_1 b_1(x; theta) + ... + c_k b_k(x; theta)``: a decay, an oscillation, a line of a spectrum. For
each ``theta`` of a grid the amplitudes ``c`` follow by linear algebra, all at once; that needs no starting values and
finds every local best. The best ones are polished by least squares (variable projection). How well a model explains the
data, with ``theta`` anywhere in its grid's box, is a Bayes factor against the constant: Zellner's prior for the
amplitudes (g = n), a uniform one for ``theta``, integrated by importance sampling around each polished best. Such
factors compare models with different numbers of parameters, and they count how many places were searched. The same
samples, weighed by the likelihood alone, give intervals that need not be symmetric.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Any

import numpy as np
from numpy.polynomial.chebyshev import chebvander
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter
from scipy.special import gammaln
from scipy.stats import norm, qmc

from cascade_calibration.analysis.sums import RIDGE, Array, Basis, Product, Sums, sums_at
from cascade_calibration.analysis.verdict import Estimate

_SAMPLES = 512
_STARTS = 4
_FURTHER = 3
_OUTLIER = 4.5
_MOST_OUTLIERS = 0.1
_PASSES = 6
_WIDER = 1.3
_ROUNDS, _PILOT, _FEW, _EVENED = 6, 128, 0.1, 20
"""Of a few samples, until such a share of them counts; their weights are evened out by so many square roots at most."""
_WORTH = 8.0
_HOPELESS = 9.0
_STEPS = 20
_EXACT = 1e-14
"""Share of the squares that rounding leaves of exact data."""
_ENOUGH = 1e-3
"""Variances of the noise that a step must gain at least."""
_STIFFEST = 1e4
_CANCELLED = 1e-6
"""Share of all squares that points must have left for their sums to be what others leave of all."""
_TAIL = 5
_FEW_VALUES = 8


@dataclass(frozen=True, eq=False)
class Model:
    """A model that is linear in all but `theta`.

    Attributes
    ----------
    basis
        ``(x [n], theta [..., p]) -> [..., n, k]``: the functions beside the constant. Arrays in which the n values of a
        function follow each other (:func:`side_by_side`) are worked on several times as fast.
    grid
        Values of each part of `theta`, rising and evenly spaced: p arrays. Take logarithms of what is positive: errors
        are then nearly normal, and each order of magnitude is as probable as the next.
    prior
        Logarithm of how probable the model is beforehand, beside others.
    """

    name: str
    basis: Basis
    grid: tuple[Array, ...]
    prior: float = 0.0


@dataclass(frozen=True, eq=False)
class Fit:
    """A model at one of its local bests.

    Attributes
    ----------
    theta : float64 [p]
    amplitudes : float64 [1 + k]
        The constant first.
    covariance : float64 [p, p]
        Of theta, about.
    x, y, residuals : float64 [n]
    design : float64 [n, p + 1 + k]
        Derivatives of the model.
    about
        The evidence if theta's errors are normal (Laplace's method).
    hopeless
        Whether another fit is so much better that `about` will do.
    """

    model: Model
    theta: Array
    amplitudes: Array
    covariance: Array
    x: Array
    y: Array
    residuals: Array
    design: Array
    about: float
    hopeless: bool = False

    @property
    def dof(self) -> int:
        """Degrees of freedom of the residuals."""
        return max(1, len(self.x) - self.design.shape[1])

    @property
    def sigma(self) -> float:
        """Standard deviation of the noise of a point."""
        return float(np.sqrt((self.residuals**2).sum() / self.dof))

    def __call__(self, x: Array) -> Array:
        """The fitted curve at x: float64 [n]."""
        return self.amplitudes[0] + self.model.basis(x, self.theta) @ self.amplitudes[1:]

    @property
    def evidence(self) -> float:
        """Logarithm of the Bayes factor of this best against the constant."""
        return self.about if self.hopeless else self._draws[2] + self.model.prior

    @property
    def thetas(self) -> Array:
        """Values of theta that the data allow: float64 [samples, p]."""
        return self._draws[0]

    @cached_property
    def _draws(self) -> tuple[Array, Sums, float]:
        return _sampled(self.model, self.x, self.y, self.theta, self.covariance)

    @cached_property
    def samples(self) -> Array:
        """`theta` and amplitudes that the data allow: float64 [samples, p + 1 + k]."""
        return np.column_stack([self.thetas, _amplitudes(self._draws[1], self.y)])


def side_by_side(*functions: NDArray[Any]) -> NDArray[Any]:
    """Functions [..., n] as a basis [..., n, k]."""
    return np.swapaxes(np.stack(functions, axis=-2), -1, -2)


def each_once(of: Callable[[Array], Array], values: Array) -> Array:
    """A function of values [...] -> [..., more]; a grid has many equal ones, of which each is computed once."""
    if values.size <= _FEW_VALUES:
        return of(values)
    some, where = np.unique(values, return_inverse=True)
    return of(values) if some.size == values.size else of(some)[where]


def estimate(fits: Sequence[Fit], of: Callable[[Array], Array], unit: str) -> Estimate:
    """A function ([..., p + 1 + k] -> [...]) of `theta` and amplitudes, with its errors; fits count by their evidence.

    The interval holds 95 % of the samples, and the standard error is half the interval that holds 68 %.

    Parameters
    ----------
    fits
        The best first, of models whose parameters mean the same.
    """
    value = float(of(np.concatenate([fits[0].theta, fits[0].amplitudes])))
    shares = np.array([np.exp(one.evidence - fits[0].evidence) for one in fits])
    near = [(one, share) for one, share in zip(fits, shares, strict=True) if share > 1e-3]
    values = np.concatenate([of(one.samples) for one, _ in near])
    weights = np.concatenate([np.full(len(one.thetas), share / len(one.thetas)) for one, share in near])
    order = np.argsort(values)
    below = np.cumsum(weights[order])
    low, down, up, high = values[order][np.searchsorted(below, below[-1] * np.array([0.025, 0.15866, 0.84134, 0.975]))]
    return Estimate(value, float((up - down) / 2), float(low), float(high), unit)


def fit(models: Sequence[Model], x: Array, y: Array) -> list[Fit]:
    """All local bests of several models that are worth a look, the most probable first; none for constant data.

    Parameters
    ----------
    x, y : float64 [n]
    """
    return _weighed(_bests([_Search(model, x, y) for model in models], np.ones(len(x), dtype=bool)))


def _bests(searches: Sequence[_Search], kept: NDArray[np.bool_]) -> list[Fit]:
    """Local bests, each once; the one with the most evidence, about, is the first."""
    x, y = searches[0].x[kept], searches[0].y[kept]
    if not np.ptp(y) > 1e-12 * np.abs(y).max():
        return []
    starts = [search.starts(kept) for search in searches]
    first = [one[0] for one in starts]
    worth = max(evidence for evidence, _, _ in first) - _WORTH
    further = sorted((one for some in starts for one in some[1:] if one[0] > worth), key=lambda one: -one[0])
    found: list[Fit] = []
    for _, model, start in [*first, *further[:_FURTHER]]:
        best = _polished(model, x, y, start)
        widths = 0.5 * np.sqrt(np.diag(best.covariance)) + 1e-9
        others = (other for other in found if other.model is model)
        if all((np.abs(best.theta - other.theta) > widths).any() for other in others):
            found.append(best)
    return sorted(found, key=lambda one: -one.about)


def _weighed(found: list[Fit]) -> list[Fit]:
    """The most probable first; those that cannot come near it are not sampled."""
    leader = found[0].evidence if found else 0.0
    weighed = [one if one.about > leader - _HOPELESS else replace(one, hopeless=True) for one in found]
    return sorted(weighed, key=lambda one: -one.evidence)


def fit_robustly(models: Sequence[Model], x: Array, y: Array) -> tuple[list[Fit], NDArray[np.bool_]]:
    """`fit`, without points far from the best curve or, if that is worse than a constant, from the constant.

    Returns
    -------
    the fits, and which points were kept: bool [n]
    """
    kept, searches = np.ones(len(x), dtype=bool), [_Search(model, x, y) for model in models]
    for _ in range(_PASSES):
        found = _bests(searches, kept)
        good = found[0] if found and found[0].about > 0 else None
        distance = np.abs(y - (good(x) if good else np.median(y)))
        # what a curve is fitted to lies nearer to it than the noise
        lost = good.design.shape[1] if good else 1
        scale = np.median(distance[kept]) / norm.ppf(0.75) * np.sqrt(kept.sum() / max(1, kept.sum() - lost))
        # the farthest first: what looks like an outlier beside them may turn out to be the signal
        bound = max(_OUTLIER * scale, distance[kept].max() / 2)
        far = kept & (distance > bound)
        if not far.any() or (~kept | far).sum() > max(1, _MOST_OUTLIERS * len(x)):
            break
        kept = kept & ~far
    return _weighed(found), kept


def lack_of_fit(best: Fit, order: int = 3) -> float:
    """Logarithm of the Bayes factor of structure in the residuals against noise.

    The structure is a slow change of any amplitude, drift of the constant included: polynomials up to `order` times the
    model's functions.
    """
    place = 2 * (best.x - best.x[0]) / np.ptp(best.x) - 1
    columns = best.design[:, len(best.theta) :]
    extra = (chebvander(place, order)[:, 1:, None] * columns[:, None, :]).reshape(len(place), -1)
    known = _orthonormal(best.design)
    extra = _orthonormal(extra - known @ (known.T @ extra))
    total = float((best.residuals**2).sum())
    explained = float(((extra.T @ best.residuals) ** 2).sum())
    n = len(best.x) - known.shape[1] + 1
    if total == 0 or n - 1 <= extra.shape[1]:
        return 0.0
    return float(_bayes_factor(explained / total, n, extra.shape[1]))


def _bayes_factor(explained: Array | float, n: int, k: int) -> Array:
    """Logarithm; `explained` is the share of the constant's squares that k functions explain of n points."""
    return 0.5 * (n - 1 - k) * np.log1p(n) - 0.5 * (n - 1) * np.log1p(n * np.clip(1 - explained, 1e-14, None))


class _Search:
    """A model's grid against data, of which some points may be left out: sums over the others need no new basis."""

    def __init__(self, model: Model, x: Array, y: Array) -> None:
        self.model, self.x, self.y = model, x, y

    @cached_property
    def thetas(self) -> Array:
        """All points of the grid: float64 [m, p]."""
        return np.stack(np.meshgrid(*self.model.grid, indexing="ij"), axis=-1).reshape(-1, len(self.model.grid))

    @cached_property
    def centred(self) -> Array:
        """Data around their median."""
        return self.y - np.median(self.y)

    @cached_property
    def sums(self) -> Sums:
        """Of all points."""
        if isinstance(self.model.basis, Product):
            return self.model.basis.sums(self.x, self.model.grid, self.centred)
        return sums_at(self.model.basis, self.x, self.thetas, self.centred)

    def starts(self, kept: NDArray[np.bool_]) -> list[tuple[float, Model, Array]]:
        """The best local bests of the grid with the kept points, each with its evidence there."""
        y = self.centred[kept]
        total = float(((y - y.mean()) ** 2).sum())
        if kept.all():
            sums = self.sums
        elif kept[0] and total > _CANCELLED * float(self.centred @ self.centred):
            # models measure from the first of the points that they get
            left = np.flatnonzero(~kept)
            some = np.concatenate([[0], left])
            sums = self.sums.without(sums_at(self.model.basis, self.x[some], self.thetas, self.centred[left], skip=1))
        else:
            sums = sums_at(self.model.basis, self.x[kept], self.thetas, y)
        evidence = _bayes_factor(sums.explained(len(y), float(y.mean()), total), len(y), sums.products.shape[1])
        grid = evidence.reshape(tuple(map(len, self.model.grid)))
        tops = np.flatnonzero((grid == maximum_filter(grid, size=3, mode="nearest")).ravel())
        return [(float(evidence[i]), self.model, self.thetas[i]) for i in tops[np.argsort(-evidence[tops])][:_STARTS]]


def _polished(model: Model, x: Array, y: Array, theta: Array) -> Fit:
    """Levenberg and Marquardt's steps within the box; amplitudes follow by linear algebra."""
    low, high = (np.array([axis[i] for axis in model.grid]) for i in (0, -1))
    step = np.diag(1e-5 * (high - low))
    offsets = np.concatenate([step, -step])
    amplitudes, remaining, columns, directions = _solved(model, x, y, theta)
    squares, damping, span = remaining @ remaining, 1e-3, high - low
    for _ in range(_STEPS):
        slopes = _slopes(model, x, theta, amplitudes, offsets) * span
        # only what no other column explains tells of theta
        free = slopes - directions.T @ (directions @ slopes)
        moments, uphill = free.T @ free, free.T @ remaining
        held = ((theta <= low) & (uphill < 0)) | ((theta >= high) & (uphill > 0))  # along the wall
        moments, uphill = moments * np.outer(~held, ~held), uphill * ~held
        size = np.diag(moments) + 1e-9 * np.trace(moments) + 1e-300
        gained = 0.0
        while damping < _STIFFEST:
            step = np.linalg.solve(moments + np.diag(damping * size), uphill)
            ahead = np.clip(theta + span * step, low, high)
            tried = _solved(model, x, y, ahead)
            gained = squares - tried[1] @ tried[1]
            if gained >= 0:
                theta, (amplitudes, remaining, columns, directions), squares = ahead, tried, squares - gained
                damping = max(damping / 10, 1e-6)
                break
            damping *= 10
        if gained <= _ENOUGH * squares / len(x):
            break
    slopes = _slopes(model, x, theta, amplitudes, offsets)
    design = np.column_stack([slopes, columns])
    free = slopes - directions.T @ (directions @ slopes)
    information = free.T @ free * max(1, len(x) - design.shape[1]) / max(squares, 1e-300)
    # what the data cannot tell is as wide as the box
    covariance: Array = np.linalg.inv(information + np.diag((high - low) ** -2.0)).astype(np.float64)
    centred = y - y.mean()
    known = float(_bayes_factor(1 - squares / (centred @ centred), len(x), columns.shape[1] - 1))
    volume = 0.5 * np.linalg.slogdet(2 * np.pi * covariance)[1] - np.log(high - low).sum()
    about = known + min(0.0, float(volume)) + model.prior
    return Fit(model, theta, amplitudes, covariance, x, y, remaining, design, about)


def _slopes(model: Model, x: Array, theta: Array, amplitudes: Array, offsets: Array) -> Array:
    """Derivatives of the curve by theta, from steps forward and back [2 p, p]: [n, p]."""
    p = len(theta)
    ends = model.basis(x, theta + offsets) @ amplitudes[1:]
    return ((ends[:p] - ends[p:]) / (2 * np.diag(offsets)[:, None])).T


def _sampled(model: Model, x: Array, y: Array, theta: Array, covariance: Array) -> tuple[Array, Sums, float]:
    """Samples of theta [samples, p] around a best, their sums, and the best's evidence."""
    p, centred = len(theta), y - y.mean()
    low, high = (np.array([axis[i] for axis in model.grid]) for i in (0, -1))
    normal = _normal(p + 1)
    direction = normal[:, :p] * np.sqrt(_TAIL / _chi2(normal[:, p], _TAIL))[:, None]
    middle, span = theta, high - low
    for turn in range(_ROUNDS + 1):
        root = _root(_WIDER**2 * covariance, span)
        thetas, proposal = middle + direction @ root.T, _student(direction) - np.log(np.diag(root)).sum()
        found = _proposed(model, x, centred, thetas[:_PILOT], proposal[:_PILOT])
        allowed = np.isfinite(found.posterior)
        if turn == _ROUNDS or not allowed.any() or 1 / (found.weights**2).sum() > _FEW * _PILOT:
            break
        # walls, or a ridge that bends: weights are evened out until they tell of more than a few points
        logs, weights = found.posterior - found.proposal, found.weights
        for _ in range(_EVENED):
            if 1 / (weights**2).sum() > _FEW * _PILOT:
                break
            logs = logs / 2
            weights = np.exp(logs - np.logaddexp.reduce(logs))
        middle = weights @ found.thetas
        if allowed.sum() <= p:
            covariance = covariance / 4
        else:
            covariance = np.atleast_2d(np.cov(found.thetas.T, aweights=weights, ddof=0)).astype(np.float64)
    found = found.joined(_proposed(model, x, centred, thetas[_PILOT:], proposal[_PILOT:]))
    if not np.isfinite(found.posterior).any():  # the best itself, in a corner of the box
        found = _proposed(model, x, centred, np.tile(np.clip(middle, low, high), (_SAMPLES, 1)), proposal)
    shares = np.cumsum(found.weights)
    chosen = np.searchsorted(shares / shares[-1], (np.arange(_SAMPLES) + 0.5) / _SAMPLES)
    return found.thetas[chosen], found.sums.at(chosen), float(found.evidence)


@dataclass(frozen=True)
class _Proposed:
    """Thetas [m, p] and their sums; logarithms of the posterior, of the evidence and of how often it is drawn [m]."""

    thetas: Array
    sums: Sums
    posterior: Array
    evidences: Array
    proposal: Array

    @cached_property
    def weights(self) -> Array:
        """By the likelihood: [m]."""
        likelihood = self.posterior - self.proposal
        return np.exp(likelihood - np.logaddexp.reduce(likelihood))

    @property
    def evidence(self) -> float:
        """Logarithm, of all."""
        return float(np.logaddexp.reduce(self.evidences - self.proposal) - np.log(len(self.thetas)))

    def joined(self, more: _Proposed) -> _Proposed:
        """With others."""
        parts = ("thetas", "posterior", "evidences", "proposal")
        arrays = {part: np.concatenate([getattr(self, part), getattr(more, part)]) for part in parts}
        return _Proposed(sums=self.sums.joined(more.sums), **arrays)


def _proposed(model: Model, x: Array, centred: Array, thetas: Array, proposal: Array) -> _Proposed:
    """At `thetas`, which are none where they lie outside the box."""
    low, high = (np.array([axis[i] for axis in model.grid]) for i in (0, -1))
    n, inside = len(x), ((thetas >= low) & (thetas <= high)).all(axis=1)
    sums = sums_at(model.basis, x, np.clip(thetas, low, high), centred)
    explained, k = sums.explained(n, 0.0, float(centred @ centred)), sums.products.shape[1]
    prior = np.where(inside, -np.log(high - low).sum(), -np.inf)
    evidences = _bayes_factor(explained, n, k) + prior
    posterior = -0.5 * max(1, n - 1 - k) * np.log(np.clip(1 - explained, 1e-14, None)) + prior
    return _Proposed(thetas, sums, posterior, evidences, proposal)


def _root(covariance: Array, span: Array) -> Array:
    """Cholesky's factor [p, p]; parts of theta that the data hardly tell apart leave a covariance barely positive."""
    size = np.sqrt(np.maximum(np.diag(covariance), 0) + (1e-9 * span) ** 2)
    correlation = (covariance + covariance.T) / 2 / np.outer(size, size)
    values, vectors = np.linalg.eigh(correlation)
    mended = (vectors * np.maximum(values, 1e-9)) @ vectors.T + 1e-10 * np.eye(len(size))
    return (size[:, None] * np.linalg.cholesky(mended)).astype(np.float64)


def _amplitudes(sums: Sums, y: Array) -> Array:
    """Amplitudes that the data allow, one sample for each of the sums with centred data: [samples, 1 + k]."""
    (samples, k), n, centred = sums.products.shape, len(y), y - y.mean()
    moments = np.empty((samples, 1 + k, 1 + k))
    moments[:, 0, 0], moments[:, 0, 1:], moments[:, 1:, 0] = n, sums.functions, sums.functions
    moments[:, 1:, 1:] = sums.moments
    products = np.column_stack([np.zeros(samples), sums.products])
    ridge = RIDGE * np.trace(moments, axis1=1, axis2=2)[:, None, None] * np.eye(1 + k)
    inverse = np.linalg.inv(moments + ridge)
    best = (inverse @ products[..., None])[..., 0]
    total = float(centred @ centred)
    remaining = np.maximum(total - (best * products).sum(axis=1), _EXACT * total)
    rng, dof = np.random.default_rng(0), max(1, n - 1 - k)
    normal = rng.standard_normal((samples, 1 + k))
    # the noise is known from the same few points: Student's distribution
    spread = np.sqrt(remaining / rng.chisquare(dof, samples))
    best[:, 0] += y.mean()
    return best + spread[:, None] * (np.linalg.cholesky(inverse) @ normal[..., None])[..., 0]


def _solved(model: Model, x: Array, y: Array, theta: Array) -> tuple[Array, Array, Array, Array]:
    """Amplitudes [1 + k], residuals [n], columns [n, 1 + k] and their directions [1 + k, n] at one `theta`.

    Of columns that are alike the amplitudes are small; directions are at right angles to each other.
    """
    columns = np.column_stack([np.ones(len(x)), model.basis(x, theta)])
    norms = np.sqrt((columns**2).sum(axis=0))
    norms[norms == 0] = 1
    unit = columns / norms
    root = np.linalg.inv(np.linalg.cholesky(unit.T @ unit + RIDGE * np.eye(len(norms))))
    directions = root @ unit.T
    along = directions @ y
    amplitudes = along @ root / norms
    return amplitudes, y - columns @ amplitudes, columns, directions


def _orthonormal(columns: Array) -> Array:
    norms = np.linalg.norm(columns, axis=0)
    left, values, _ = np.linalg.svd(columns / np.where(norms > 0, norms, 1), full_matrices=False)
    return left[:, values > 1e-6]


@cache
def _normal(dimensions: int) -> Array:
    """Evenly spread points of the normal distribution: float64 [samples, dimensions], the same each time."""
    return norm.ppf(qmc.Sobol(dimensions, rng=np.random.default_rng(0)).random(_SAMPLES))


def _student(points: Array) -> Array:
    """Logarithm of the density of Student's distribution with `_TAIL` degrees of freedom at points [..., p]."""
    p = points.shape[-1]
    size = gammaln((_TAIL + p) / 2) - gammaln(_TAIL / 2) - p / 2 * np.log(_TAIL * np.pi)
    return size - (_TAIL + p) / 2 * np.log1p((points**2).sum(axis=-1) / _TAIL)


def _chi2(normal: Array, dof: int) -> Array:
    """Wilson and Hilferty's way from normal to chi-squared variables."""
    return dof * np.clip(1 - 2 / (9 * dof) + normal * np.sqrt(2 / (9 * dof)), 1e-3, None) ** 3
