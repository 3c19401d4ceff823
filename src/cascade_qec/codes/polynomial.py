"""Polynomials over GF(2) in the generators of a finite abelian group, as text, and the groups themselves."""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import prod
from operator import index

from cascade_qec import limits
from cascade_qec.errors import CascadeError

VARIABLES = "xyzwvuts"
"""Names of a group's generators, as many as it has cycles."""

Group = tuple[int, ...]
"""The size of each cycle, two at least."""

Term = tuple[int, ...]
"""The exponent of each generator."""

Terms = tuple[Term, ...]

Matrix = Sequence[Sequence[str | Terms]]
"""Rows of polynomials, as text ("0" for none) or as their terms."""


def group_of(sizes: int | Sequence[int]) -> Group:
    """Read the sizes of a group's cycles: one alone gets a second cycle of size 1.

    Raises
    ------
    CascadeError
        If there are none or too many, or one is no positive integer.
    """
    given = list(sizes) if isinstance(sizes, Sequence) else [sizes]
    if not 1 <= len(given) <= len(VARIABLES):
        raise CascadeError(f"expected a group of one cycle to {len(VARIABLES)}, got {len(given)}")
    cycles: list[int] = []
    for name, value in zip(VARIABLES, given, strict=False):
        try:
            cycles.append(index(value))
        except TypeError as error:
            raise CascadeError(f"expected the order of {name} as an integer, got {value!r}") from error
        if cycles[-1] < 1:
            raise CascadeError(f"expected {name} to be of order 1 at least, got {cycles[-1]}")
    return tuple([*cycles, 1][: max(2, len(cycles))])


def check_size(group: Group, orbits: int) -> None:
    """Raise a CascadeError if a group, or what it makes of so many orbits, has more elements than `limits` allows."""
    if (size := prod(group)) > limits.GROUP:
        raise CascadeError(f"expected a group of at most {limits.GROUP:,} elements, got {size:,}")
    if (size := size * orbits) > limits.QUBITS:
        raise CascadeError(f"expected at most {limits.QUBITS:,} data qubits, and checks of a basis, got {size:,}")


def parse_polynomial(text: str, group: Group) -> Terms:
    """Read a polynomial such as "x^3 + x*y + 1".

    Parameters
    ----------
    text
        Terms joined by "+", each "1" or a product of powers of the generators: x and y, of larger groups z, w, v, u, t
        and s as well.
    group
        Exponents are taken modulo the sizes of its cycles.

    Returns
    -------
    tuple of tuples of int
        Exponents of each term, in the order written.

    Raises
    ------
    CascadeError
        If a term cannot be read or occurs twice; the message names the term.
    """
    if not isinstance(text, str):
        raise CascadeError(f'expected a polynomial as text such as "x^3+y+y^2", got {text!r}')
    names = VARIABLES[: len(group)]
    factor = rf"([{names}])(?:\^(-?[0-9]{{1,18}}))?"
    terms: list[Term] = []
    for number, term in enumerate(map(str.strip, text.split("+")), start=1):
        place = f"term {number} ({term!r}) of polynomial {text!r}"
        if not re.fullmatch(rf"1|{factor}(?:\s*\*?\s*{factor})*", term):
            listed = f"{', '.join(names[:-1])} and {names[-1]}"
            raise CascadeError(f'{place}: expected "1" or a product of powers of {listed}, such as "x^3" or "x*y^2"')
        exponents = dict.fromkeys(names, 0)
        for variable, power in re.findall(factor, term):
            exponents[variable] += int(power or 1)
        reduced = _reduced(tuple(exponents.values()), group)
        if reduced in terms:
            relations = " = ".join(f"{name}^{size}" for name, size in zip(names, group, strict=True))
            twin = terms.index(reduced) + 1
            raise CascadeError(f"{place}: expected each term once, but modulo {relations} = 1 it is term {twin}")
        terms.append(reduced)
    return tuple(terms)


def parse_matrix(matrix: Matrix, group: Group) -> list[list[Terms]]:
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
            return () if polynomial.strip() == "0" else parse_polynomial(polynomial, group)
        return tuple(_reduced(term, group) for term in polynomial)

    return [[entry(polynomial) for polynomial in row] for row in matrix]


def _reduced(term: Term, group: Group) -> Term:
    if len(term) != len(group):
        raise CascadeError(f"expected terms with {len(group)} exponents each, got {term}")
    return tuple(exponent % size for exponent, size in zip(term, group, strict=True))
