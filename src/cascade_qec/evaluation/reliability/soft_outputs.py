"""Decoders that say how sure they are: Cascade's confidence, matching's gaps, the clusters of BP+LSD."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import stim
from numpy.typing import NDArray

from cascade_qec.decoders.cascade import CascadeDecoder


@dataclass(frozen=True)
class SoftOutputs:
    """What a decoder says of a batch of shots.

    Attributes
    ----------
    observables : bool [shots, k]
        Predicted flips.
    scores : float64 [shots] by name of method
        The higher, the surer.
    probabilities : float [shots, k] or None
        P(observable flipped), where the decoder gives any.
    confidence : float [shots] or None
        P(no observable wrong).
    """

    observables: NDArray[np.bool_]
    scores: Mapping[str, NDArray[np.float64]]
    probabilities: NDArray[np.floating] | None = None
    confidence: NDArray[np.floating] | None = None


class SoftDecoder(Protocol):
    """A decoder with soft outputs, bound to the shots of one detector error model."""

    @property
    def name(self) -> str: ...

    def decode(self, dets: NDArray[np.bool_]) -> SoftOutputs:
        """Decode detection events bool [shots, detectors] of the whole model."""
        ...


@dataclass(frozen=True)
class CascadeConfidence:
    """A model's own probabilities; the score is P(no observable wrong)."""

    decoder: CascadeDecoder

    @classmethod
    def of(cls, decoder: CascadeDecoder, circuit: stim.Circuit) -> CascadeConfidence:
        return cls(decoder.for_circuit(circuit))

    @property
    def name(self) -> str:
        return f"cascade:{self.decoder.description.name}"

    def decode(self, dets: NDArray[np.bool_]) -> SoftOutputs:
        result = self.decoder.decode_batch(dets)
        scores = {"confidence": result.confidence.astype(np.float64)}
        return SoftOutputs(result.observables, scores, result.probabilities, result.confidence)
