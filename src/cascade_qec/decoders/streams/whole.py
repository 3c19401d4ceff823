"""Streams that are decoded in one piece, when the last round is there."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cascade_qec.decoders.bound import decode_chosen
from cascade_qec.decoders.protocol import Decoder
from cascade_qec.decoders.streams.timeline import Timeline
from cascade_qec.decoders.streams.windows import Commitment, Solver, Window, Windows


class WholeWindows(Windows):
    """One window, for decoders that take whole experiments only."""

    def __init__(self, decoder: Decoder, timeline: Timeline) -> None:
        super().__init__(timeline, commit=timeline.slices, buffer=1, context=0, method="carry", name=decoder.name)
        self._decoder = decoder
        self.num_observables = timeline.experiment.num_observables

    def _made(self, window: Window) -> Solver:
        return WholeSolver(self._decoder, self.timeline)


class WholeSolver(Solver):
    """A decoder that is bound to the experiment as it is."""

    def __init__(self, decoder: Decoder, timeline: Timeline) -> None:
        self._bound = decoder.bind(timeline.experiment)
        self._order = np.argsort(np.concatenate(timeline.detectors))

    def __call__(self, seen: NDArray[np.bool_], left: NDArray[np.bool_]) -> Commitment:
        result = decode_chosen(self._bound, left[:, self._order])
        return Commitment(result, np.zeros_like(left))
