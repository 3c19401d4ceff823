"""Codes by name."""

from __future__ import annotations

import re
from functools import cache

from cascade_qec.codes.bivariate_bicycle import BivariateBicycleCode
from cascade_qec.codes.css import CSSCode
from cascade_qec.codes.surface import RotatedSurfaceCode
from cascade_qec.errors import CascadeError

# l, m, A, B and the published distance: Bravyi et al., Nature 627, 778, table 3.
_BIVARIATE_BICYCLE = {
    "bb72": (6, 6, "x^3+y+y^2", "y^3+x+x^2", 6),
    "bb90": (15, 3, "x^9+y+y^2", "1+x^2+x^7", 10),
    "bb108": (9, 6, "x^3+y+y^2", "y^3+x+x^2", 10),
    "bb144": (12, 6, "x^3+y+y^2", "y^3+x+x^2", 12),
    "bb288": (12, 12, "x^3+y^2+y^7", "y^3+x+x^2", 18),
}
_SURFACE = re.compile(r"surface_d([1-9][0-9]{0,3})")


def names() -> tuple[str, ...]:
    """Names that :func:`get` knows; "surface_d" with any larger odd number is one too."""
    return (*(f"surface_d{d}" for d in range(3, 23, 2)), *_BIVARIATE_BICYCLE)


@cache
def get(name: str) -> CSSCode:
    """Look up a code by its name: one of :func:`names`, or "surface_d<odd>" of any size.

    The same name gives the same object, so that its logicals are searched for once in a process.

    Raises
    ------
    CascadeError
        If there is no code of that name.
    """
    if name in _BIVARIATE_BICYCLE:
        l, m, a, b, d = _BIVARIATE_BICYCLE[name]  # noqa: E741
        return BivariateBicycleCode(l, m, a, b, name=name, d=d)
    surface = _SURFACE.fullmatch(name)
    if surface:
        return RotatedSurfaceCode(int(surface[1]))
    raise CascadeError(f"unknown code {name!r}; expected surface_d<odd> or one of {', '.join(_BIVARIATE_BICYCLE)}")
