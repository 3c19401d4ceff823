"""The noise of one circuit at several strengths, by the number of faults."""

from collections.abc import Mapping

import numpy as np
import stim
from numpy.typing import NDArray

from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.rare_events.faults import (
    Faults,
    drawn_sets,
    log_symmetric,
    most_faults,
    number_of_faults,
)

# Shots with more faults than are ever considered; where it matters it is far below any rate that is estimated.
_TAIL = 1e-15


class FaultModel:
    """Sets of w faults are drawn at the largest noise strength; exact weights carry them over to the others.

    A fault is a mechanism of the circuit's detector error model. All probabilities of uniform noise grow nearly
    in proportion to p, so that given w faults it hardly matters at which p they happened, and the weights are
    near 1. They are exact for any noise.

    Parameters
    ----------
    models
        Detector error models of one circuit, by noise strength.

    Attributes
    ----------
    ps : tuple of float
        The strengths, ascending.
    faults : Faults
        At the largest strength.
    most : int
        Largest number of faults considered.
    numbers : float64 [ps, most + 1]
        P(W = w) at each strength.
    tails : float64 [ps]
        Bounds on P(W > most).

    Raises
    ------
    CascadeError
        If the models differ in more than probabilities.
    """

    def __init__(self, models: Mapping[float, stim.DetectorErrorModel]) -> None:
        self.ps = tuple(sorted(models))
        family = [Faults.of(models[p]) for p in self.ps]
        for other in family[1:]:
            if not np.array_equal(other.symptoms, family[0].symptoms):
                raise CascadeError(
                    "expected one circuit at several noise strengths, with the same mechanisms at each; "
                    f"got models of {len(family[0].symptoms)} and {len(other.symptoms)} mechanisms that differ"
                )
        self.faults = family[-1]
        self.most = max(most_faults(member.probabilities, _TAIL) for member in family)
        self._log_odds = np.array([member.log_odds for member in family])
        tables = [log_symmetric(odds, self.most) for odds in self._log_odds]
        self._log_tails = tables[-1]
        self._log_symmetric = np.array([table[:, 0] for table in tables])
        laws = [number_of_faults(m.probabilities, s) for m, s in zip(family, self._log_symmetric, strict=True)]
        self.numbers = np.array([numbers for numbers, _ in laws])
        self.tails = np.array([tail for _, tail in laws])
        self._log_ratios = self._log_odds - self._log_odds[-1]
        self._log_norms = self._log_symmetric - self._log_symmetric[-1]

    def sample(self, faults: int, shots: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """Draw sets of faults at the largest strength: int64 [shots, faults], ascending along each row."""
        return drawn_sets(self._log_tails, faults, shots, rng)

    def conditional_probabilities(self, sets: NDArray[np.integer]) -> NDArray[np.float64]:
        """P(exactly this set | W = w) at each strength: float64 [ps, shots], from int [shots, w]."""
        faults = sets.shape[1]
        return np.exp(self._log_odds[:, sets].sum(axis=2) - self._log_symmetric[:, faults, None])

    def weights(self, sets: NDArray[np.integer]) -> NDArray[np.float64]:
        """Conditional probability at each strength over that at the largest; its mean over draws is 1.

        float64 [ps, shots], from int [shots, w].
        """
        faults = sets.shape[1]
        return np.exp(self._log_ratios[:, sets].sum(axis=2) - self._log_norms[:, faults, None])

    def largest_weights(self) -> NDArray[np.float64]:
        """The largest weight that any set of w faults has: float64 [ps, most + 1]."""
        largest_first = -np.sort(-self._log_ratios, axis=1)[:, : self.most]
        sums = np.cumsum(largest_first, axis=1)
        return np.exp(np.concatenate([np.zeros((len(self.ps), 1)), sums], axis=1) - self._log_norms)
