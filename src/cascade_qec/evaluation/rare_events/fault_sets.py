"""Sets of exactly w mechanisms: drawn at random as the noise would, or all of them in turn."""

from collections.abc import Iterator
from itertools import chain, combinations, islice

import numpy as np
from numpy.typing import NDArray

from cascade_qec.evaluation.rare_events.symmetric import log_symmetric


class FaultSets:
    """Draws sets of w mechanisms from their distribution given W = w (the conditional Bernoulli distribution).

    Parameters
    ----------
    log_odds : float64 [mechanisms]
        As `Faults.log_odds`.
    most
        The largest w that will be asked for.
    """

    def __init__(self, log_odds: NDArray[np.float64], most: int) -> None:
        # Ascending along the mechanisms.
        self._hazard = -log_symmetric(log_odds, most)

    def sample(self, faults: int, shots: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """Draw sets of `faults` mechanisms.

        Mechanisms are met in their order. With j of them still to choose and all before i dealt with, the next
        one comes after t with probability e_j(t + 1, ...) / e_j(i, ...). That is inverted: the next one is where
        -log e_j has risen by an exponentially distributed amount, found by bisection.

        Returns
        -------
        int64 [shots, faults]
            Ascending along each row.
        """
        chosen = np.empty((shots, faults), np.int64)
        position = np.zeros(shots, np.int64)
        for column, left in enumerate(range(faults, 0, -1)):
            hazard = self._hazard[left]
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
