"""Series of one quantity: steady, jumping between levels, or drifting; the evidence for each, and its parameters.

All three have noise of one unknown strength and a level anywhere within the range of the values, so that their
evidences compare: a walk's follows in closed form for each strength of its steps, that of jumps by importance sampling.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dst
from scipy.special import gammaln, logsumexp

Array = NDArray[np.float64]

_WALKS = 2.0, 100.0, 40
"""Least variance of a walk over the whole series, and most of a step, in variances of the noise; values between."""
_QUANTILES = np.array([0.05, 0.25, 0.5, 0.75, 0.95])
_CHANCES = np.array([0.01, 0.04, 0.15])
_SAMPLES, _ROUNDS = 200, 3
_LEAST_CHANCE, _MOST_CHANCE = 1e-3, 0.3


@dataclass(frozen=True, eq=False)
class Jumps:
    """Values between levels, as the data allow them, with weights.

    Attributes
    ----------
    levels : float64 [samples, k]
        Rising.
    noise, chance : float64 [samples]
        Standard deviation of a value, and probability of a jump from one value to the next.
    weights : float64 [samples]
    """

    evidence: float
    levels: Array
    noise: Array
    chance: Array
    weights: Array


@dataclass(frozen=True, eq=False)
class Walk:
    """A random walk: `steps` are standard deviations of a step [samples], with weights."""

    evidence: float
    steps: Array
    weights: Array


def steady(y: Array) -> float:
    """Logarithm of the evidence of noise around one level."""
    return float(_walks(y, np.zeros(1))[0][0])


def walk(y: Array) -> Walk:
    """A random walk under the noise that leads farther than that."""
    least, most, count = _WALKS
    ratios = np.geomspace(least / len(y), most, count)
    evidences, noise = _walks(y, ratios)
    weights = np.exp(evidences - np.asarray(logsumexp(evidences)))
    return Walk(float(logsumexp(evidences) - np.log(count)), np.sqrt(ratios) * noise, weights)


def jumps(y: Array, k: int) -> Jumps:
    """Jumps between `k` levels."""
    rng = np.random.default_rng(0)
    low, high = float(y.min()), float(y.max())
    noise = float(np.median(np.abs(np.diff(y)))) / 0.9539
    starts = [
        (*levels, np.log(max(noise, 1e-3 * (high - low)) * factor), np.log(chance))
        for levels in combinations(np.quantile(y, _QUANTILES), k)
        for factor in (0.8, 1.2)
        for chance in _CHANCES
    ]
    theta = np.array(starts)
    posterior = _jumping(y, theta, k, low, high)
    proposal = np.zeros(len(theta))
    for turn in range(_ROUNDS):
        # half of the best at first, then all by their weights
        weights = np.exp((posterior - proposal - (posterior - proposal).max()) * (0.5 if turn < _ROUNDS - 1 else 1.0))
        weights /= weights.sum()
        mean = weights @ theta
        width = np.array([*np.full(k, 0.05 * (high - low)), 0.1, 0.5]) * 0.5**turn
        covariance = 1.5 * np.cov(theta.T, aweights=weights, ddof=0) + np.diag(width**2)
        root = np.linalg.cholesky(covariance)
        normal = rng.standard_normal((_SAMPLES, k + 2)) * np.sqrt(5 / rng.chisquare(5, _SAMPLES))[:, None]
        theta = mean + normal @ root.T
        posterior = _jumping(y, theta, k, low, high)
        p = k + 2
        proposal = (
            gammaln((5 + p) / 2)
            - gammaln(2.5)
            - p / 2 * np.log(5 * np.pi)
            - np.log(np.diag(root)).sum()
            - (5 + p) / 2 * np.log1p((normal**2).sum(axis=1) / 5)
        )
    weights = posterior - proposal
    return Jumps(
        float(logsumexp(weights) - np.log(_SAMPLES)),
        theta[:, :k],
        np.exp(theta[:, k]),
        np.exp(theta[:, k + 1]),
        np.exp(weights - np.asarray(logsumexp(weights))),
    )


def _walks(y: Array, ratios: Array) -> tuple[Array, Array]:
    """Evidence of walks, and the noise that each needs; `ratios` [m] of the variances of step and noise.

    Differences of neighbours have a covariance that sines diagonalise.
    """
    n = len(y)
    sines = np.asarray(dst(np.diff(y), type=1, norm="ortho"))
    variances = ratios[:, None] + 2 - 2 * np.cos(np.pi * np.arange(1, n) / n)
    squares = (sines**2 / variances).sum(axis=1)
    constant = gammaln((n - 1) / 2) - np.log(2) - np.log(np.ptp(y)) - (n - 1) / 2 * np.log(np.pi)
    return constant - 0.5 * np.log(variances).sum(axis=1) - (n - 1) / 2 * np.log(squares), np.sqrt(squares / (n - 1))


def _jumping(y: Array, theta: Array, k: int, low: float, high: float) -> Array:
    """Logarithm of likelihood and prior of theta [m, k + 2]: rising levels, log of noise, log of chance."""
    levels, noise, chance = theta[:, :k], np.exp(theta[:, k]), np.exp(theta[:, k + 1])
    allowed = (np.diff(levels, axis=1) > 0).all(axis=1) & (levels >= low).all(axis=1) & (levels <= high).all(axis=1)
    allowed &= (chance > _LEAST_CHANCE) & (chance < _MOST_CHANCE)
    chance = np.clip(chance, _LEAST_CHANCE, _MOST_CHANCE)
    # levels, then points, then samples, which lie next to each other
    logs = -0.5 * ((y[:, None] - levels.T[:, None]) / noise) ** 2
    top = logs.max(axis=0)
    seen = np.exp(logs - top)
    total = top.sum(axis=0) - len(y) * (0.5 * np.log(2 * np.pi) + np.log(noise))
    moves = np.where(np.eye(k, dtype=bool)[..., None], 1 - chance, chance / max(1, k - 1))
    # the product of all matrices, in pairs
    product = moves[:, :, None] * seen
    while product.shape[2] > 1:
        even = product.shape[2] // 2 * 2
        odd = product[:, :, even:]
        first, second = product[:, :, 0:even:2], product[:, :, 1:even:2]
        product = first[:, 0, None] * second[0]
        for i in range(1, k):
            product += first[:, i, None] * second[i]
        scale = product.max(axis=(0, 1))
        total += np.log(scale).sum(axis=0)
        product /= scale
        if odd.size:
            product = np.concatenate([product, odd], axis=2)
    total += np.log(product[:, :, 0].sum(axis=(0, 1)) / k)
    size = gammaln(k + 1) - k * np.log(high - low) - np.log(np.log(_MOST_CHANCE / _LEAST_CHANCE))
    return np.where(allowed, total + size, -np.inf)
