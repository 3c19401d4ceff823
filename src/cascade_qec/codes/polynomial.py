"""Polynomials in x and y over GF(2) with x^l = y^m = 1, as text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from operator import index

from cascade_qec.errors import CascadeError

Terms = tuple[tuple[int, int], ...]

Matrix = Sequence[Sequence[str | Terms]]
"""Rows of polynomials, as text ("0" for none) or as their terms."""

_FACTOR = re.compile(r"([xy])(?:\^(-?[0-9]+))?")
_TERM = re.compile(rf"1|{_FACTOR.pattern}(?:\s*\*?\s*{_FACTOR.pattern})*")


def parse_polynomial(text: str, l: int, m: int) -> Terms:  # noqa: E741
    """Read a polynomial such as "x^3 + x*y + 1".

    Parameters
    ----------
    text
        Terms joined by "+", each "1" or a product of powers of x and y.
    l, m
        Exponents of x are taken modulo l, those of y modulo m.

    Returns
    -------
    tuple of (int, int)
        Exponents (i, j) of x and y of each term, in the order written.

    Raises
    ------
    CascadeError
        If a term cannot be read or occurs twice; the message names the term.
    """
    if not isinstance(text, str):
        raise CascadeError(f'expected a polynomial as text such as "x^3+y+y^2", got {text!r}')
    terms: list[tuple[int, int]] = []
    for number, term in enumerate(map(str.strip, text.split("+")), start=1):
        place = f"term {number} ({term!r}) of polynomial {text!r}"
        if not _TERM.fullmatch(term):
            raise CascadeError(f'{place}: expected "1" or a product of powers of x and y, such as "x^3" or "x*y^2"')
        exponents = {"x": 0, "y": 0}
        for variable, power in _FACTOR.findall(term):
            exponents[variable] += int(power or 1)
        reduced = (exponents["x"] % l, exponents["y"] % m)
        if reduced in terms:
            twin = terms.index(reduced) + 1
            raise CascadeError(f"{place}: expected each term once, but modulo x^{l} = y^{m} = 1 it is term {twin}")
        terms.append(reduced)
    return tuple(terms)


def parse_matrix(matrix: Matrix, l: int, m: int) -> list[list[Terms]]:  # noqa: E741
    """The terms of every entry of a matrix.

    Raises
    ------
    CascadeError
        If an entry cannot be read, or rows differ in length.
    """
    widths = {len(row) for row in matrix}
    if len(widths) != 1 or 0 in widths:
        raise CascadeError(
            f"expected a matrix of polynomials, rows of one length, got rows of lengths {sorted(widths)}"
        )

    def entry(polynomial: str | Terms) -> Terms:
        if isinstance(polynomial, str):
            return () if polynomial.strip() == "0" else parse_polynomial(polynomial, l, m)
        return tuple((i % l, j % m) for i, j in polynomial)

    return [[entry(polynomial) for polynomial in row] for row in matrix]


def size(value: int, name: str) -> int:
    """Read the size of a group.

    Raises
    ------
    CascadeError
        If it is no positive integer.
    """
    try:
        number = index(value)
    except TypeError as error:
        raise CascadeError(f"expected {name} as an integer, got {value!r}") from error
    if number < 1:
        raise CascadeError(f"expected {name} of at least 1, got {number}")
    return number
