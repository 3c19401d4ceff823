"""Trivariate tricycle codes: one orbit of X checks on three orbits of data qubits (Jacob et al., arXiv:2508.08191)."""

from __future__ import annotations

from collections.abc import Sequence

from cascade_qec.codes.css import CSSCode
from cascade_qec.codes.family import Family
from cascade_qec.codes.group import GroupCode
from cascade_qec.codes.polynomial import Terms, group_of, parse_polynomial


class TricycleCode(GroupCode):
    """Code with checks H_X = [A | B | C], H_Z = [C* | 0 | A*], [0 | C* | B*], [B* | A* | 0], each a third of H_Z.

    A, B and C are polynomials in the generators of an abelian group, A* is A with generators turned into their
    inverses. Errors of X are seen by three orbits of checks, and these by checks of their own: one round tells them.

    Parameters
    ----------
    group, name, d, layers
        As of `GroupCode`.
    a, b, c
        Polynomials as text.

    Examples
    --------
    >>> code = TricycleCode((4, 3, 2), "1+y+x*y^2", "1+y*z+x^2*y^2", "1+x*y^2*z+x^2*y", name="mine")
    >>> code.n, code.k
    (72, 6)
    """

    def __init__(
        self,
        group: int | Sequence[int],
        a: str,
        b: str,
        c: str,
        *,
        name: str,
        d: int | None = None,
        layers: Sequence[int] | None = None,
    ) -> None:
        polynomials = [parse_polynomial(text, group_of(group)) for text in (a, b, c)]
        a_star, b_star, c_star = map(_inverted, polynomials)
        z = [[c_star, (), a_star], [(), c_star, b_star], [b_star, a_star, ()]]
        super().__init__(group, [polynomials], z, name=name, family="tt", d=d, layers=layers)


def _inverted(terms: Terms) -> Terms:
    return tuple(tuple(-exponent for exponent in term) for term in terms)


# The group, A, B, C and the published distance: Jacob et al., arXiv:2508.08191, table I.
_PUBLISHED: dict[str, tuple[tuple[int, ...], str, str, str, int]] = {
    "tt72": ((4, 3, 2), "1+y+x*y^2", "1+y*z+x^2*y^2", "1+x*y^2*z+x^2*y", 6),
    "tt432": ((6, 6, 4), "1+x*y*z^3+x^3*y^4*z^2", "1+x^3*y*z^2+x^3*y^2*z^3", "1+x^4*y^3*z^3+x^5*z^2", 12),
}


def _find(name: str) -> CSSCode | None:
    if name not in _PUBLISHED:
        return None
    group, a, b, c, d = _PUBLISHED[name]
    return TricycleCode(group, a, b, c, name=name, d=d)


FAMILY = Family(
    name="tt",
    title="Trivariate tricycle codes",
    find=_find,
    names=tuple(_PUBLISHED),
    expected=f"one of {', '.join(_PUBLISHED)}",
    recognised=tuple(_PUBLISHED),
)
