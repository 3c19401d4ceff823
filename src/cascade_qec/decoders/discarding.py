"""Decoders that discard the shots they doubt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import stim
from numpy.typing import NDArray

from cascade_qec.decoders.protocol import BoundDecoder, Decoder, at, require_confidence
from cascade_qec.decoders.result import DecodeResult
from cascade_qec.errors import CascadeError


@dataclass(frozen=True)
class Discarding:
    """A decoder that knows its confidence, and discards the shots below a threshold (`DecodeResult.discarded`).

    Parameters
    ----------
    decoder
        What decodes.
    below
        Shots whose confidence, P(no observable wrong), is less are discarded.

    Raises
    ------
    CascadeError
        If the threshold is not in (0, 1].
    """

    decoder: Decoder
    below: float

    def __post_init__(self) -> None:
        if not 0 < self.below <= 1:
            raise CascadeError(
                f"{self.decoder.name}: expected a threshold of confidence above 0 and up to 1, got {self.below}"
            )

    @property
    def name(self) -> str:
        return self.decoder.name + at(self.below)

    @property
    def parameters(self) -> Mapping[str, object]:
        """The decoder's, and the threshold."""
        return {**getattr(self.decoder, "parameters", {}), "discard_below": self.below}

    def bind(self, experiment: stim.Circuit | stim.DetectorErrorModel, /) -> BoundDiscarding:
        """Bind the decoder.

        Raises
        ------
        CascadeError
            If it tells no confidence on this experiment.
        """
        bound = self.decoder.bind(experiment)
        require_confidence(bound, self.decoder.name)
        return BoundDiscarding(bound, self.below, self.name)


@dataclass(frozen=True)
class BoundDiscarding:
    """A bound decoder that discards the shots it doubts."""

    decoder: BoundDecoder
    below: float
    name: str

    def decode_batch(self, detection_events: NDArray, *, bit_packed: bool = False) -> DecodeResult:
        """Decode as the decoder does, and say which shots are discarded.

        Raises
        ------
        CascadeError
            If the decoder does not know its confidence.
        """
        result = self.decoder.decode_batch(detection_events, bit_packed=bit_packed)
        return replace(result, discarded=result.confidence_of(self.name) < self.below)
