"""Clouds of single shots: mixtures of Gaussians that share their width, with decay during the readout and outliers.

Each shot was taken after one of two preparations; clouds are the same for both, how often each is met is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

Array = NDArray[np.float64]

_FIRST, _LAST = 6, 25
_ENOUGH = 0.1
"""Of a logarithm of the likelihood, from one pass to the next."""
_PRIOR = 0.3
"""Shots in each part beforehand."""
_SAMPLES = 400
_SCORINGS, _SETTLED = 12, 1e-3
"""Steps to the peak at most, and what the last one gains."""


@dataclass(frozen=True)
class Clouds:
    """A mixture.

    Attributes
    ----------
    means : float64 [clouds, d]
    covariances : float64 [clouds, d, d]
    weights : float64 [2, clouds + 2]
        By preparation; the last but one is what decays from the second cloud to the first, the last are outliers.
    evidence
        Logarithm of the likelihood, less half of the parameters times the logarithm of the number of shots.
    """

    means: Array
    covariances: Array
    weights: Array
    evidence: float

    @property
    def width(self) -> float:
        """Standard deviation of the noise of a shot, along one direction, averaged."""
        return float(np.sqrt(np.mean(np.trace(self.covariances, axis1=1, axis2=2) / self.means.shape[1])))

    @property
    def separation(self) -> float:
        """Between the first two."""
        return float(np.linalg.norm(self.means[1] - self.means[0]))

    @property
    def elongation(self) -> float:
        """Ratio of widths of the most elongated cloud that a tenth of the shots of a preparation are in."""
        values = np.linalg.eigvalsh(self.covariances)
        often = self.weights[:, : len(self.means)].max(axis=0) > 0.1
        return float(np.sqrt((values[:, -1] / values[:, 0])[often].max(initial=1.0)))


def fitted(shots: Array, prepared: NDArray[np.int64], starts: Sequence[Array], *, shaped: bool = False) -> Clouds:
    """The likeliest of the mixtures that start with these means.

    Parameters
    ----------
    shots : float64 [n, d]
    prepared : int64 [n]
        0 or 1.
    starts
        Means [clouds, d].
    shaped
        Whether each cloud has a covariance of its own.
    """
    first = [_improved(shots, prepared, *_begin(shots, start), shaped, _FIRST) for start in starts]
    best = max(first, key=lambda one: one.evidence)
    return _improved(shots, prepared, best.means, best.covariances, best.weights, shaped, _LAST)


def assignment_fidelity(separation: Array, width: Array, weights: Array) -> Array:
    """One less the mean share of wrong assignments of both preparations, at the best threshold.

    Parameters
    ----------
    separation, width : float64 [m]
    weights : float64 [m, 2, 3]
        By preparation: of the two clouds, and of what decays from the second to the first.
    """
    places = np.linspace(-1.0, 2.0, 301)
    scale = (separation / width)[:, None]
    low, high = places * scale, (places - 1) * scale
    below = np.stack([ndtr(low), ndtr(high), (_ramp(low) - _ramp(high)) / scale], axis=1)
    weights = weights / weights.sum(axis=2, keepdims=True)
    found = np.einsum("mpc,mct->mpt", weights, below)
    return 0.5 + 0.5 * np.abs(found[:, 0] - found[:, 1]).max(axis=1)


def settled(clouds: Clouds, shots: Array, prepared: NDArray[np.int64]) -> Clouds:
    """Two clouds at the peak of the likelihood: expectation and maximization creep the last of the way to it."""
    before = _total(clouds, shots, prepared)
    for _ in range(_SCORINGS):
        score, information = _scores(clouds, shots, prepared)
        step = np.clip(np.linalg.solve(information, score), -1, 1)
        d, (first, second) = shots.shape[1], np.split(step[-8:], 2)
        weights = clouds.weights * np.exp([first, second])
        ahead = replace(
            clouds,
            means=clouds.means + step[: 2 * d].reshape(2, d),
            covariances=clouds.covariances * np.exp(2 * step[2 * d]),
            weights=weights / weights.sum(axis=1, keepdims=True),
        )
        total = _total(ahead, shots, prepared)
        if total <= before:
            break
        clouds = replace(ahead, evidence=clouds.evidence + total - before)
        done, before = total - before < _SETTLED, total
        if done:
            break
    return clouds


def sampled(clouds: Clouds, shots: Array, prepared: NDArray[np.int64]) -> tuple[Array, Array, Array]:
    """Separations, widths [m] and weights [m, 2, 3] of two clouds that the shots allow."""
    d = shots.shape[1]
    root = np.linalg.cholesky(np.linalg.inv(_scores(clouds, shots, prepared)[1])[: 2 * d + 1, : 2 * d + 1])
    rng = np.random.default_rng(0)
    move = rng.standard_normal((_SAMPLES, len(root))) @ root.T
    gap = clouds.means[1] - clouds.means[0] + move[:, d : 2 * d] - move[:, :d]
    share = _shares(clouds, shots, prepared)
    counts = [share[prepared == one, :3].sum(axis=0) + _PRIOR for one in (0, 1)]
    weights = np.stack([rng.dirichlet(one, _SAMPLES) for one in counts], axis=1)
    return np.linalg.norm(gap, axis=1), clouds.width * np.exp(np.clip(move[:, 2 * d], -5, 5)), weights


def _scores(clouds: Clouds, shots: Array, prepared: NDArray[np.int64]) -> tuple[Array, Array]:
    """Slope [p] of the likelihood of two clouds, and its information [p, p].

    By the means, the logarithm of the width, and the logits of the four parts after either preparation.
    """
    share = _shares(clouds, shots, prepared)
    d, variance = shots.shape[1], clouds.width**2
    scores = [share[:, k : k + 1] * (shots - clouds.means[k]) / variance for k in range(2)]
    *ends, wider = _decaying_slopes(shots, clouds.means, clouds.width)
    for k in range(2):  # what decays moves with the ends
        scores[k] += share[:, 2:3] * ends[k]
    distance = np.stack([((shots - mean) ** 2).sum(axis=1) / variance - d for mean in clouds.means], axis=1)
    scores.append(((share[:, :2] * distance).sum(axis=1) + share[:, 2] * wider)[:, None])
    off = share - clouds.weights[prepared]
    score = np.column_stack([*scores, *(off * (prepared == one)[:, None] for one in (0, 1))])
    information = score.T @ score
    size = np.diag(information)
    # all four logits may move together
    prior = np.concatenate([1e-9 * size[:-8] + 1e-12, np.full(8, _PRIOR)])
    return score.sum(axis=0), information + np.diag(prior)


def _shares(clouds: Clouds, shots: Array, prepared: NDArray[np.int64]) -> Array:
    """How probably each shot is of each part: [n, clouds + 2]."""
    logs = _joint(shots, prepared, clouds.means, clouds.covariances, clouds.weights)
    return np.exp(logs - np.logaddexp.reduce(logs, axis=0)).T


def _total(clouds: Clouds, shots: Array, prepared: NDArray[np.int64]) -> float:
    """Logarithm of the likelihood."""
    logs = _joint(shots, prepared, clouds.means, clouds.covariances, clouds.weights)
    return float(np.logaddexp.reduce(logs, axis=0).sum())


def _begin(shots: Array, means: Array) -> tuple[Array, Array, Array]:
    count, d = means.shape
    spread = np.median(np.var(shots, axis=0)) / count**1.5
    weights = np.full((2, count + 2), 0.98 / count)
    weights[:, count:] = 0.01
    return means, np.broadcast_to(spread * np.eye(d), (count, d, d)), weights


def _improved(
    shots: Array,
    prepared: NDArray[np.int64],
    means: Array,
    covariances: Array,
    weights: Array,
    shaped: bool,
    passes: int,
) -> Clouds:
    """Expectation and maximization, so many times."""
    (count, d), n = means.shape, len(shots)
    decaying = count > 1 and not shaped
    if not decaying:
        weights = weights.copy()
        weights[:, count] = 0
    before = -np.inf
    after = np.stack([prepared == one for one in (0, 1)], axis=1).astype(np.float64)
    after /= after.sum(axis=0)
    for _ in range(passes):
        logs = _joint(shots, prepared, means, covariances, weights)
        top = logs.max(axis=0)
        share = np.exp(logs - top)
        each = share.sum(axis=0)
        total = float((top + np.log(each)).sum())
        if total - before < _ENOUGH:
            break
        before = total
        share /= each
        weights = (share @ after).T
        here = share[:count]
        mass = here.sum(axis=1) + 1e-9
        means = here @ shots / mass[:, None]
        away = shots.T - means[:, :, None]
        covariances = (here[:, None] * away) @ away.swapaxes(-1, -2) / mass[:, None, None]
        if not shaped:
            common = (mass[:, None, None] * covariances).sum(axis=0) / mass.sum()
            covariances = np.broadcast_to(np.trace(common) / d * np.eye(d), (count, d, d))
        covariances = covariances + 1e-9 * (1 + np.trace(covariances, axis1=1, axis2=2))[:, None, None] * np.eye(d)
    parameters = count * d + (count * d * (d + 1) // 2 if shaped else 1) + 2 * (count + decaying)
    return Clouds(means, covariances, weights, before - 0.5 * parameters * float(np.log(n)))


def _joint(shots: Array, prepared: NDArray[np.int64], means: Array, covariances: Array, weights: Array) -> Array:
    """Logarithms of the densities of the parts, each with its weight: [clouds + 2, n]."""
    count, n = len(means), len(shots)
    logs = np.empty((count + 2, n))
    root = np.linalg.cholesky(covariances)
    away = np.linalg.inv(root) @ (shots.T - means[:, :, None])
    size = np.log(2 * np.pi) + 2 * np.log(np.diagonal(root, axis1=1, axis2=2))
    logs[:count] = -0.5 * ((away**2).sum(axis=1) + size.sum(axis=1)[:, None])
    decaying = count > 1 and weights[:, count].max() > 0
    logs[count] = _decaying(shots, means, float(np.sqrt(covariances[0, 0, 0]))) if decaying else -np.inf
    logs[count + 1] = -np.log(np.prod(np.ptp(shots, axis=0) + 1e-300))
    with np.errstate(divide="ignore"):
        return logs + np.log(weights).T[:, prepared]


def _decaying(shots: Array, means: Array, width: float) -> Array:
    """Of shots that decay from the second cloud to the first at any time during the readout, all equally likely."""
    gap = means[1] - means[0]
    length = float(np.linalg.norm(gap)) + 1e-12
    along = (shots - means[0]) @ gap / length
    aside = ((shots - means[0]) ** 2).sum(axis=1) - along**2
    inside = ndtr(along / width) - ndtr((along - length) / width)
    d = shots.shape[1]
    return (
        np.log(np.maximum(inside, 1e-300) / length)
        - 0.5 * np.maximum(aside, 0) / width**2
        - 0.5 * (d - 1) * np.log(2 * np.pi * width**2)
    )


def _decaying_slopes(shots: Array, means: Array, width: float) -> tuple[Array, Array, Array]:
    """Derivatives of `_decaying` by either mean [n, d], and by the logarithm of the width [n]."""
    gap = means[1] - means[0]
    length = float(np.linalg.norm(gap)) + 1e-12
    towards = gap / length
    along = (shots - means[0]) @ towards
    aside = shots - means[0] - along[:, None] * towards
    first, second = along / width, (along - length) / width
    inside = np.maximum(ndtr(first) - ndtr(second), 1e-300)
    at_first, at_second = (np.exp(-0.5 * one**2) / np.sqrt(2 * np.pi) / inside for one in (first, second))
    turned = (along / width + at_first - at_second)[:, None] * aside / (length * width)
    by_second = turned + ((at_second / width) - 1 / length)[:, None] * towards
    by_first = aside / width**2 - turned + (1 / length - at_first / width)[:, None] * towards
    distance = (aside**2).sum(axis=1) / width**2 - (shots.shape[1] - 1)
    return by_first, by_second, second * at_second - first * at_first + distance


def _ramp(z: Array) -> Array:
    """Integral of the normal distribution function."""
    return z * ndtr(z) + np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi)
