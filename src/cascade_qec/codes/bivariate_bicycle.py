"""Bivariate bicycle codes (Bravyi et al., Nature 627, 778) on an l x m torus."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from cascade_qec.codes.basis import Basis
from cascade_qec.codes.css import CSSCode
from cascade_qec.codes.family import Family
from cascade_qec.codes.schedule import Schedule
from cascade_qec.codes.two_block import TwoBlockCode

# Bravyi et al., Nature 627, 778 (2024), eq. (9): depth 7 with the layers in which one kind of check rests.
_SCHEDULE = Schedule(x=(None, 1, 4, 3, 5, 0, 2), z=(3, 5, 0, 1, 2, 4, None))

# l, m, A, B and the published distance, where it is more than a bound.
_PUBLISHED: dict[str, tuple[int, int, str, str, int | None]] = {
    # Bravyi et al., Nature 627, 778, table 3; d <= 24 and d <= 34 of the last two.
    "bb72": (6, 6, "x^3+y+y^2", "y^3+x+x^2", 6),
    "bb90": (15, 3, "x^9+y+y^2", "1+x^2+x^7", 10),
    "bb108": (9, 6, "x^3+y+y^2", "y^3+x+x^2", 10),
    "bb144": (12, 6, "x^3+y+y^2", "y^3+x+x^2", 12),
    "bb288": (12, 12, "x^3+y^2+y^7", "y^3+x+x^2", 18),
    "bb360": (30, 6, "x^9+y+y^2", "y^3+x^25+x^26", None),
    "bb756": (21, 18, "x^3+y^10+y^17", "y^5+x^3+x^19", None),
    # Wang & Mueller, arXiv:2408.10001, table 1.
    "bb54": (3, 9, "1+y^2+y^4", "y^3+x+x^2", 6),
    "bb98": (7, 7, "x^3+y^5+y^6", "y^2+x^3+x^5", 12),
    "bb126": (3, 21, "1+y^2+y^10", "y^3+x+x^2", 10),
    "bb150": (5, 15, "1+y^6+y^8", "y^5+x+x^4", 8),
    "bb162": (3, 27, "1+y^10+y^14", "y^12+x+x^2", 14),
    "bb180": (6, 15, "x^3+y+y^2", "y^6+x^4+x^5", 16),
}


class BivariateBicycleCode(TwoBlockCode):
    """A two-block code on the l x m torus, as `TwoBlockCode` describes it, with the published order of CNOTs.

    Parameters
    ----------
    l, m
        The orders of x and y.
    a, b, d
        As for `TwoBlockCode`.
    name
        How the code is to be called; by default its size and polynomials.

    Examples
    --------
    >>> code = BivariateBicycleCode(6, 6, "x^3 + y + y^2", "y^3 + x + x^2", d=6)
    >>> code.n, code.k
    (72, 12)
    """

    def __init__(self, l: int, m: int, a: str, b: str, name: str | None = None, d: int | None = None) -> None:  # noqa: E741
        name = name or f"bb_{l}x{m}_" + re.sub(r"[\s^*]", "", f"{a}_{b}")
        super().__init__((l, m), a, b, name=name, family="bb", d=d)
        self.l, self.m = self.group

    @property
    def schedule(self) -> Schedule:
        """The published one of depth 7 where both polynomials have three terms, unless other layers are asked for."""
        usual = self.layers == tuple(self._usual_layers)
        return _SCHEDULE if self.terms == (3, 3) and usual else super().schedule

    def detector_coords(self, basis: Basis) -> NDArray[np.int64]:
        return self.check_coords(basis)


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
