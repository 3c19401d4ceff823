"""Counts of failures, the rates that they give with their intervals, and rates per logical qubit per cycle."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cascade_qec.errors import CascadeError

CONVENTION = (
    "block error P: shots with any of the k observables wrong; "
    "per logical per cycle: (1 - (1 - 2q)^(1/R)) / 2 with q = 1 - (1 - P)^(1/k) over R cycles; "
    "intervals: Wilson, 95 %"
)

Z95 = NormalDist().inv_cdf(0.975)
"""Standard errors on either side of a figure that make its 95 % interval."""


class Counts(NamedTuple):
    """Failures among so many shots."""

    failures: int
    shots: int


@dataclass(frozen=True)
class Interval:
    """A figure with the ends of its confidence interval, ``low <= value <= high``."""

    value: float
    low: float
    high: float

    def map(self, rising: Callable[[float], float]) -> "Interval":
        """A rising function of the figure, and of both ends."""
        return Interval(rising(self.value), rising(self.low), rising(self.high))

    def texts(self) -> tuple[str, str]:
        """The figure, and its interval, as tables have them."""
        return f"{self.value:.3g}", f"{self.low:.2g} to {self.high:.2g}"


def failures(predictions: NDArray[np.bool_], observables: NDArray[np.bool_]) -> int:
    """Count the shots in which any observable is predicted wrongly.

    Parameters
    ----------
    predictions, observables : bool [shots, k]

    Raises
    ------
    CascadeError
        If the shapes differ.
    """
    if predictions.shape != observables.shape:
        raise CascadeError(
            f"expected predictions of the observables' shape {list(observables.shape)}, got {list(predictions.shape)}"
        )
    return int(np.any(predictions != observables, axis=1).sum())


def wilson(failures: float, shots: float, confidence: float = 0.95) -> Interval:
    """Fraction of failed shots with its Wilson score interval.

    It contains the true rate with probability ``confidence``, on average over true rates. It stays inside
    [0, 1], and has a width even where nothing failed.

    Parameters
    ----------
    failures, shots
        Not necessarily whole: of shots that are not independent, as many as tell as much.
    confidence
        Of the interval.

    Raises
    ------
    CascadeError
        Unless ``0 <= failures <= shots``, ``shots > 0`` and ``0 < confidence < 1``.

    Examples
    --------
    >>> rate = wilson(3, 1000)
    >>> print(f"{rate.value:.4f} [{rate.low:.4f}, {rate.high:.4f}]")
    0.0030 [0.0010, 0.0088]
    """
    if not (shots > 0 and 0 <= failures <= shots and 0 < confidence < 1):
        raise CascadeError(
            "expected 0 <= failures <= shots, shots > 0 and 0 < confidence < 1, "
            f"got failures = {failures}, shots = {shots}, confidence = {confidence}"
        )
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    fraction = failures / shots
    centre = (fraction + z**2 / (2 * shots)) / (1 + z**2 / shots)
    half = z * math.sqrt(fraction * (1 - fraction) / shots + (z / (2 * shots)) ** 2) / (1 + z**2 / shots)
    # At the ends the formula gives exactly 0 and 1 but for rounding.
    return Interval(
        value=fraction,
        low=0.0 if failures == 0 else centre - half,
        high=1.0 if failures == shots else centre + half,
    )


def per_logical_per_cycle(block: Interval, *, k: int, rounds: int) -> Interval:
    """Logical error rate of one logical qubit in one cycle, from the block error over all k and all cycles.

    With the block error P, ``q = 1 - (1 - P)^(1/k)`` is the error of one of k independent logical qubits over
    the whole shot, and ``(1 - (1 - 2 q)^(1/rounds)) / 2`` the rate of flips per cycle of which an odd number
    makes up q. It is 1/2, that of a coin, where q is 1/2 or more. The interval's ends are converted alike.

    This is not ``sinter.shot_error_rate_to_piece_error_rate(pieces=rounds, values=k)``, which is the rate per
    cycle of *any* of the k being wrong.

    Raises
    ------
    CascadeError
        If ``k`` or ``rounds`` is below 1.

    Examples
    --------
    >>> print(f"{per_logical_per_cycle(wilson(50, 1000), k=12, rounds=6).value:.2e}")
    7.13e-04
    """
    if k < 1 or rounds < 1:
        raise CascadeError(f"expected k >= 1 and rounds >= 1, got k = {k}, rounds = {rounds}")

    def convert(p: float) -> float:
        # log1p and expm1 keep their digits where p is 1e-10 and below.
        q = -math.expm1(math.log1p(-p) / k) if p < 1 else 1.0
        return -0.5 * math.expm1(math.log1p(-2 * q) / rounds) if q < 0.5 else 0.5

    return block.map(convert)


@dataclass(frozen=True)
class Moments:
    """Sums from which a mean over independent shots and its interval follow; those of several runs can be added."""

    number: int = 0
    total: float = 0.0
    squares: float = 0.0

    @classmethod
    def of(cls, values: NDArray[np.float64]) -> "Moments":
        return cls(len(values), float(values.sum()), float((values**2).sum()))

    def __add__(self, other: "Moments") -> "Moments":
        return Moments(self.number + other.number, self.total + other.total, self.squares + other.squares)

    def mean(self) -> Interval:
        """Mean of values that are not negative, with the 95 % interval of the central limit theorem, cut off at 0."""
        mean = self.total / self.number
        variance = max(0.0, self.squares / self.number - mean**2) / max(1, self.number - 1)
        half = Z95 * math.sqrt(variance)
        return Interval(mean, max(0.0, mean - half), mean + half)
