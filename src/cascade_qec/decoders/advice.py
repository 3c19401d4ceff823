"""What a local model believes of a shot's errors, told to a search that decides the shots which the model doubts."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cascade_qec.decoders import events
from cascade_qec.decoders.bound import Bound
from cascade_qec.decoders.classical.decoder import BoundClassical
from cascade_qec.decoders.classical.lowest import LowestSearch
from cascade_qec.decoders.local import BoundLocal
from cascade_qec.decoders.protocol import BoundDecoder
from cascade_qec.decoders.result import DecodeResult
from cascade_qec.error_models import Mechanisms


def advised(first: BoundDecoder, second: BoundDecoder) -> BoundDecoder:
    """The second decoder, told what the first one believes, if that is a local model and it is `bposd-lowest`."""
    if not isinstance(first, BoundLocal) or not isinstance(second, BoundClassical):
        return second
    search = second.predict
    return BoundAdvised(first, second, search) if isinstance(search, LowestSearch) else second


class BoundAdvised(Bound[DecodeResult]):
    """A search for likely errors that also tries them in the order in which a local model believes them."""

    def __init__(self, first: BoundLocal, second: BoundClassical, search: LowestSearch) -> None:
        self.name, self.num_detectors, self.num_observables = second.name, second.num_detectors, second.num_observables
        self.flips, self.check = second.flips, second.check
        self._search = search
        self._parts = [
            (part, _components(part.components.of_mechanism, first.mechanisms, search.errors)) for part in first.parts
        ]

    def _decode(self, detection_events: NDArray[Any], bit_packed: bool) -> DecodeResult:
        packed = detection_events if bit_packed else events.packed(detection_events)
        shots = events.unpacked(packed, self.num_detectors)
        return self._search(shots, lambda some: self.beliefs(packed[some]))

    def beliefs(self, packed: NDArray[np.uint8]) -> NDArray[np.float32]:
        """By how much the model finds each error likelier, given the events: log-odds, float32 [shots, errors]."""
        beliefs = np.zeros((len(packed), len(self._search.errors.probability)), dtype=np.float32)
        for part, component in self._parts:
            likelier = np.where(part.unknown, 0, part.log_odds(packed) - part.prior_log_odds)
            beliefs += np.append(likelier, np.zeros((len(packed), 1), np.float32), axis=1)[:, component]
        return beliefs


def _components(of_mechanism: NDArray[np.int64], mechanisms: Mechanisms, errors: Mechanisms) -> NDArray[np.int64]:
    """The component of each error, -1 for none, from that of each mechanism that flips the same."""
    named, first = np.unique(mechanisms.names(), return_index=True)
    wanted = errors.names()
    at = np.minimum(np.searchsorted(named, wanted), len(named) - 1)
    return np.where(named[at] == wanted, of_mechanism[first[at]], -1)
