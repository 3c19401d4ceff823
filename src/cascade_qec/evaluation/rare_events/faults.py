"""The mechanisms of a detector error model as faults, sets of w of them, and how likely these are.

With odds o_i = q_i / (1 - q_i) and e_w the sum over all sets of w mechanisms of the product of their odds,

    P(exactly the set S) = prod_i (1 - q_i) * prod_{i in S} o_i
    P(W = w)             = prod_i (1 - q_i) * e_w
    P(S | W = w)         = prod_{i in S} o_i / e_w.

All terms are positive, so nothing cancels, and in logarithms the smallest keep their digits. (Convolution by
Fourier transforms is faster and loses everything below 1e-16.)
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, combinations, islice

import numpy as np
import stim
from numpy.typing import NDArray

from cascade_qec.error_models import Mechanisms
from cascade_qec.errors import CascadeError


@dataclass(frozen=True)
class Faults:
    """Independent faults, in the order of their model; those of probability 0 are left out.

    Attributes
    ----------
    probabilities : float64 [faults]
        Each in (0, 1).
    symptoms : uint8 [faults, ceil((detectors + observables) / 8)]
        What each flips: detectors, then observables, packed as Stim packs, the first in bit 0 of byte 0.
    detectors, observables
        How many the model has.
    """

    probabilities: NDArray[np.float64]
    symptoms: NDArray[np.uint8]
    detectors: int
    observables: int

    @classmethod
    def of(cls, model: stim.DetectorErrorModel) -> "Faults":
        """Take the faults out of a model.

        Raises
        ------
        CascadeError
            If the model has no mechanisms, or one that is certain.
        """
        found = Mechanisms.of(model)
        probabilities = found.probability
        if not len(probabilities):
            raise CascadeError("expected a detector error model with error mechanisms, got one without any")
        if probabilities.max() >= 1:
            raise CascadeError(f"expected mechanisms of probability below 1, got one of {probabilities.max():g}")
        fault, observable = np.nonzero(found.observables)
        rows = np.concatenate([found.owner, fault])
        bits = np.concatenate([found.detector, found.detectors + observable])
        width = found.detectors + found.observables.shape[1]
        symptoms = np.zeros((len(probabilities), -(-width // 8)), np.uint8)
        np.bitwise_or.at(symptoms, (rows, bits >> 3), np.left_shift(1, bits & 7).astype(np.uint8))
        return cls(probabilities, symptoms, found.detectors, found.observables.shape[1])

    @property
    def log_odds(self) -> NDArray[np.float64]:
        """Logarithm of q / (1 - q) of each fault: float64 [faults]."""
        return np.log(self.probabilities) - np.log1p(-self.probabilities)

    def outcomes(self, sets: NDArray[np.integer]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """What is seen when exactly the faults of a set happen, from their indices int [shots, faults].

        Returns
        -------
        detectors : bool [shots, detectors]
        observables : bool [shots, observables]
        """
        packed = np.zeros((len(sets), self.symptoms.shape[1]), np.uint8)
        for column in sets.T:
            packed ^= self.symptoms[column]
        width = self.detectors + self.observables
        flips = np.unpackbits(packed, axis=1, count=width, bitorder="little").view(np.bool_)
        return flips[:, : self.detectors], flips[:, self.detectors :]


def drawn_sets(tails: NDArray[np.float64], faults: int, shots: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw sets of w mechanisms from their distribution given W = w (the conditional Bernoulli distribution).

    Mechanisms are met in their order. With j of them still to choose and all before i dealt with, the next
    one comes after t with probability e_j(t + 1, ...) / e_j(i, ...). That is inverted: the next one is where
    -log e_j has risen by an exponentially distributed amount, found by bisection.

    Parameters
    ----------
    tails : float64 [w or more + 1, mechanisms + 1]
        From :func:`log_symmetric`.
    faults
        w.

    Returns
    -------
    int64 [shots, faults]
        Ascending along each row.
    """
    chosen = np.empty((shots, faults), np.int64)
    position = np.zeros(shots, np.int64)
    for column, left in enumerate(range(faults, 0, -1)):
        hazard = -tails[left]  # ascending along the mechanisms
        risen = hazard[position] + rng.standard_exponential(shots)
        # At least one further, also when the exponential was rounded away.
        position = np.maximum(np.searchsorted(hazard, risen), position + 1)
        chosen[:, column] = position - 1
    return chosen


def all_sets(mechanisms: int, faults: int, *, start: int, chunk: int) -> Iterator[NDArray[np.int64]]:
    """Every set of `faults` mechanisms from the `start`-th on, in lexicographic order.

    Yields
    ------
    int64 [at most chunk, faults]
    """
    sets = islice(combinations(range(mechanisms), faults), start, None)
    while batch := list(islice(sets, chunk)):
        flat = np.fromiter(chain.from_iterable(batch), np.int64, count=len(batch) * faults)
        yield flat.reshape(len(batch), faults)


def log_symmetric(log_odds: NDArray[np.float64], most: int) -> NDArray[np.float64]:
    """Logarithms of the elementary symmetric functions of every tail of a list of odds.

    Parameters
    ----------
    log_odds : float64 [mechanisms]
    most
        Highest degree.

    Returns
    -------
    float64 [most + 1, mechanisms + 1]
        ``[w, t]`` is log e_w of the odds t, t + 1, ...; -inf where fewer than w are left.
    """
    table = np.full((most + 1, len(log_odds) + 1), -np.inf)
    table[0] = 0.0
    for w in range(1, most + 1):
        # The first of the w mechanisms is s >= t, the others come after it.
        first = log_odds + table[w - 1, 1:]
        table[w, :-1] = np.logaddexp.accumulate(first[::-1])[::-1]
    return table


def number_of_faults(
    probabilities: NDArray[np.float64], log_symmetric_of_all: NDArray[np.float64]
) -> tuple[NDArray[np.float64], float]:
    """Distribution of the number W of mechanisms that happen (Poisson binomial).

    Parameters
    ----------
    probabilities : float64 [mechanisms]
    log_symmetric_of_all : float64 [most + 1]
        log e_w of all odds: column 0 of :func:`log_symmetric`.

    Returns
    -------
    float64 [most + 1]
        P(W = w).
    float
        A number that P(W > most) does not exceed, from :func:`tail_bound`.
    """
    nothing = np.log1p(-probabilities).sum()
    most = len(log_symmetric_of_all) - 1
    if most >= len(probabilities):
        return np.exp(nothing + log_symmetric_of_all), 0.0
    tail = tail_bound(float(nothing + log_symmetric_of_all[-1]), most, _sum_of_odds(probabilities))
    return np.exp(nothing + log_symmetric_of_all), tail


def tail_bound(log_probability: float, most: int, sum_of_odds: float) -> float:
    """A number that P(W > most) does not exceed, given log P(W = most) or a bound on it.

    Every set of w + 1 mechanisms consists in w + 1 ways of one and w others, so (w + 1) e_{w+1} <= e_1 e_w, and
    the tail is below a geometric series of ratio e_1 / (most + 2) from its second term on.
    """
    ratio = sum_of_odds / (most + 2)
    if ratio >= 1:
        return 1.0
    return min(1.0, math.exp(log_probability) * sum_of_odds / (most + 1) / (1 - ratio))


def most_faults(probabilities: NDArray[np.float64], tail: float) -> int:
    """A number of faults that is exceeded with a probability of at most `tail`; not always the smallest."""
    odds = _sum_of_odds(probabilities)
    nothing = float(np.log1p(-probabilities).sum())
    for w in range(len(probabilities)):
        # e_w <= e_1^w / w!, by the same argument.
        if tail_bound(nothing + w * math.log(odds) - math.lgamma(w + 1), w, odds) <= tail:
            return w
    return len(probabilities)


def _sum_of_odds(probabilities: NDArray[np.float64]) -> float:
    return float((probabilities / (1 - probabilities)).sum())
