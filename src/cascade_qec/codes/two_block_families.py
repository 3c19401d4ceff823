"""Families of two-block codes: toric, cubic, generalised bicycle and multivariate bicycle codes."""

from __future__ import annotations

import re
from itertools import permutations
from math import isqrt

from cascade_qec import limits
from cascade_qec.codes.css import CSSCode
from cascade_qec.codes.family import Family
from cascade_qec.codes.two_block import TwoBlockCode
from cascade_qec.errors import CascadeError

# l, m, A, B, and the published distance where it is more than a bound.
Published = dict[str, tuple[int, int, str, str, int | None]]

_GENERALISED: Published = {
    # Panteleev & Kalachev, Quantum 5, 585 (2021), appendix B, A4, A3, A2, A5 (15 <= d <= 18) and A1 (14 <= d <= 20).
    "gb46": (23, 1, "1+x^5+x^8+x^12", "1+x+x^5+x^7", 9),
    "gb48": (24, 1, "1+x^2+x^8+x^15", "1+x^2+x^12+x^17", 8),
    "gb126": (63, 1, "1+x+x^14+x^16+x^22", "1+x^3+x^13+x^20+x^42", 8),
    "gb180": (90, 1, "1+x^28+x^80+x^89", "1+x^2+x^21+x^25", None),
    "gb254": (127, 1, "1+x^15+x^20+x^28+x^66", "1+x^58+x^59+x^100+x^121", None),
    # Lin & Pryadko, Phys. Rev. A 109, 022407 (2024), table 1.
    "gb70": (35, 1, "1+x^15+x^16+x^18", "1+x+x^24+x^27", 10),
}

# Voss et al., Phys. Rev. A 111, L060401 (2025), with z = x y.
_MULTIVARIATE: Published = {
    "mb30": (5, 3, "x^4+x^2", "x+x^2+y+x^2*y^2+x^3", 5),
    "mb48": (4, 6, "x^3+y^5", "x+x*y^5+y^5+y^2", 6),
    "mb96": (8, 6, "x^6+x^3", "x^5*y^5+x^5+y", 8),
}

_TORIC = re.compile(r"toric_([1-9][0-9]{0,3})x([1-9][0-9]{0,3})")


def _toric(name: str) -> CSSCode | None:
    found = _TORIC.fullmatch(name)
    if found is None:
        return None
    l, m = int(found[1]), int(found[2])  # noqa: E741
    if not 2 <= min(l, m) <= max(l, m) <= limits.DISTANCE:
        raise CascadeError(f"expected a torus of sizes from 2 to {limits.DISTANCE}, got {l} and {m}")
    return TwoBlockCode((l, m), "1+x^-1", "1+y^-1", name=name, family="toric", d=min(l, m))


def _toric_of(n: int) -> list[str]:
    # x and y may be exchanged: one order is enough. The squarest first.
    sizes = range(min(isqrt(n // 2), limits.DISTANCE), 1, -1)
    return [f"toric_{l}x{n // 2 // l}" for l in sizes if n % (2 * l) == 0 and n // 2 // l <= limits.DISTANCE]  # noqa: E741


_CUBIC = re.compile(r"haah_([1-9][0-9]?)")
_CUBIC_SIZES = range(3, 17)  # of which the largest has as many elements as a group may have


def _cubic(name: str) -> CSSCode | None:
    found = _CUBIC.fullmatch(name)
    if found is None:
        return None
    if (l := int(found[1])) not in _CUBIC_SIZES:  # noqa: E741
        raise CascadeError(f"expected a cube of size from {_CUBIC_SIZES[0]} to {_CUBIC_SIZES[-1]}, got {l}")
    return TwoBlockCode((l, l, l), "1+x+y+z", "1+x*y+y*z+x*z", name=name, family="cubic")


def published(family: str, title: str, codes: Published) -> Family:
    """A family of two-block codes that have names."""

    def find(name: str) -> CSSCode | None:
        if name not in codes:
            return None
        l, m, a, b, d = codes[name]  # noqa: E741
        return TwoBlockCode((l, m), a, b, name=name, family=family, d=d)

    names = tuple(codes)
    return Family(family, title, find, names=names, expected=f"one of {', '.join(names)}", recognised=names)


TORIC = Family(
    name="toric",
    title="Toric codes",
    find=_toric,
    names=tuple(f"toric_{d}x{d}" for d in range(3, 11)),
    expected="toric_<l>x<m>",
    recognised=tuple(f"toric_{d}x{d}" for d in range(3, 21)),
    sized=_toric_of,
    rectangles={f"toric_{l}x{m}": (l * m, l * m) for l, m in permutations(range(3, 21), 2)},  # noqa: E741
)
# Haah, Phys. Rev. A 83, 042330 (2011), code 1.
CUBIC = Family(
    name="cubic",
    title="Cubic codes",
    find=_cubic,
    names=tuple(f"haah_{l}" for l in range(3, 6)),  # noqa: E741
    expected="haah_<l>",
    recognised=tuple(f"haah_{l}" for l in range(3, 9)),  # noqa: E741
    sized=lambda n: [f"haah_{l}" for l in _CUBIC_SIZES if 2 * l**3 == n],  # noqa: E741
)
FAMILIES = (
    TORIC,
    CUBIC,
    published("gb", "Generalised bicycle codes", _GENERALISED),
    published("mb", "Multivariate bicycle codes", _MULTIVARIATE),
)
