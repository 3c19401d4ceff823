"""What every CSS code offers: its checks, where they sit, and its logical operators."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cascade_qec.codes import gf2
from cascade_qec.codes.basis import BASES, Basis, check_basis
from cascade_qec.codes.frame import Frame
from cascade_qec.codes.schedule import Schedule, SuperdenseSchedule
from cascade_qec.errors import CascadeError

Operators = Literal["observables", "translations", "lightest", "light"]
"""Logical operators of one basis: the code's own observables; all their translations (by any shift on a torus, parallel
lines on a planar code); or, of bicycle codes, besides these all that are no heavier, whatever their class; or those
heavier by two as well, the next weight that there is."""


def frozen(array: ArrayLike, dtype: type[np.generic]) -> NDArray:
    """Copy into an array of ``dtype`` that cannot be written to."""
    copy = np.array(array, dtype=dtype)
    copy.flags.writeable = False
    return copy


class CSSCode(ABC):
    """A CSS code on a lattice, and all that depends on its family. All arrays are read-only.

    A family is a subclass. It gives its checks and where they sit, `_find_logicals`, `_frame` and `schedule`; the rest
    has defaults for a code without symmetries.

    Attributes
    ----------
    name : str
        As the registry knows it: "surface_d5", "bb72", ...
    family : str
        Name of its family, see `cascade_qec.codes.families`.
    convolution : str
        The network's convolution that suits it best, a name in `Frame.convolutions`.
    hx, hz : uint8 [checks, n]
        Parity checks; row c of ``hx`` is the support of X check c.
    n, k : int
        Data qubits and logical qubits.
    d : int or None
        Distance as published; None where it is not known.
    qubit_coords : int64 [n, 3]
        (block, i, j) of every data qubit.
    """

    convolution: str = "direct"

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
        self._frames: dict[str, Frame] = {}

    def checks(self, basis: Basis) -> NDArray[np.uint8]:
        """Parity checks of one basis: uint8 [checks, n]."""
        check_basis(basis)
        return self.hx if basis == "X" else self.hz

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
            Rows independent modulo the stabilizers, lightest first. Not all need be of weight d: those of bb108
            span only four of its eight logical qubits, and the others weigh 12. The first call may take seconds;
            later ones return the same array.
        """
        check_basis(basis)
        if basis not in self._logicals:
            self._logicals[basis] = frozen(self._find_logicals(basis), np.uint8)
        return self._logicals[basis]

    def operators(self, basis: Basis, which: Operators = "translations") -> NDArray[np.uint8]:
        """Logical operators of one basis that the network can be asked about: uint8 [operators, n], each once."""
        logicals = self.logicals(basis)
        return logicals if which == "observables" else np.unique(self._translated(basis), axis=0)

    def decided_by(self, learnt: Operators) -> Operators:
        """The operators that decide for a network that has learnt these."""
        return learnt

    def frame(self, basis: Basis) -> Frame:
        """The code seen so that checks of `basis` come first.

        Raises
        ------
        CascadeError
            If no lattice is known for the code.
        """
        check_basis(basis)
        if basis not in self._frames:
            self._frames[basis] = self._frame(basis)
        return self._frames[basis]

    @property
    def schedule(self) -> Schedule | SuperdenseSchedule:
        """The order in which checks touch their neighbours.

        Raises
        ------
        CascadeError
            If none is known.
        """
        raise CascadeError(f"expected a code whose order of CNOTs is known, got {self!r}")

    @property
    def variants(self) -> tuple[CSSCode, ...]:
        """The code with each order of its slots in which others are known to extract its checks; itself first."""
        return (self,)

    @cached_property
    def translations(self) -> NDArray[np.int64]:
        """Where each translation takes each data qubit, int64 [translations, n]; the first one leaves all in place."""
        return frozen(np.arange(self.n)[None], np.int64)

    def check_translations(self, basis: Basis) -> NDArray[np.int64]:
        """Where each translation takes each check of one basis: int64 [translations, checks]."""
        return frozen(np.arange(len(self.checks(basis)))[None], np.int64)

    @cached_property
    def matchable(self) -> bool:
        """Whether each data qubit's error flips at most two checks of a basis, so that matching can decode it."""
        return bool(max(self.hx.sum(axis=0).max(), self.hz.sum(axis=0).max()) <= 2)

    def locally_like(self, other: CSSCode) -> bool:
        """Whether what is near a check looks the same in the other code: that of a planar code in all of its family.

        On a torus steps wrap around, and two of them can look alike on one torus and not on another.
        """
        return self.name == other.name or (self.family == other.family and len(self.translations) == 1)

    def detector_coords(self, basis: Basis) -> NDArray[np.int64]:
        """The first two coordinates of each check's detectors: int64 [checks, 2]."""
        return self.check_coords(basis)

    def planes(self, basis: Basis) -> NDArray[np.int64]:
        """The fourth coordinate of each check's detectors, int64 [checks]: 0 for X checks, 1 for Z checks.

        A colour code has its checks' colours there: 0, 1, 2 for X checks and 3, 4, 5 for Z checks.
        """
        return np.full(len(self.checks(basis)), int(basis == "Z"))

    @property
    def qubit_positions(self) -> NDArray[np.floating]:
        """Where to draw each data qubit: float64 [n, 2]."""
        return self.qubit_coords[:, 1:].astype(np.float64)

    def check_positions(self, basis: Basis) -> NDArray[np.floating]:
        """Where to draw each check's ancilla: float64 [checks, 2]."""
        return self.detector_coords(basis).astype(np.float64)

    @abstractmethod
    def _find_logicals(self, basis: Basis) -> NDArray[np.uint8]:
        """Compute what :meth:`logicals` caches."""

    def _frame(self, basis: Basis) -> Frame:
        """Compute what :meth:`frame` caches."""
        raise CascadeError(f"no lattice is known for a code of type {type(self).__name__}")

    def _translated(self, basis: Basis) -> NDArray[np.uint8]:
        """All translations of the observables: uint8 [any, n], some of them several times."""
        return self.logicals(basis)[:, self.translations].reshape(-1, self.n)

    def __repr__(self) -> str:
        distance = "?" if self.d is None else self.d
        return f"{type(self).__name__} {self.name} [[{self.n}, {self.k}, {distance}]]"


def _incidence(neighbours: NDArray[np.int64], n: int) -> NDArray[np.uint8]:
    """Parity checks from each check's data qubits: ``uint8 [checks, n]``."""
    checks, slots = np.nonzero(neighbours >= 0)
    matrix = np.zeros((len(neighbours), n), dtype=np.uint8)
    matrix[checks, neighbours[checks, slots]] = 1
    return frozen(matrix, np.uint8)
