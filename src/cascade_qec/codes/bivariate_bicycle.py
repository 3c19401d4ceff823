"""Bivariate bicycle codes (Bravyi et al., Nature 627, 778) on an l x m torus."""

from __future__ import annotations

import re
from functools import cached_property
from operator import index

import numpy as np
from numpy.typing import NDArray

from cascade_qec.codes import gf2
from cascade_qec.codes.basis import Basis, opposite
from cascade_qec.codes.css import CSSCode, Operators, frozen
from cascade_qec.codes.family import Family
from cascade_qec.codes.frame import ABSENT_PLACE, PRIMARY, SECONDARY, Frame, SpaceRelations
from cascade_qec.codes.logicals import light_logicals, low_weight_logicals
from cascade_qec.codes.polynomial import parse_polynomial
from cascade_qec.codes.schedule import Schedule
from cascade_qec.errors import CascadeError

# Information sets that the search for logicals tries after the last one that made progress.
SEARCH_ROUNDS = 200
# Those that the search for all light ones tries; the last one of bb108 turned up in the 43rd of 37,000.
LIGHT_ROUNDS = 50
# Operators at which it stops: the memory that a readout takes grows with them.
MOST_LIGHT = 4096

# So much heavier than the observables the operators may be.
_HEAVIER: dict[Operators, tuple[int, ...]] = {"lightest": (0,), "light": (0, 2)}

# Bravyi et al., Nature 627, 778 (2024), eq. (9): depth 7 with the layers in which one kind of check rests.
_SCHEDULE = Schedule(x=(None, 1, 4, 3, 5, 0, 2), z=(3, 5, 0, 1, 2, 4, None))

# l, m, A, B and the published distance: Bravyi et al., Nature 627, 778, table 3.
_PUBLISHED = {
    "bb72": (6, 6, "x^3+y+y^2", "y^3+x+x^2", 6),
    "bb90": (15, 3, "x^9+y+y^2", "1+x^2+x^7", 10),
    "bb108": (9, 6, "x^3+y+y^2", "y^3+x+x^2", 10),
    "bb144": (12, 6, "x^3+y+y^2", "y^3+x+x^2", 12),
    "bb288": (12, 12, "x^3+y^2+y^7", "y^3+x+x^2", 18),
}


class BivariateBicycleCode(CSSCode):
    """Code with checks H_X = [A | B], H_Z = [B^T | A^T] for polynomials A, B in x and y, with x^l = y^m = 1.

    The group element x^i y^j has index g = i * m + j. Data qubits are two copies of the torus: g in block L
    (0) is qubit g, in block R (1) qubit l * m + g. X check g touches g * a_t in L and g * b_t in R, Z check g
    touches g / b_t in L and g / a_t in R. Slots are in the order of the terms as written: A_1, A_2, ..., B_1,
    B_2, ... for X checks, and B_1^T, B_2^T, ..., A_1^T, A_2^T, ... for Z checks.

    Inverting the group and swapping the blocks turns X checks into Z checks, and X logicals into Z logicals:
    ``neighbours("Z")[dual_check][:, dual_slot] == dual_qubit[neighbours("X")]``.

    Parameters
    ----------
    l, m
        Size of the torus.
    a, b
        Polynomials as text: terms joined by "+", each "1" or a product of powers of x and y, such as
        "x^3 + x*y + 1". Exponents are taken modulo l and m.
    name
        How the code is to be called; by default its size and polynomials.
    d
        Distance if known. :meth:`logicals` then stops at this weight, and raises a :class:`CascadeError` if
        the lightest operator that it finds has another.

    Attributes
    ----------
    l, m : int
    a_terms, b_terms : tuple of (int, int)
        Exponents (i, j) of the terms of A and B, in the order written.
    dual_check : int64 [l * m]
        The Z check that X check g becomes.
    dual_qubit : int64 [2 * l * m]
        The data qubit that each data qubit becomes; its own inverse.
    dual_slot : int64 [slots]
        The slot of the Z check that each slot of an X check becomes.

    Raises
    ------
    CascadeError
        If a size is no positive integer, a polynomial cannot be read or has a term twice, or no logical qubit
        is encoded (k = 0).

    Examples
    --------
    >>> code = BivariateBicycleCode(6, 6, "x^3 + y + y^2", "y^3 + x + x^2", d=6)
    >>> code.n, code.k
    (72, 12)
    """

    convolution = "bipartite"

    def __init__(self, l: int, m: int, a: str, b: str, name: str | None = None, d: int | None = None) -> None:  # noqa: E741
        self.l, self.m = _size(l, "l"), _size(m, "m")
        self._light: dict[int, NDArray[np.uint8]] = {}
        self.a_terms = parse_polynomial(a, self.l, self.m)
        self.b_terms = parse_polynomial(b, self.l, self.m)
        sites = self.l * self.m  # of one block; also the first qubit of block R
        cells = np.stack(np.divmod(np.arange(sites), self.m), axis=1)
        inverse = -cells[:, 0] % self.l * self.m + -cells[:, 1] % self.m
        a_terms = np.array([i * self.m + j for i, j in self.a_terms])
        b_terms = np.array([i * self.m + j for i, j in self.b_terms])
        times = _multiplication_table(self.l, self.m)
        slots = len(a_terms) + len(b_terms)
        self.dual_check: NDArray[np.int64] = frozen(inverse, np.int64)
        self.dual_qubit: NDArray[np.int64] = frozen(np.concatenate([sites + inverse, inverse]), np.int64)
        self.dual_slot: NDArray[np.int64] = frozen((np.arange(slots) + len(b_terms)) % slots, np.int64)
        super().__init__(
            name=name or f"bb_{self.l}x{self.m}_" + re.sub(r"[\s^*]", "", f"{a}_{b}"),
            family="bb",
            d=d,
            neighbours={
                "X": np.hstack([times[:, a_terms], sites + times[:, b_terms]]),
                "Z": np.hstack([times[:, inverse[b_terms]], sites + times[:, inverse[a_terms]]]),
            },
            check_coords={"X": cells, "Z": cells},
            qubit_coords=np.column_stack([np.repeat([0, 1], sites), np.vstack([cells, cells])]),
        )
        if self.k == 0:
            raise CascadeError(f"expected a code with logical qubits, but l={l}, m={m}, A={a!r}, B={b!r} gives k = 0")

    @cached_property
    def translations(self) -> NDArray[np.int64]:
        """Where each shift of the torus takes each data qubit, int64 [l * m, n]; the first one leaves all in place."""
        times = _multiplication_table(self.l, self.m)
        return frozen(np.hstack([times, times + len(times)]), np.int64)

    def check_translations(self, basis: Basis) -> NDArray[np.int64]:
        """A check of index g goes where data qubit g of block L goes."""
        return self.translations[:, : self.l * self.m]

    @property
    def schedule(self) -> Schedule:
        """Depth 7, of codes whose polynomials have three terms each."""
        terms = len(self.a_terms), len(self.b_terms)
        if terms != (3, 3):
            raise CascadeError(
                f"expected polynomials of three terms each for the bicycle schedule, "
                f"got {terms[0]} and {terms[1]} in {self.name}"
            )
        return _SCHEDULE

    @property
    def qubit_positions(self) -> NDArray[np.floating]:
        """L and R data half a step along x and y from the X check in the corner of their cell."""
        half = np.where(self.qubit_coords[:, :1] == np.array([0, 1]), 0.5, 0.0).astype(np.float64)
        return self.qubit_coords[:, 1:] + half

    def check_positions(self, basis: Basis) -> NDArray[np.floating]:
        """X checks in the corner of their cell, Z checks in its middle."""
        return self.check_coords(basis) + (0.5 if basis == "Z" else 0.0)

    def _find_logicals(self, basis: Basis) -> NDArray[np.uint8]:
        if basis == "Z":
            # The duality is its own inverse and keeps weights: one search serves both bases.
            return self.logicals("X")[:, self.dual_qubit]
        stabilizers = gf2.row_reduce(self.hx)[0]
        spanning = np.vstack([stabilizers, gf2.nullspace(self.hz)])
        logicals = spanning[gf2.independent_rows(spanning)[len(stabilizers) :]]
        conjugates = logicals[:, self.dual_qubit]
        found = low_weight_logicals(
            stabilizers, logicals, conjugates, self.translations, target=self.d, rounds=SEARCH_ROUNDS
        )
        lightest = int(found[0].sum())
        if self.d is not None and lightest != self.d:
            raise CascadeError(f"{self.name}: expected distance {self.d}, the lightest logical found weighs {lightest}")
        return found

    def operators(self, basis: Basis, which: Operators = "translations") -> NDArray[np.uint8]:
        asked = super().operators(basis, which)
        light = [self.light_logicals(basis, heavier=heavier) for heavier in _HEAVIER.get(which, ())]
        return np.unique(np.concatenate([asked, *light]), axis=0) if light else asked

    def decided_by(self, learnt: Operators) -> Operators:
        """All light ones: on a torus the network reads every logical operator alike, and says of all what it has learnt
        of some."""
        return learnt if learnt == "light" else "lightest"

    def light_logicals(self, basis: Basis, *, heavier: int = 0) -> NDArray[np.uint8]:
        """Every logical operator of a basis, whatever its class, up to the weight of the heaviest observable or above.

        Parameters
        ----------
        basis : {"X", "Z"}
        heavier : int
            By so much they may be heavier than the heaviest observable.

        Returns
        -------
        uint8 [operators, n]
            All that there are of bb72, bb108 and bb144 (84, 3186 and 1884; of bb72 1074 if they may be heavier by two),
            translations among them; where there are more than `MOST_LIGHT`, about so many that a search finds first.
        """
        if heavier not in self._light:  # the duality keeps weights, so that one search serves both bases
            observables = self.logicals("X")
            found = light_logicals(
                self.hx,
                observables,
                self.translations,
                weight=int(observables.sum(axis=1).max()) + heavier,
                rounds=LIGHT_ROUNDS,
                most=MOST_LIGHT,
            )
            self._light[heavier] = frozen(found, np.uint8)
        return self._light[heavier] if basis == "X" else self._light[heavier][:, self.dual_qubit]

    def _frame(self, basis: Basis) -> Frame:
        """Two planes of checks and two of data qubits on the torus.

        Relations are numbered by the term of A or B that they follow; then, through one relation, all checks of one
        plane are read by data qubits of one plane, and the other way round.

        In the X frame x becomes 1/x and y 1/y, the blocks and X and Z are exchanged, and time runs backwards. It is a
        symmetry of every such code, and brings the two depth-7 schedules close; what is left, the network learns from
        the kind of site.
        """
        size, turned = self.l * self.m, basis == "X"
        place = self.dual_check if turned else np.arange(size)  # the duality is its own inverse
        terms_b = len(self.b_terms)
        z = self.neighbours("Z")
        checks_read_data = np.concatenate([np.hstack([z[:, terms_b:], z[:, :terms_b]]), self.neighbours("X")])
        data_reads_checks = np.full_like(checks_read_data, ABSENT_PLACE)
        for term in range(checks_read_data.shape[1]):
            for checks in (np.arange(size), size + np.arange(size)):  # each plane meets a data qubit once in a term
                data_reads_checks[checks_read_data[checks, term], term] = checks
        to_data = SpaceRelations(data_reads_checks, (0, 1), read="checks", out="data")
        from_data = SpaceRelations(checks_read_data, (0, -1), read="data", out="checks")
        direct = SpaceRelations(self._checks_read_checks(), (-1, 0, 1), read="checks", out="checks")
        return Frame(
            plane_sizes=(size, size),
            data_plane_sizes=(size, size),
            check_place={basis: place, opposite(basis): size + place},
            coords=np.tile(self.check_coords("X"), (2, 1)),
            place_kind=np.repeat([PRIMARY, SECONDARY], size) + (2 if turned else 0),
            kinds=4,
            data_qubit=self.dual_qubit if turned else np.arange(self.n),
            convolutions={"bipartite": (to_data, from_data), "direct": (direct,)},
            to_data=to_data,
            reverse_time=turned,
            period=(self.l, self.m),
        )

    def _checks_read_checks(self) -> NDArray[np.int64]:
        """Every check that shares a data qubit with a primary or secondary check: int64 [checks of both, relations]."""
        size, modulus = self.l * self.m, np.array((self.l, self.m))
        a, b = np.array(self.a_terms), np.array(self.b_terms)
        pairs = np.concatenate([(terms[:, None] - terms[None]).reshape(-1, 2) for terms in (a, b)])
        same = np.unique(pairs % modulus, axis=0)
        cross = np.unique((a[:, None] + b[None]).reshape(-1, 2) % modulus, axis=0)
        here = self.check_coords("X")

        def shifted(by: NDArray[np.int64]) -> NDArray[np.int64]:
            i, j = np.moveaxis((here[:, None] + by[None]) % modulus, -1, 0)
            return i * self.m + j

        primary = np.hstack([shifted(same), size + shifted(-cross)])
        secondary = np.hstack([size + shifted(same), shifted(cross)])
        return np.concatenate([primary, secondary])


def _size(value: int, name: str) -> int:
    try:
        size = index(value)
    except TypeError as error:
        raise CascadeError(f"expected {name} as an integer, got {value!r}") from error
    if size < 1:
        raise CascadeError(f"expected {name} of at least 1, got {size}")
    return size


def _multiplication_table(l: int, m: int) -> NDArray[np.int64]:  # noqa: E741
    """Index of the product of group elements g and h: ``int64 [l * m, l * m]``."""
    i, j = np.divmod(np.arange(l * m), m)
    return (i[:, None] + i) % l * m + (j[:, None] + j) % m


def _find(name: str) -> CSSCode | None:
    if name not in _PUBLISHED:
        return None
    l, m, a, b, d = _PUBLISHED[name]  # noqa: E741
    return BivariateBicycleCode(l, m, a, b, name=name, d=d)


FAMILY = Family(
    name="bb",
    title="Bivariate bicycle codes",
    find=_find,
    names=tuple(_PUBLISHED),
    expected=f"one of {', '.join(_PUBLISHED)}",
    recognised=tuple(_PUBLISHED),
)
