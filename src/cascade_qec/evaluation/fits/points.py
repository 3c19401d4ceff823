"""What is fitted: failures in shots, at one noise rate and at several."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.fits.likelihood import Outcomes


@dataclass(frozen=True)
class Point:
    """Failures of one decoder on one experiment.

    Attributes
    ----------
    decoder, code, noise
        Names; `noise` is the noise model's.
    p
        Its strength, above 0.
    rounds, bases, k
        Cycles, measured bases ("X", "Z", or "XZ" for pooled shots), logical qubits.
    n
        Data qubits; None where they are not known.
    d
        Distance; None where it is not known.
    checks
        Check qubits; None where the code is not in the registry.
    shots, failures
        Shots decoded (without discarded ones), and those with any of the k observables wrong.
    """

    decoder: str
    code: str
    noise: str
    p: float
    rounds: int
    bases: str
    k: int
    n: int | None
    d: int | None
    checks: int | None
    shots: int
    failures: int

    def __post_init__(self) -> None:
        if not (0 < self.p <= 1 and self.rounds >= 1 and self.k >= 1 and 0 <= self.failures <= self.shots):
            raise CascadeError(
                f"{self.decoder} on {self.code}: expected 0 < p <= 1, rounds >= 1, k >= 1 and 0 <= failures <= shots, "
                f"got p = {self.p}, rounds = {self.rounds}, k = {self.k}, "
                f"failures = {self.failures}, shots = {self.shots}"
            )


@dataclass(frozen=True)
class Curve:
    """One decoder on one code, rounds and bases, over noise rates in ascending order."""

    points: tuple[Point, ...]

    @property
    def first(self) -> Point:
        """A point, for what all points share."""
        return self.points[0]

    @property
    def name(self) -> str:
        """As messages call it."""
        here = self.first
        return f"{here.decoder} on {here.code}, {here.rounds} rounds, basis {here.bases}"

    @cached_property
    def log_p(self) -> np.ndarray:
        """Logarithms of the noise rates: float64 [points]."""
        return np.log([point.p for point in self.points])

    @cached_property
    def outcomes(self) -> Outcomes:
        """What was counted, for a likelihood."""
        return outcomes(self.points)

    @property
    def qubits_per_logical(self) -> float | None:
        """Data and check qubits for each logical qubit; None where these are not known."""
        here = self.first
        return None if here.n is None or here.checks is None else (here.n + here.checks) / here.k

    def at(self, p: float) -> Point | None:
        """The point measured at a noise rate, if there is one."""
        return next((point for point in self.points if np.isclose(point.p, p, rtol=1e-6, atol=0)), None)

    def holds(self, p: float) -> bool:
        """Whether a noise rate lies between measured ones that had failures, where a fit interpolates."""
        seen = [point.p for point in self.points if point.failures]
        return bool(seen) and min(seen) * (1 - 1e-9) <= p <= max(seen) * (1 + 1e-9)


def outcomes(points: Sequence[Point]) -> Outcomes:
    """The points' shots and failures as arrays."""

    def column(name: str) -> np.ndarray:
        return np.array([getattr(point, name) for point in points], dtype=np.float64)

    return Outcomes(column("shots"), column("failures")[None], column("k"), column("rounds"))


def curves(points: Iterable[Point], *, pooled: bool = True, p_max: float = 1.0) -> list[Curve]:
    """Sort points into curves.

    Parameters
    ----------
    points
        In any order; several of one experiment add up, so they must be of different shots.
    pooled
        Whether shots of the bases measured at a noise rate are added, which takes their rates to be equal; else
        a curve for each basis. Points that are already pooled stay so.
    p_max
        Points at higher noise rates are left out.

    Returns
    -------
    list of Curve
        In the order in which they first occur. Noise rates at which different sets of bases were measured are
        on different curves, since they need not agree.
    """
    at: dict[tuple, dict[str, Point]] = defaultdict(dict)
    for point in points:
        if point.p <= p_max and point.shots:
            place = at[(point.decoder, point.code, point.noise, point.rounds, point.p)]
            before = place.get(point.bases)
            place[point.bases] = point if before is None else _sum(before, point)
    lines: dict[tuple, list[Point]] = defaultdict(list)
    for key, by_basis in at.items():
        here = list(by_basis.values())
        if pooled:
            total = here[0]
            for point in here[1:]:
                total = _sum(total, point)
            here = [total]
        for point in here:
            lines[(*key[:-1], point.bases)].append(point)
    return [Curve(tuple(sorted(line, key=lambda point: point.p))) for line in lines.values()]


def _sum(one: Point, other: Point) -> Point:
    if (one.k, one.n, one.d) != (other.k, other.n, other.d):
        raise CascadeError(
            f"{one.code}: expected one code of that name, got n, k, d = {(one.n, one.k, one.d)} and "
            f"{(other.n, other.k, other.d)}"
        )
    return replace(
        one,
        bases="".join(sorted(set(one.bases + other.bases))),
        shots=one.shots + other.shots,
        failures=one.failures + other.failures,
    )
