"""Posteriors on grids, for models of one to three parameters whose size is known, so that nothing is linear in them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter

from cascade_calibration.analysis.verdict import Estimate

Array = NDArray[np.float64]

_PEAKS = 4
_WORTH = 12.0
_ZOOMS = 7
_FINE = {1: 401, 2: 31, 3: 15}
_WIDE = 5.0


@dataclass(frozen=True)
class Posterior:
    """Points that the data allow, and how probable the model is.

    Attributes
    ----------
    points : float64 [m, p]
    weights : float64 [m]
        They add up to one.
    best : float64 [p]
    evidence
        Logarithm of the likelihood, averaged over the axes' box.
    """

    points: Array
    weights: Array
    best: Array
    evidence: float

    def share(self, inside: NDArray[np.bool_]) -> float:
        """How probable it is that a point is among these: bool [m]."""
        return float(self.weights[inside].sum())

    def estimate(self, values: Array, best: float, unit: str) -> Estimate:
        """A function of the points [m], with its errors, as :func:`separable.estimate` gives them."""
        order = np.argsort(values)
        below = np.cumsum(self.weights[order])
        places = np.minimum(np.searchsorted(below, [0.025, 0.15866, 0.84134, 0.975]), len(values) - 1)
        low, down, up, high = values[order][places]
        return Estimate(best, float((up - down) / 2), float(low), float(high), unit)


def posterior(log_likelihood: Callable[[Array], Array], axes: Sequence[Array]) -> Posterior:
    """Search the box that the axes span, and look closer where the likelihood is high.

    Parameters
    ----------
    log_likelihood
        [m, p] -> [m]
    axes
        Values of each parameter, rising and evenly spaced, dense enough that no peak lies between them.
    """
    low, high = (np.array([axis[i] for axis in axes]) for i in (0, -1))
    mesh = _mesh(axes)
    shape = tuple(map(len, axes))
    coarse = log_likelihood(mesh)
    grid = coarse.reshape(shape)
    tops = np.flatnonzero((grid == maximum_filter(grid, size=3, mode="nearest")).ravel())
    tops = tops[np.argsort(-coarse[tops])][:_PEAKS]
    steps = np.array([axis[1] - axis[0] for axis in axes])
    found: list[tuple[Array, Array, Array]] = []
    for top in tops[coarse[tops] > coarse[tops[0]] - _WORTH]:
        centre, reach = mesh[top], 1.5 * steps
        for _ in range(_ZOOMS):
            ends = [(max(a, c - r), min(b, c + r)) for a, b, c, r in zip(low, high, centre, reach, strict=True)]
            fine = [np.linspace(a, b, _FINE[len(axes)]) for a, b in ends]
            points = _mesh(fine)
            logs = log_likelihood(points)
            weights = np.exp(logs - np.logaddexp.reduce(logs))
            centre = weights @ points
            spread = np.sqrt(weights @ (points - centre) ** 2)
            cells = np.array([axis[1] - axis[0] for axis in fine])
            wanted = np.maximum(_WIDE * spread, cells)
            if ((wanted > 0.5 * reach) & (wanted < 1.5 * reach)).all():
                break
            reach = wanted  # wider, too: what the box is too narrow for looks flat
        if all((np.abs(centre - other[0]) > _WIDE * spread + cells).any() for other in found):
            found.append((centre, points, logs + np.log(cells).sum()))
    points = np.concatenate([one[1] for one in found])
    logs = np.concatenate([one[2] for one in found])
    total = float(np.logaddexp.reduce(logs))
    return Posterior(points, np.exp(logs - total), points[np.argmax(logs)], total - float(np.log(high - low).sum()))


def student(squares: Array, n: int) -> Array:
    """Logarithm of the likelihood of residuals with these sums of squares, for noise of unknown size."""
    return -0.5 * n * np.log(np.maximum(squares, 1e-300))


def _mesh(axes: Sequence[Array]) -> Array:
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(axes))
