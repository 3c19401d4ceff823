"""Finite abelian groups by tables: their elements, products and inverses."""

from __future__ import annotations

from math import prod

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cascade_qec.codes.polynomial import Group


class AbelianGroup:
    """The group of generators x, y, ... with x^l = y^m = ... = 1, its elements numbered.

    Of two generators the element x^i y^j has number i * m + j, and so on with more of them: the last exponent counts
    fastest.

    Parameters
    ----------
    orders
        The order of each generator.

    Attributes
    ----------
    size : int
    elements : int64 [size, generators]
        The exponents of each.
    inverse : int64 [size]
    times : int64 [size, size]
        The product of two elements.
    """

    def __init__(self, orders: Group) -> None:
        self.orders = orders
        self.size = prod(orders)
        self.elements = np.stack(np.unravel_index(np.arange(self.size), orders), axis=1)
        self.inverse = self.index(-self.elements)
        self.times = np.zeros((self.size, self.size), dtype=np.int64)
        for order, exponent in zip(orders, self.elements.T, strict=True):
            self.times = self.times * order + (exponent[:, None] + exponent) % order

    def index(self, exponents: ArrayLike) -> NDArray[np.int64]:
        """Numbers of elements, int64 [...], from their exponents, [..., generators]."""
        columns = tuple(np.moveaxis(np.asarray(exponents), -1, 0))
        return np.asarray(np.ravel_multi_index(columns, self.orders, mode="wrap"), dtype=np.int64)

    def quotient(self, element: int, other: int) -> int:
        """The first element times the inverse of the second."""
        return int(self.times[element, self.inverse[other]])

    def shortest(self, element: int) -> list[int]:
        """The exponents of an element, each the shortest way round: from -order // 2 up."""
        half = np.array(self.orders) // 2
        return ((self.elements[element] + half) % self.orders - half).tolist()
