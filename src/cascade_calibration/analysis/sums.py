"""Sums over points that fits of linear amplitudes need, for many values of a model's other parameters at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Basis = Callable[[Array, Array], Array]
"""``(x [n], theta [..., p]) -> [..., n, k]``: functions beside the constant."""

RIDGE, _ROUNDING = 1e-10, 1e-14
_AT_ONCE = 2**14
"""Values of a function that are worked on together: what fits into a core's cache is several times as fast."""


@dataclass(frozen=True)
class Sums:
    """Sums over the points: of functions [m, k], of their products with the data [m, k] and each other [m, k, k].

    `size` [m] is the trace of the last, of all points from which these are what is left.
    """

    functions: Array
    products: Array
    moments: Array
    size: Array

    def at(self, places: NDArray[np.int64]) -> Sums:
        """At some of the thetas."""
        return Sums(self.functions[places], self.products[places], self.moments[places], self.size[places])

    def joined(self, more: Sums) -> Sums:
        """With others, at further thetas."""
        return Sums(*(np.concatenate([getattr(one, part.name) for one in (self, more)]) for part in fields(self)))

    def without(self, others: Sums) -> Sums:
        """Without other points."""
        functions, products = self.functions - others.functions, self.products - others.products
        return Sums(functions, products, self.moments - others.moments, self.size)

    def explained(self, n: int, mean: float, total: float) -> Array:
        """Shares of the squares `total` of n points around their `mean` that the functions explain: [m]."""
        moments = self.moments - self.functions[:, :, None] * self.functions[:, None, :] / n
        # a function that hardly differs from the constant has nothing but rounding errors beside it
        size = RIDGE * np.trace(moments, axis1=1, axis2=2) + _ROUNDING * self.size + 1e-300
        moments = moments + size[:, None, None] * np.eye(moments.shape[1])
        products = self.products - mean * self.functions
        if moments.shape[1] == 1:
            return products[:, 0] ** 2 / moments[:, 0, 0] / total
        if moments.shape[1] == 2:
            (first, second), ((a, b), (_, c)) = products.T, moments.transpose(1, 2, 0)
            return (c * first**2 - 2 * b * first * second + a * second**2) / (a * c - b**2) / total
        return (np.linalg.solve(moments, products[..., None])[..., 0] * products).sum(axis=-1) / total


def sums_at(basis: Basis, x: Array, thetas: Array, y: Array, skip: int = 0) -> Sums:
    """Of points x and y [n], at `thetas` [m, p]; x may have a few more before them, to `skip`."""
    found: list[tuple[Array, Array, Array]] = []
    for some in np.array_split(thetas, -(-len(thetas) * len(x) // _AT_ONCE)):
        functions = np.swapaxes(basis(x, some), -1, -2)[..., skip:]
        both = functions.reshape(-1, len(y)) @ np.stack([np.ones(len(y)), y], axis=1)
        shape = functions.shape[:-1]
        found.append((both[:, 0].reshape(shape), both[:, 1].reshape(shape), functions @ functions.swapaxes(-1, -2)))
    functions, products, moments = (np.concatenate(one) for one in zip(*found, strict=True))
    return Sums(functions, products, moments, np.trace(moments, axis1=1, axis2=2))


@dataclass(frozen=True)
class Product:
    """A basis of functions of each theta but the last, side by side, all times one function of the last.

    Its sums on a grid are products of matrices, and need no function at each of the grid's points.

    Attributes
    ----------
    parts
        ``(x [n], theta [...]) -> [..., n, k]``, of each theta but the last.
    common
        ``(x [n], theta [...]) -> [..., n]``, of the last.
    """

    parts: tuple[Basis, ...]
    common: Basis

    def __call__(self, x: Array, theta: Array) -> Array:
        """As a basis."""
        sides = [part(x, theta[..., i]) for i, part in enumerate(self.parts)]
        side = sides[0] if len(sides) == 1 else np.concatenate(sides, axis=-1)
        return side * self.common(x, theta[..., -1])[..., None]

    def sums(self, x: Array, grid: tuple[Array, ...], y: Array) -> Sums:
        """Of points x and y [n], at all points of a grid."""
        *axes, last = grid
        common = self.common(x, last)
        squared = common**2
        sides = [np.swapaxes(part(x, axis), -1, -2) for part, axis in zip(self.parts, axes, strict=True)]
        ends = np.cumsum([0, *(side.shape[1] for side in sides)])
        slots = [slice(low, high) for low, high in pairwise(ends)]
        shape = tuple(map(len, grid))
        functions, products = np.empty((2, *shape, ends[-1]))
        moments = np.empty((*shape, ends[-1], ends[-1]))

        def along(found: Array, *places: int) -> Array:
            sizes = [1] * len(axes)
            for place, size in zip(places, found.shape, strict=False):
                sizes[place] = size
            return found.reshape(*sizes, *found.shape[len(places) :])

        for i, (side, own) in enumerate(zip(sides, slots, strict=True)):
            functions[..., own] = along(np.swapaxes(np.tensordot(side, common, (2, 1)), 1, 2), i)
            products[..., own] = along(np.swapaxes(np.tensordot(side, common * y, (2, 1)), 1, 2), i)
            squares = np.tensordot(side[:, :, None] * side[:, None], squared, (3, 1))
            moments[..., own, own] = along(np.moveaxis(squares, -1, 1), i)
            for j in range(i + 1, len(sides)):
                cross = np.tensordot(side[:, None] * squared[:, None], sides[j], (3, 2)).transpose(0, 3, 1, 2, 4)
                moments[..., own, slots[j]] = along(cross, i, j)
                moments[..., slots[j], own] = along(cross, i, j).swapaxes(-1, -2)
        k = ends[-1]
        moments = moments.reshape(-1, k, k)
        return Sums(functions.reshape(-1, k), products.reshape(-1, k), moments, np.trace(moments, axis1=1, axis2=2))
