"""What the bound decoders of this package share: one door for events, one shot alone, and likely errors undone."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cascade_qec.decoders import events
from cascade_qec.decoders.result import DecodeResult
from cascade_qec.error_models import Flips

Result = TypeVar("Result", bound=DecodeResult, covariant=True)


class Bound(ABC, Generic[Result]):
    """A bound decoder that is given checked events. A subclass says what it makes of them.

    Attributes
    ----------
    name
        What errors call it.
    num_detectors, num_observables
        Of the experiment, columns of events and of predictions.
    flips
        What the experiment's errors of probability above 1/2 flip. A subclass is given events without that, as of an
        experiment in which none of them is likelier than not; observables get it back here.
    """

    name: str
    num_detectors: int
    num_observables: int
    flips: Flips | None = None

    @abstractmethod
    def _decode(self, detection_events: NDArray[Any], bit_packed: bool) -> Result:
        """Decode events that are of the shape and type that `bit_packed` calls for."""

    def decode_batch(
        self, detection_events: ArrayLike, *, bit_packed: bool = False, bit_packed_shots: bool = False
    ) -> Result:
        """Decode a batch of any size; each shot's result is its own, whatever surrounds it.

        Parameters
        ----------
        detection_events
            bool (or uint8 0 and 1) [shots, detectors], or with `bit_packed` uint8 [shots, ceil(detectors / 8)], bit 0
            of byte 0 being detector 0 (as `stim` packs).
        bit_packed
            Whether the input is packed.
        bit_packed_shots
            PyMatching's name for the same.

        Raises
        ------
        CascadeError
            If the array is of another shape or type; the message gives both.
        """
        packed = bit_packed or bit_packed_shots
        checked = events.checked(detection_events, self.num_detectors, packed, whose=self.name)
        if self.flips is None:
            return self._decode(checked, packed)
        undone = events.packed(self.flips.detectors[None]) if packed else self.flips.detectors
        return self._decode(checked ^ undone, packed).flipped(self.flips.observables)

    def decode(self, detection_events: ArrayLike) -> NDArray[np.bool_]:
        """Decode one shot.

        Parameters
        ----------
        detection_events
            bool (or uint8 0 and 1) [detectors].

        Returns
        -------
        bool [k]
            Whether each observable was flipped.

        Raises
        ------
        CascadeError
            If the array is of another shape or type; the message gives both.
        """
        return self.decode_batch(np.asarray(detection_events)[None]).observables[0]

    def __repr__(self) -> str:
        return f"<{self.name}, bound: {self.num_detectors} detectors, {self.num_observables} observables>"
