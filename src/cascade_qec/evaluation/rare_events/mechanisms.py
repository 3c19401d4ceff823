"""The error mechanisms of a detector error model, ready to be drawn by the thousand."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import stim
from numpy.typing import NDArray

from cascade_qec.decoders.projection import mechanisms
from cascade_qec.errors import CascadeError


@dataclass(frozen=True)
class Mechanisms:
    """Independent error mechanisms, in the order of their model; those of probability 0 are left out.

    Attributes
    ----------
    probabilities : float64 [mechanisms]
        Each in (0, 1).
    symptoms : uint8 [mechanisms, ceil((detectors + observables) / 8)]
        What each flips: detectors, then observables, packed as Stim packs, the first in bit 0 of byte 0.
    num_detectors, num_observables
        As in the model.
    """

    probabilities: NDArray[np.float64]
    symptoms: NDArray[np.uint8]
    num_detectors: int
    num_observables: int

    @classmethod
    def of_model(cls, model: stim.DetectorErrorModel) -> "Mechanisms":
        """Take the mechanisms out of a model. Decompositions that it suggests (``^``) are put together again.

        Raises
        ------
        CascadeError
            If the model has no mechanisms, or one that is certain.
        """
        found = [(p, parts) for p, parts in mechanisms(model) if p > 0]
        if not found:
            raise CascadeError("expected a detector error model with error mechanisms, got one without any")
        probabilities = np.array([p for p, _ in found])
        if probabilities.max() >= 1:
            raise CascadeError(f"expected mechanisms of probability below 1, got one of {probabilities.max():g}")
        detectors, observables = model.num_detectors, model.num_observables
        symptoms = np.empty((len(found), -(-(detectors + observables) // 8)), np.uint8)
        bits = np.zeros(detectors + observables, np.bool_)
        for i, (_, parts) in enumerate(found):
            bits[:] = False
            for target in (target for part in parts for target in part):
                bits[target.val + (detectors if target.is_logical_observable_id() else 0)] ^= True
            symptoms[i] = np.packbits(bits, bitorder="little")
        return cls(probabilities, symptoms, detectors, observables)

    @property
    def log_odds(self) -> NDArray[np.float64]:
        """Logarithm of q / (1 - q) of each mechanism: float64 [mechanisms]."""
        return np.log(self.probabilities) - np.log1p(-self.probabilities)

    def outcomes(self, sets: NDArray[np.integer]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """What is seen when exactly the mechanisms of a set happen.

        Parameters
        ----------
        sets : int [shots, faults]
            Indices of mechanisms.

        Returns
        -------
        detectors : bool [shots, detectors]
        observables : bool [shots, observables]
        """
        packed = np.zeros((len(sets), self.symptoms.shape[1]), np.uint8)
        for column in sets.T:
            packed ^= self.symptoms[column]
        width = self.num_detectors + self.num_observables
        flips = np.unpackbits(packed, axis=1, count=width, bitorder="little").view(np.bool_)
        return flips[:, : self.num_detectors], flips[:, self.num_detectors :]


def check_same_symptoms(family: Sequence[Mechanisms]) -> None:
    """Make sure that models differ in probabilities only.

    Raises
    ------
    CascadeError
        If they differ in their mechanisms or in the order of these.
    """
    for other in family[1:]:
        if not np.array_equal(other.symptoms, family[0].symptoms):
            raise CascadeError(
                "expected one circuit at several noise strengths, with the same mechanisms at each; "
                f"got models of {len(family[0].symptoms)} and {len(other.symptoms)} mechanisms that differ"
            )
