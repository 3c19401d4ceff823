"""Surface codes of several distances with one decoder, as one family."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.fits.points import Curve

_SURFACE = re.compile(r"surface_d(\d+)")
_ANY_CODE = re.compile(r"surface_d\d+|bb\d+")


@dataclass(frozen=True)
class Series:
    """Curves of surface codes, one for each distance in ascending order, measured alike.

    Attributes
    ----------
    decoder
        With a star for the code in names of models: "cascade:surface_d*".
    rule
        How the rounds go with the distance: "rounds = d", "rounds = 3 d", or "rounds = 5" for all.
    curves
        At least two.
    """

    decoder: str
    rule: str
    curves: tuple[Curve, ...]

    @property
    def distances(self) -> tuple[int, ...]:
        """In ascending order."""
        return tuple(distance(curve) for curve in self.curves)

    @property
    def codes(self) -> str:
        """The codes' names in one: "surface_d3..7"."""
        return f"surface_d{self.distances[0]}..{self.distances[-1]}"

    @property
    def name(self) -> str:
        """As messages call it."""
        return f"{self.decoder} on {self.codes}, {self.rule}, basis {self.curves[0].first.bases}"


def distance(curve: Curve) -> int:
    """Distance of a surface code's curve.

    Raises
    ------
    CascadeError
        If the code is another one.
    """
    match = _SURFACE.fullmatch(curve.first.code)
    if match is None:
        raise CascadeError(f"expected a code surface_d<odd>, got {curve.first.code}")
    return int(match[1])


def surface_series(curves: Iterable[Curve]) -> list[Series]:
    """Curves of surface codes that differ in the distance only, two or more.

    Rounds that are a multiple of the distance go with the same multiple of other distances, other rounds with
    the same number. Models for one code each are one decoder if their names differ in the code alone.
    """
    families: dict[tuple, dict[int, Curve]] = defaultdict(dict)
    for curve in curves:
        here = curve.first
        if _SURFACE.fullmatch(here.code):
            d = distance(curve)
            times = here.rounds // d
            rule = f"rounds = {here.rounds}" if here.rounds % d else f"rounds = {times} d".replace(" 1 d", " d")
            families[family(here.decoder), rule, here.bases, here.noise][d] = curve
    return [
        Series(decoder, rule, tuple(by_distance[d] for d in sorted(by_distance)))
        for (decoder, rule, _, _), by_distance in families.items()
        if len(by_distance) > 1
    ]


def family(decoder: str) -> str:
    """A decoder's name with the code in it, if any, replaced by a star: "cascade:bb*"."""
    return _ANY_CODE.sub(lambda match: re.sub(r"\d+", "*", match[0]), decoder)


def qubits(d: int) -> int:
    """Data and check qubits of a rotated surface code: ``2 d^2 - 1``."""
    return 2 * d * d - 1
