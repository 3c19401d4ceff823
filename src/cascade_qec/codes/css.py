"""What every CSS code offers: its checks, where they sit, and its logical operators."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cascade_qec.codes import gf2
from cascade_qec.errors import CascadeError

Basis = Literal["X", "Z"]
BASES: tuple[Basis, Basis] = ("X", "Z")


def frozen(array: ArrayLike, dtype: type[np.generic]) -> NDArray:
    """Copy into an array of ``dtype`` that cannot be written to."""
    copy = np.array(array, dtype=dtype)
    copy.flags.writeable = False
    return copy


def check_basis(basis: str) -> None:
    """Raise :class:`CascadeError` unless ``basis`` is "X" or "Z"."""
    if basis not in BASES:
        raise CascadeError(f'expected basis "X" or "Z", got {basis!r}')


class CSSCode(ABC):
    """A CSS code on a lattice. All arrays are read-only.

    Attributes
    ----------
    name : str
        As the registry knows it: "surface_d5", "bb72", ...
    family : str
        "surface" or "bb".
    hx, hz : uint8 [checks, n]
        Parity checks; row c of ``hx`` is the support of X check c.
    n, k : int
        Data qubits and logical qubits.
    d : int or None
        Distance as published; None where it is not known.
    qubit_coords : int64 [n, 3]
        (block, i, j) of every data qubit.
    """

    def __init__(
        self,
        *,
        name: str,
        family: str,
        d: int | None,
        neighbours: dict[Basis, NDArray[np.int64]],
        check_coords: dict[Basis, NDArray[np.int64]],
        qubit_coords: NDArray[np.int64],
    ) -> None:
        self.name = name
        self.family = family
        self.n = len(qubit_coords)
        self.d = d
        self.qubit_coords: NDArray[np.int64] = frozen(qubit_coords, np.int64)
        self._neighbours = {basis: frozen(neighbours[basis], np.int64) for basis in BASES}
        self._check_coords = {basis: frozen(check_coords[basis], np.int64) for basis in BASES}
        self.hx: NDArray[np.uint8] = _incidence(self._neighbours["X"], self.n)
        self.hz: NDArray[np.uint8] = _incidence(self._neighbours["Z"], self.n)
        self.k = self.n - gf2.rank(self.hx) - gf2.rank(self.hz)
        self._logicals: dict[str, NDArray[np.uint8]] = {}

    def neighbours(self, basis: Basis) -> NDArray[np.int64]:
        """Data qubit in each slot of each check: ``int64 [checks, slots]``, -1 where a boundary has none."""
        check_basis(basis)
        return self._neighbours[basis]

    def check_coords(self, basis: Basis) -> NDArray[np.int64]:
        """Place of each check on the code's lattice: ``int64 [checks, 2]``."""
        check_basis(basis)
        return self._check_coords[basis]

    def logicals(self, basis: Basis) -> NDArray[np.uint8]:
        """Supports of k logical operators of one basis, of the lowest weight known.

        Returns
        -------
        uint8 [k, n]
            Rows independent modulo the stabilizers, lightest first; for the codes of the registry, all of
            weight d but in bb108, whose operators of weight d span only four of its eight logical qubits: the
            others weigh 12. The first call may take seconds; later ones return the same array.
        """
        check_basis(basis)
        if basis not in self._logicals:
            self._logicals[basis] = frozen(self._find_logicals(basis), np.uint8)
        return self._logicals[basis]

    @abstractmethod
    def _find_logicals(self, basis: Basis) -> NDArray[np.uint8]:
        """Compute what :meth:`logicals` caches."""

    def __repr__(self) -> str:
        distance = "?" if self.d is None else self.d
        return f"{type(self).__name__} {self.name} [[{self.n}, {self.k}, {distance}]]"


def _incidence(neighbours: NDArray[np.int64], n: int) -> NDArray[np.uint8]:
    """Parity checks from each check's data qubits: ``uint8 [checks, n]``."""
    checks, slots = np.nonzero(neighbours >= 0)
    matrix = np.zeros((len(neighbours), n), dtype=np.uint8)
    matrix[checks, neighbours[checks, slots]] = 1
    return frozen(matrix, np.uint8)
