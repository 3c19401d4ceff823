"""The mechanisms of a detector error model as faults, and sets of w of them."""

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
        possible = found.probability > 0
        probabilities = found.probability[possible]
        if not len(probabilities):
            raise CascadeError("expected a detector error model with error mechanisms, got one without any")
        if probabilities.max() >= 1:
            raise CascadeError(f"expected mechanisms of probability below 1, got one of {probabilities.max():g}")
        fault, observable = np.nonzero(found.observables)
        rows = np.concatenate([found.owner, fault])
        bits = np.concatenate([found.detector, found.detectors + observable])
        width = found.detectors + found.observables.shape[1]
        symptoms = np.zeros((len(possible), -(-width // 8)), np.uint8)
        np.bitwise_or.at(symptoms, (rows, bits >> 3), np.left_shift(1, bits & 7).astype(np.uint8))
        return cls(probabilities, symptoms[possible], found.detectors, found.observables.shape[1])

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


def drawn_sets(
    log_symmetric: NDArray[np.float64], faults: int, shots: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Draw sets of w mechanisms from their distribution given W = w (the conditional Bernoulli distribution).

    Mechanisms are met in their order. With j of them still to choose and all before i dealt with, the next
    one comes after t with probability e_j(t + 1, ...) / e_j(i, ...). That is inverted: the next one is where
    -log e_j has risen by an exponentially distributed amount, found by bisection.

    Parameters
    ----------
    log_symmetric : float64 [w or more + 1, mechanisms + 1]
        Of the odds of all mechanisms, from :func:`cascade_qec.evaluation.rare_events.symmetric.log_symmetric`.
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
        hazard = -log_symmetric[left]  # ascending along the mechanisms
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
