"""What the bound decoders of this package share: how events come in, and what is done before they are decoded."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cascade_qec.decoders import events
from cascade_qec.decoders.plausibility import ShotCheck
from cascade_qec.decoders.protocol import BoundDecoder
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
    check
        Looks at the first shots, and warns if they cannot be the experiment's.
    """

    name: str
    num_detectors: int
    num_observables: int
    flips: Flips | None = None
    check: ShotCheck | None = None

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

        Warns
        -----
        CascadeWarning
            Once, if the first thousands of shots cannot be those of the experiment: if they are of another basis, say,
            or of another order of detectors. See `decode_chosen` for shots that are not sampled one like the other.
        """
        packed = bit_packed or bit_packed_shots
        checked = events.checked(detection_events, self.num_detectors, packed, whose=self.name)
        if self.check is not None:
            self.check.see(checked, self.num_detectors, bit_packed=packed)
        return self._undone(checked, packed)

    def decode_chosen(self, detection_events: ArrayLike, *, bit_packed: bool = False) -> Result:
        """Decode shots that were chosen for what they are, and so say nothing of how likely events are."""
        checked = events.checked(detection_events, self.num_detectors, bit_packed, whose=self.name)
        return self._undone(checked, bit_packed)

    def _undone(self, detection_events: NDArray[Any], packed: bool) -> Result:
        if self.flips is None:
            return self._decode(detection_events, packed)
        undone = events.packed(self.flips.detectors[None]) if packed else self.flips.detectors
        return self._decode(detection_events ^ undone, packed).flipped(self.flips.observables)

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


def decode_chosen(decoder: BoundDecoder, detection_events: NDArray[Any], *, bit_packed: bool = False) -> DecodeResult:
    """Decode shots that were chosen for what they are with any decoder, see `Bound.decode_chosen`."""
    if isinstance(decoder, Bound):
        return decoder.decode_chosen(detection_events, bit_packed=bit_packed)
    return decoder.decode_batch(detection_events, bit_packed=bit_packed)


def decode_distinct(decoder: BoundDecoder, detection_events: NDArray[np.uint8]) -> DecodeResult:
    """Decode packed shots, uint8 [shots, ceil(detectors / 8)], each distinct one once.

    At low noise most shots of a small code are alike.
    """
    # One item a shot is compared byte by byte, several times as fast as by np.unique(detection_events, axis=0).
    items = np.ascontiguousarray(detection_events).view(f"V{detection_events.shape[1]}")[:, 0]
    _, first, which = np.unique(items, return_index=True, return_inverse=True)
    if isinstance(decoder, Bound) and decoder.check is not None:
        decoder.check.see(detection_events, decoder.num_detectors, bit_packed=True)
    return decode_chosen(decoder, detection_events[first], bit_packed=True)[which]
