"""Codes of several distances with one decoder, as one series."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from cascade_qec import codes
from cascade_qec.evaluation.fits.points import Curve

_BY_DISTANCE = re.compile(r"(\w+_d)(\d+)")
"""Names of codes that differ in the distance alone, such as surface_d5."""


@dataclass(frozen=True)
class Series:
    """Curves of codes that differ in the distance alone, in ascending order, measured alike.

    Attributes
    ----------
    decoder
        With a star for the code in names of models: "cascade:surface_d*".
    stem
        What the codes' names have in common: "surface_d".
    rule
        How the rounds go with the distance: "rounds = d", "rounds = 3 d", or "rounds = 5" for all.
    bases
        Measured ones.
    curves
        At least two.
    """

    decoder: str
    stem: str
    rule: str
    bases: str
    curves: tuple[Curve, ...]

    @property
    def distances(self) -> tuple[int, ...]:
        """In ascending order."""
        return tuple(int(curve.first.code.removeprefix(self.stem)) for curve in self.curves)

    @property
    def codes(self) -> str:
        """The codes' names in one: "surface_d3..7"."""
        return f"{self.stem}{self.distances[0]}..{self.distances[-1]}"

    @property
    def name(self) -> str:
        """As messages call it."""
        return f"{self.decoder} on {self.codes}, {self.rule}, basis {self.bases}"

    def qubits_per_logical(self, d: int) -> float:
        """Data and check qubits for each logical qubit at a distance, however large.

        In two dimensions their number is a parabola in the distance, which three small codes tell.
        """
        small = [3, 5, 7]
        counts = [qubits_per_logical(codes.get(f"{self.stem}{distance}")) for distance in small]
        return float(np.rint(np.polyval(np.polyfit(small, counts, 2), d)))


def qubits_per_logical(code: codes.CSSCode) -> float:
    """Data and check qubits of a code for each logical qubit."""
    return (code.n + len(code.hx) + len(code.hz)) / code.k


def in_series(curve: Curve) -> bool:
    """Whether a curve's code is one of many that differ in the distance alone."""
    return _BY_DISTANCE.fullmatch(curve.first.code) is not None


def distance_series(curves: Iterable[Curve]) -> list[Series]:
    """Curves of codes that differ in the distance only, two or more.

    Rounds that are a multiple of the distance go with the same multiple of other distances, other rounds with
    the same number. Models for one code each are one decoder if their names differ in the code alone.
    """
    found: dict[tuple, dict[int, Curve]] = defaultdict(dict)
    for curve in curves:
        here = curve.first
        if match := _BY_DISTANCE.fullmatch(here.code):
            d = int(match[2])
            times = here.rounds // d
            rule = f"rounds = {here.rounds}" if here.rounds % d else f"rounds = {times} d".replace(" 1 d", " d")
            found[starred(here.decoder, here.code), match[1], rule, here.bases, here.noise][d] = curve
    return [
        Series(decoder, stem, rule, bases, tuple(by_distance[d] for d in sorted(by_distance)))
        for (decoder, stem, rule, bases, _), by_distance in found.items()
        if len(by_distance) > 1
    ]


def starred(decoder: str, code: str) -> str:
    """A decoder's name with the code's number in it, if any, replaced by a star: "cascade:bb*"."""
    return decoder.replace(code, re.sub(r"\d+", "*", code))
