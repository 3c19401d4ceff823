"""What a decoder says of a batch of shots."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class DecodeResult:
    """Predictions for a batch of shots.

    Attributes
    ----------
    observables : bool [shots, k]
        Whether each logical observable was flipped.
    probabilities : float32 [shots, k]
        P(observable flipped).
    confidence : float32 [shots]
        P(no observable wrong), the observables taken as independent given the shot.
    """

    observables: NDArray[np.bool_]
    probabilities: NDArray[np.float32]
    confidence: NDArray[np.float32]

    @classmethod
    def of_probabilities(cls, probabilities: NDArray[np.float32]) -> DecodeResult:
        """The likelier value of each observable."""
        confidence = np.maximum(probabilities, 1 - probabilities).prod(axis=1, dtype=np.float32)
        return cls(probabilities > 0.5, probabilities, confidence)
