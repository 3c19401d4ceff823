"""The mechanisms of a detector error model as faults, ready to be drawn by the thousand."""

from dataclasses import dataclass

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
        """What is seen when exactly the faults of a set happen.

        Parameters
        ----------
        sets : int [shots, faults]
            Indices of faults.

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
