"""Streams for local models: the network reads what was measured, and the search explains what is left of it.

The posteriors of a window are those of the whole history, as far as the network sees: it is given the rounds around
what is decided as they were measured. Only the search is cut into windows.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cascade_qec.components import UNKNOWN
from cascade_qec.decoders import events
from cascade_qec.decoders.local import BoundLocal, LocalDecoder, LocalPart
from cascade_qec.decoders.result import DecodeResult
from cascade_qec.decoders.streams.timeline import Timeline, slice_of_detector
from cascade_qec.decoders.streams.whole import WholeSolver
from cascade_qec.decoders.streams.windows import Commitment, Method, Solver, Window, Windows
from cascade_qec.errors import CascadeError


class LocalWindows(Windows):
    """A local model that is given a window's events as they were measured, with some rounds before."""

    def __init__(
        self, decoder: LocalDecoder, timeline: Timeline, *, commit: int, buffer: int, context: int, method: Method
    ) -> None:
        super().__init__(timeline, commit=commit, buffer=buffer, context=context, method=method, name=decoder.name)
        self._decoder = decoder
        self._bound: BoundLocal = decoder.bind(timeline.experiment)
        if self._bound.flips is not None:
            raise CascadeError("expected errors of probability 1/2 at most in a stream, got a likelier one")
        self.num_observables = self._bound.num_observables
        arrival = np.empty(self._bound.num_detectors, dtype=np.int64)
        for t, detectors in enumerate(timeline.detectors):
            arrival[detectors] = t
        for part in self._bound.parts:
            placed = part.lattice.detector_sites >= 0
            if (slice_of_detector(part.lattice) != arrival)[placed].any():
                raise CascadeError(
                    "expected detectors whose coordinate of time tells the round that brings them, got others"
                )
        self._arrival = arrival

    def _made(self, window: Window) -> Solver:
        if window.first == 0 and window.stop == self.slices:
            return WholeSolver(self._decoder, self.timeline)
        return _LocalSolver([self._part(part, window) for part in self._bound.parts], self.timeline, window)

    def _part(self, whole: LocalPart, window: Window) -> _Part:
        shown = np.concatenate(self.timeline.detectors[window.context : window.until])
        lattice, moved = whole.lattice.window(window.context, window.until, shown)
        components, start = whole.components, whole.components.start
        at = self._arrival[components.detector]  # [entries]
        allowed, committed = window.errors(np.minimum.reduceat(at, start[:-1]), np.maximum.reduceat(at, start[:-1]))
        inside = (at >= window.first) & (at < window.stop)
        stays = inside if window.kind == "seam" else inside & (at >= window.commit)
        of_entry = np.repeat(np.arange(len(components)), np.diff(start))
        # the detectors that committed components flip and others have to explain are observables, too
        left = stays & committed[of_entry]
        beyond, column = np.unique(components.detector[left], return_inverse=True)
        flipped = np.zeros((len(components), len(beyond)), dtype=np.uint8)
        flipped[of_entry[left], column] = 1
        observables = np.hstack([components.observables * committed[:, None], flipped])

        number = np.full(self._bound.num_detectors, -1)
        number[shown] = np.arange(len(shown))
        used = inside & allowed[of_entry]
        weight = np.bincount(of_entry[used], minlength=len(components))[allowed]
        owner = moved[components.owner[allowed]]
        chosen = replace(
            components,
            of_mechanism=np.empty(0, dtype=np.int64),
            prior=components.prior[allowed],
            detector=number[components.detector[used]],
            start=np.concatenate([[0], np.cumsum(weight)]),
            observables=observables[allowed],
            owner=np.maximum(owner, 0),
            type=np.where(owner >= 0, components.type[allowed], UNKNOWN),
        )
        noise = None
        if whole.noise is not None:
            noise = np.empty((lattice.sites, whole.noise.shape[1]), dtype=np.float32)
            noise[moved[moved >= 0]] = whole.noise[moved >= 0]
        return _Part(LocalPart(self._decoder, lattice, chosen, noise), number[beyond])


class _Part(NamedTuple):
    """A window of one basis, and the detectors that its observables beyond the experiment's stand for."""

    part: LocalPart
    beyond: NDArray[np.int64]


class _LocalSolver(Solver):
    def __init__(self, parts: list[_Part], timeline: Timeline, window: Window) -> None:
        self._parts = parts
        before = timeline.detectors[window.context : window.first]
        self._before = sum(map(len, before))

    def __call__(self, seen: NDArray[np.bool_], left: NDArray[np.bool_]) -> Commitment:
        inside = slice(self._before, self._before + left.shape[1])
        to_explain, flips, packed = np.zeros_like(seen), np.zeros_like(seen), events.packed(seen)
        to_explain[:, inside] = left
        answers: list[NDArray[np.bool_]] = []
        for part, beyond in self._parts:
            found = part.search(part.log_odds(packed), to_explain)
            answers.append(found[:, : found.shape[1] - len(beyond)])
            flips[:, beyond] ^= found[:, found.shape[1] - len(beyond) :]
        return Commitment(DecodeResult(np.bitwise_xor.reduce(answers)), flips[:, inside])
