"""Rounds as bytes: slice after slice, each in whole bytes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cascade_qec.decoders import events
from cascade_qec.decoders.streams.timeline import Timeline
from cascade_qec.errors import CascadeError
from cascade_qec.serving.protocol_pb2 import Sizes


@dataclass(frozen=True)
class RoundSizes:
    """How many detectors each slice has: round t brings slice t, and the readout the last one.

    Attributes
    ----------
    slices : int
    first, turn, last : tuple of int
        Sizes of the first ones, of those that come again and again after them, and of the last ones.
    """

    slices: int
    first: tuple[int, ...]
    turn: tuple[int, ...] = ()
    last: tuple[int, ...] = ()

    @classmethod
    def of(cls, timeline: Timeline) -> RoundSizes:
        """Those of an experiment."""
        known, bulk, after = len(timeline.detectors), timeline.bulk, timeline.bulk + timeline.period
        if timeline.slices == known:
            return cls(known, tuple(map(len, timeline.detectors)))
        first, turn = range(bulk), range(bulk, after)
        last = range(timeline.slices - (known - after), timeline.slices)
        return cls(timeline.slices, *(tuple(map(timeline.size, part)) for part in (first, turn, last)))

    @classmethod
    def from_message(cls, message: Sizes) -> RoundSizes:
        """Those that a server tells."""
        return cls(message.slices, tuple(message.first), tuple(message.turn), tuple(message.last))

    def message(self) -> Sizes:
        """As a server tells them."""
        return Sizes(slices=self.slices, first=self.first, turn=self.turn, last=self.last)

    def __getitem__(self, t: int) -> int:
        if t < len(self.first):
            return self.first[t]
        if t >= self.slices - len(self.last):
            return self.last[t - self.slices]
        return self.turn[(t - len(self.first)) % len(self.turn)]

    def packed(self, first: int, detection_events: NDArray[np.bool_]) -> list[bytes]:
        """The events of whole slices, bool [detectors], as the bytes of each.

        Raises
        ------
        CascadeError
            If they are none, or not of whole slices.
        """
        parts: list[bytes] = []
        at = 0
        for size in self._from(first):
            if parts and at >= len(detection_events):
                break
            parts.append(np.packbits(detection_events[at : at + size], bitorder="little").tobytes())
            at += size
        if at != len(detection_events) or not parts:
            raise self._wrong(first, f"{len(detection_events)} detectors")
        return parts

    def unpacked(self, first: int, data: bytes, most: int) -> tuple[NDArray[np.bool_], int]:
        """What `packed` made bytes of, bool [detectors], and how many slices that are.

        Raises
        ------
        CascadeError
            If they are none or more than `most`, not of whole slices, or bits that stand for no detector are not 0.
        """
        sizes: list[int] = []
        end = 0
        for size in self._from(first):
            if sizes and end >= len(data):
                break
            if len(sizes) == most:
                raise CascadeError(f"expected at most {most:,} rounds in a message, got more")
            sizes.append(size)
            end += -(-size // 8)
        if end != len(data) or not sizes:
            raise self._wrong(first, f"{len(data)} bytes")
        if len(set(sizes)) == 1:
            return _unpacked(data, sizes[0]), len(sizes)
        parts: list[NDArray[np.bool_]] = []
        at = 0
        for size in sizes:
            width = -(-size // 8)
            parts.append(_unpacked(data[at : at + width], size))
            at += width
        return np.concatenate(parts), len(sizes)

    def _from(self, first: int) -> Iterator[int]:
        return (self[t] for t in range(first, self.slices))

    def _wrong(self, first: int, got: str) -> CascadeError:
        if first >= self.slices:
            return CascadeError(f"expected no more rounds after the readout, got {got}")
        size = self[first]
        readout = " (the readout)" if first == self.slices - 1 else ""
        return CascadeError(
            f"expected the events of whole rounds, {size} detectors in {-(-size // 8)} bytes for slice {first + 1} "
            f"of {self.slices}{readout}, got {got}"
        )


def _unpacked(data: bytes, size: int) -> NDArray[np.bool_]:
    """The bits of slices that are all of one size, bool [slices * size]."""
    given = np.frombuffer(data, dtype=np.uint8).reshape(-1, max(1, -(-size // 8)))
    if size % 8 and (given[:, -1] >> (size % 8)).any():
        raise CascadeError(f"expected bits after the {size} detectors of a slice that are 0, got such that are 1")
    return events.unpacked(given, size).ravel()
