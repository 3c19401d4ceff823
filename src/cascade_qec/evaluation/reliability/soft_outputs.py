"""What decoders say of how sure they are, beyond a confidence."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
import stim
from numpy.typing import NDArray

from cascade_qec.decoders import events
from cascade_qec.decoders.bound import Bound
from cascade_qec.decoders.plausibility import ShotCheck
from cascade_qec.decoders.protocol import BoundDecoder
from cascade_qec.decoders.result import DecodeResult
from cascade_qec.error_models import error_model, unlikely
from cascade_qec.errors import CascadeError


@dataclass(frozen=True, repr=False, eq=False, kw_only=True)
class SoftResult(DecodeResult):
    """Predictions, and how sure each of the decoder's methods is of them.

    Attributes
    ----------
    scores : float64 [shots, methods]
        The higher, the surer.
    """

    scores: NDArray[np.float64]


class SoftDecoder(Bound[SoftResult]):
    """A classical decoder with soft outputs, bound to an experiment.

    Attributes
    ----------
    methods
        What tables call its scores.
    """

    methods: ClassVar[tuple[str, ...]]

    @classmethod
    @abstractmethod
    def of(cls, dem: stim.DetectorErrorModel) -> Self:
        """Prepare for the shots of a memory experiment's error model."""

    @abstractmethod
    def outputs(self, dets: NDArray[np.bool_]) -> SoftResult:
        """Decode detection events bool [shots, detectors] of the whole model."""

    def _decode(self, detection_events: NDArray, bit_packed: bool) -> SoftResult:
        return self.outputs(events.unpacked(detection_events, self.num_detectors) if bit_packed else detection_events)


@dataclass(frozen=True)
class Rival:
    """A classical decoder with soft outputs, as a `Decoder` that is not yet bound."""

    bound: type[SoftDecoder]

    @property
    def name(self) -> str:
        return self.bound.name

    def bind(self, experiment: stim.Circuit | stim.DetectorErrorModel, /) -> SoftDecoder:
        """Prepare for an experiment's shots.

        Raises
        ------
        CascadeError
            If the decoder's package is missing, or it cannot decode such errors.
        """
        if isinstance(experiment, stim.Circuit):
            experiment = error_model(experiment)
        dem, flips = unlikely(experiment)
        bound = self.bound.of(dem)
        bound.flips = flips
        bound.check = ShotCheck(experiment, self.name, strength_known=True)
        return bound


CONFIDENCE = "confidence"
"""The way in which decoders tell how sure they are that have no other."""


def methods(decoder: BoundDecoder) -> tuple[str, ...]:
    """The ways in which a decoder tells how sure it is: its own, or its confidence."""
    return decoder.methods if isinstance(decoder, SoftDecoder) else (CONFIDENCE,)


def scores(result: DecodeResult, name: str) -> NDArray[np.float64]:
    """How sure a decoder of that name is by each of its methods, float64 [shots, methods].

    Of a confidence it is the log-odds: these still tell apart what a float64 rounds to 1, those above 37.

    Raises
    ------
    CascadeError
        If it does not say.
    """
    if isinstance(result, SoftResult):
        return result.scores
    if result.log_odds is None:
        raise CascadeError(f"expected a decoder that tells its confidence, got {name}, which does not")
    return result.log_odds[:, None].astype(np.float64)
