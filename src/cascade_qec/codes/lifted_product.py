"""Lifted-product codes (Panteleev & Kalachev, Quantum 5, 585): two matrices of polynomials, multiplied."""

from __future__ import annotations

from cascade_qec.codes.css import CSSCode
from cascade_qec.codes.family import Family
from cascade_qec.codes.group import GroupCode
from cascade_qec.codes.polynomial import Matrix, Terms, inverted, parse_matrix, size


class LiftedProductCode(GroupCode):
    """Code with checks H_X = [A (x) I | I (x) B], H_Z = [I (x) B* | A* (x) I].

    A and B are matrices of polynomials in x and y, with x^l = y^m = 1, A* is the transpose of A with x and y turned
    into their inverses, and I are identities of the sizes that fit. See `GroupCode` for the order of checks and qubits.

    Parameters
    ----------
    l, m
        Sizes of the group.
    a, b
        The matrices; B is A* by default.
    name, family, d
        As for `GroupCode`.

    Examples
    --------
    >>> code = LiftedProductCode(3, 1, [["1 + x", "1 + x^2"]], name="mine")
    >>> code.n, code.k
    (15, 7)
    """

    def __init__(
        self,
        l: int,  # noqa: E741
        m: int,
        a: Matrix,
        b: Matrix | None = None,
        *,
        name: str,
        family: str = "lp",
        d: int | None = None,
    ) -> None:
        l, m = size(l, "l"), size(m, "m")  # noqa: E741
        left = parse_matrix(a, l, m)
        right = _transposed(left) if b is None else parse_matrix(b, l, m)
        x = _beside(_times_identity(left, len(right)), _identity_times(len(left), right))
        z = _beside(
            _identity_times(len(left[0]), _transposed(right)), _times_identity(_transposed(left), len(right[0]))
        )
        super().__init__(l, m, x, z, name=name, family=family, d=d)


_Terms = list[list[Terms]]


def _transposed(matrix: _Terms) -> _Terms:
    return [[inverted(terms) for terms in column] for column in zip(*matrix, strict=True)]


def _times_identity(a: _Terms, copies: int) -> _Terms:
    return [
        [terms if copy == other else () for terms in row for other in range(copies)]
        for row in a
        for copy in range(copies)
    ]


def _identity_times(copies: int, b: _Terms) -> _Terms:
    return [
        [terms if copy == other else () for other in range(copies) for terms in row]
        for copy in range(copies)
        for row in b
    ]


def _beside(left: _Terms, right: _Terms) -> _Terms:
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
    return LiftedProductCode(l, 1, a, b, name=name, d=d)


FAMILY = Family(
    name="lp",
    title="Lifted-product codes",
    find=_find,
    names=tuple(_PUBLISHED),
    expected=f"one of {', '.join(_PUBLISHED)}",
    recognised=tuple(_PUBLISHED),
)
