"""What a decoder says of a batch of shots."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class DecodeResult:
    """Predictions for a batch of shots.

    Probabilities and confidence are always the network's. A fallback says which observables flipped and not how
    likely that is, so that where it decided (`escalated`) the confidence is the doubt for which it was asked, and a
    probability may lie on the other side of 1/2 than its observable.

    Attributes
    ----------
    observables : bool [shots, k]
        Whether each logical observable was flipped: the jointly likeliest values as the network sees it, of escalated
        shots the fallback's.
    probabilities : float32 [shots, k]
        P(observable flipped), as the network sees it.
    confidence : float32 [shots]
        P(no observable wrong) of the network's prediction.
    escalated : bool [shots]
        Whether the fallback decided; nowhere where there is none.
    """

    observables: NDArray[np.bool_]
    probabilities: NDArray[np.float32]
    confidence: NDArray[np.float32]
    escalated: NDArray[np.bool_]

    @classmethod
    def of_network(
        cls, observables: NDArray[np.bool_], probabilities: NDArray[np.float32], confidence: NDArray[np.float32]
    ) -> DecodeResult:
        """What the network says, no shot escalated."""
        return cls(observables, probabilities, confidence, np.zeros(len(observables), np.bool_))
