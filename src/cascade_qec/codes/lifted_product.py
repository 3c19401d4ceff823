"""Lifted-product codes (Panteleev & Kalachev, Quantum 5, 585): two matrices of polynomials, multiplied."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, product
from typing import Self

import numpy as np

from cascade_qec.codes.basis import Basis
from cascade_qec.codes.css import CSSCode
from cascade_qec.codes.edges import edge_colours
from cascade_qec.codes.family import Family
from cascade_qec.codes.group import GroupCode
from cascade_qec.codes.polynomial import Matrix, Term, Terms, check_size, group_of, parse_matrix
from cascade_qec.codes.schedule import Schedule
from cascade_qec.errors import CascadeError

_Entry = tuple[tuple[Term, int], ...]
"""Terms of a polynomial, each with its colour."""

_Coloured = list[list[_Entry]]


class LiftedProductCode(GroupCode):
    """Code with checks H_X = [A (x) I | I (x) B], H_Z = [I (x) B* | A* (x) I].

    A and B are matrices of polynomials in the generators of an abelian group, A* is the transpose of A with generators
    turned into their inverses, and I are identities of the sizes that fit. See `GroupCode` for the order of checks and
    qubits.

    Parameters
    ----------
    group
        As of `GroupCode`.
    a, b
        The matrices; B is A* by default.
    name, family, d
        As for `GroupCode`.
    layers
        The layer of CNOTs in which X checks go through each colour of A's terms, and then of B's; see `schedule`. By
        default those of A, or of B if these are odd in number and A's are not, are in the middle.

    Attributes
    ----------
    terms : (int, int)
        Colours of A's terms and of B's: the most in a row or column of either.
    layers : tuple of int

    Examples
    --------
    >>> code = LiftedProductCode(3, [["1 + x", "1 + x^2"]], name="mine")
    >>> code.n, code.k, code.terms
    (15, 7, (4, 4))
    >>> code.schedule.depth
    8
    """

    def __init__(
        self,
        group: int | Sequence[int],
        a: Matrix,
        b: Matrix | None = None,
        *,
        name: str,
        family: str = "lp",
        d: int | None = None,
        layers: Sequence[int] | None = None,
    ) -> None:
        group = group_of(group)
        left = _coloured(parse_matrix(a, group))
        first = 1 + max(_colours(left), default=-1)
        right = [
            [tuple((term, first + colour) for term, colour in entry) for entry in row]
            for row in (_adjoint(left) if b is None else _coloured(parse_matrix(b, group)))
        ]
        self.terms = first, 1 + max(_colours(right), default=first - 1) - first
        check_size(group, len(left[0]) * len(right) + len(left) * len(right[0]))
        check_size(group, max(len(left) * len(right), len(left[0]) * len(right[0])))
        of_a, of_b = _adjoint(left), _adjoint(right)
        x = _beside(_times_identity(left, len(right)), _identity_times(len(left), right))
        z = _beside(_identity_times(len(left[0]), of_b), _times_identity(of_a, len(right[0])))
        super().__init__(
            group,
            _polynomials(x),
            _polynomials(z),
            name=name,
            family=family,
            d=d,
            colours={"X": _colours(x), "Z": _colours(z)},
            layers=layers,
        )

    @property
    def schedule(self) -> Schedule:
        """X checks go through the terms in some layers, and Z checks do so backwards in time.

        An X and a Z check that share qubits share them in pairs, by a term a of A and a term b of B: in one qubit the X
        check has a and the Z check b, in the other one the X check has b and the Z check a. The X check comes first in
        both or in neither, as layer(a) < D - 1 - layer(b) says the same as layer(b) < D - 1 - layer(a). So in any order
        the checks are measured as they stand; only gates of one layer must not meet, which is to say that no layers of
        a and b add up to D - 1. The depth D is the number of colours, or one more if A and B have odd numbers of them.
        """
        return super().schedule

    def orders(self, seed: int = 0) -> Iterator[Self]:
        rng = np.random.default_rng(seed)
        while True:
            layers = rng.permutation(self._depth)[: sum(self.terms)].tolist()
            if self._fits(layers):
                yield self.with_layers(layers)

    @property
    def _usual_layers(self) -> Sequence[int]:
        return _default_layers(*self.terms)

    @property
    def _slot_layers(self) -> dict[Basis, list[int]]:
        return {
            "X": [self.layers[colour] for colour in self._slot_colours["X"]],
            "Z": [self._depth - 1 - self.layers[colour] for colour in self._slot_colours["Z"]],
        }

    @property
    def _depth(self) -> int:
        a, b = self.terms
        return a + b + (a % 2 and b % 2)

    def _checked(self, layers: Sequence[int]) -> tuple[int, ...]:
        a, depth = self.terms[0], self._depth
        if not self._fits(layers):
            raise CascadeError(
                f"expected a layer of its own, from 0 to {depth - 1}, for each of {a} terms of A and {self.terms[1]} "
                f"of B, none of A and of B adding up to {depth - 1}, got {list(layers)}"
            )
        return tuple(map(int, layers))

    def _fits(self, layers: Sequence[int]) -> bool:
        a, depth = self.terms[0], self._depth
        once = len(set(layers)) == len(layers) == sum(self.terms) and {*layers} <= {*range(depth)}
        return once and not any(of_a + of_b == depth - 1 for of_a, of_b in product(layers[:a], layers[a:]))


def _default_layers(a: int, b: int) -> list[int]:
    depth = a + b + (a % 2 and b % 2)
    inner = a if a % 2 or b % 2 == 0 else b  # of odd depth, one with an odd number of terms has the middle layer
    first = (depth - inner) // 2
    middle = list(range(first, first + inner))
    ends = [layer for layer in range(depth) if layer not in middle][: a + b - inner]
    return middle + ends if inner == a else ends + middle


def _coloured(matrix: list[list[Terms]]) -> _Coloured:
    entries = [(i, j) for i, row in enumerate(matrix) for j, terms in enumerate(row) for _ in terms]
    colours = iter(edge_colours(entries).tolist())
    return [[tuple((term, next(colours)) for term in terms) for terms in row] for row in matrix]


def _colours(matrix: _Coloured) -> list[int]:
    return [colour for _, colour in chain.from_iterable(chain.from_iterable(matrix))]


def _polynomials(matrix: _Coloured) -> list[list[Terms]]:
    return [[tuple(term for term, _ in entry) for entry in row] for row in matrix]


def _adjoint(matrix: _Coloured) -> _Coloured:
    return [
        [tuple((tuple(-i for i in term), colour) for term, colour in entry) for entry in column]
        for column in zip(*matrix, strict=True)
    ]


def _times_identity(a: _Coloured, copies: int) -> _Coloured:
    return [
        [entry if here == other else () for entry in row for other in range(copies)]
        for row in a
        for here in range(copies)
    ]


def _identity_times(copies: int, b: _Coloured) -> _Coloured:
    return [
        [entry if here == other else () for other in range(copies) for entry in row]
        for here in range(copies)
        for row in b
    ]


def _beside(left: _Coloured, right: _Coloured) -> _Coloured:
    return [[*first, *second] for first, second in zip(left, right, strict=True)]


def _powers(*rows: str) -> Matrix:
    """Powers of x, "." for none."""
    return [["0" if power == "." else f"x^{power}" for power in row.split()] for row in rows]


# l, A, B (A* where there is none) and the published distance, where it is more than a bound.
_PUBLISHED: dict[str, tuple[int, Matrix, Matrix | None, int | None]] = {
    # Raveendran et al., Quantum 6, 767 (2022), eq. (18): d <= 10.
    "lp175": (7, _powers("0 0 0 0", "0 1 2 5", "0 6 3 1"), None, None),
    # Xu et al., Nature Physics 20, 1084 (2024): d <= 12, 16, 20.
    "lp544": (16, _powers("0 0 0 0 0", "0 2 4 7 11", "0 3 10 14 15"), None, None),
    "lp714": (21, _powers("0 0 0 0 0", "0 4 5 7 17", "0 14 18 12 11"), None, None),
    "lp1020": (30, _powers("0 0 0 0 0", "0 2 14 24 25", "0 16 11 14 13"), None, None),
    # Panteleev & Kalachev, Quantum 5, 585 (2021), appendix B, B1: 18 <= d <= 24.
    "lp882": (
        63,
        _powers(
            "27 . . . . 0 54",
            "54 27 . . . . 0",
            "0 54 27 . . . .",
            ". 0 54 27 . . .",
            ". . 0 54 27 . .",
            ". . . 0 54 27 .",
            ". . . . 0 54 27",
        ),
        [["1+x+x^6"]],
        None,
    ),
    # Panteleev & Kalachev, IEEE Trans. Inf. Theory 68, 213 (2022): Tanner's matrix, d <= 20.
    "lp1054": (31, _powers("1 2 4 8 16", "5 10 20 9 18", "25 19 7 14 28"), None, None),
}


def _find(name: str) -> CSSCode | None:
    if name not in _PUBLISHED:
        return None
    l, a, b, d = _PUBLISHED[name]  # noqa: E741
    return LiftedProductCode(l, a, b, name=name, d=d)


FAMILY = Family(
    name="lp",
    title="Lifted-product codes",
    find=_find,
    names=tuple(_PUBLISHED),
    expected=f"one of {', '.join(_PUBLISHED)}",
    recognised=tuple(_PUBLISHED),
)
