"""Polynomials in x and y over GF(2) with x^l = y^m = 1, as text."""

from __future__ import annotations

import re

from cascade_qec.errors import CascadeError

Terms = tuple[tuple[int, int], ...]

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
