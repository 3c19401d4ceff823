"""Streams for local models: the network reads what was measured, and the search explains what is left of it.

The posteriors of a window are those of the whole history, as far as the network sees: it is given the rounds around
what is decided as they were measured. Only the search is cut into windows.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cascade_qec.components import UNKNOWN, Components, OrderedStatistics, PosteriorMatching, decides
from cascade_qec.decoders import events
from cascade_qec.decoders.local import BoundLocal, LocalDecoder, LocalPart
from cascade_qec.decoders.result import DecodeResult
from cascade_qec.decoders.streams.timeline import Timeline
from cascade_qec.decoders.streams.whole import WholeSolver
from cascade_qec.decoders.streams.windows import Commitment, Method, Solver, Window, Windows
from cascade_qec.engine import together
from cascade_qec.errors import CascadeError
from cascade_qec.model import Calibration


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
        self._arrival = timeline.arrival
        for part in self._bound.parts:
            placed = part.lattice.detector_sites >= 0
            if (part.lattice.detector_slices != self._arrival)[placed].any():
                raise CascadeError(
                    "expected detectors whose coordinate of time tells the round that brings them, got others"
                )
            self._check_reach(*self._ends(part.components))

    def _made(self, window: Window) -> Solver:
        if window.first == 0 and window.stop == self.slices:
            return WholeSolver(self._decoder, self.timeline)
        parts = [self._part(part, window) for part in self._bound.parts]
        calibration = self._decoder.description.calibration
        told = window.kind != "seam" and all(part.enclosed.tells_gaps for part in parts)
        before = self.timeline.detectors[window.context : window.first]
        return _LocalSolver(parts, calibration if told else None, sum(map(len, before)), window)

    def _ends(self, components: Components) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The slices of the first and of the last detector that each flips, int64 [components]."""
        at, start = self._arrival[components.detector], components.start[:-1]
        return np.minimum.reduceat(at, start), np.maximum.reduceat(at, start)

    def _part(self, whole: LocalPart, window: Window) -> _Part:
        shown = np.concatenate(self.timeline.detectors[window.context : window.until])
        number = np.full(self._bound.num_detectors, -1)
        number[shown] = np.arange(len(shown))
        lattice, moved = whole.lattice.window(window.context, window.until, shown)
        components = whole.components
        of_entry = components.of_entry
        at = self._arrival[components.detector]  # [entries]
        allowed, committed = window.errors(*self._ends(components))
        inside = (at >= window.first) & (at < window.stop)
        crosses = np.bincount(of_entry[~inside], minlength=len(components)) > 0
        # what committed components flip and others have to explain, and what is flipped by those that lead out of the
        # window, is told by further observables
        stays = inside if window.kind == "seam" else inside & (at >= window.commit)
        beyond, told_beyond = _told(components, stays & committed[of_entry])
        outward, told_outward = _told(components, inside & (allowed & crosses)[of_entry])
        observables = np.hstack([components.observables * committed[:, None], told_beyond, told_outward])

        used = inside & allowed[of_entry]
        owner = moved[components.owner]
        seen = replace(
            components,
            of_mechanism=np.empty(0, dtype=np.int64),
            detector=np.where(inside, number[components.detector], -1),
            owner=np.maximum(owner, 0),
            type=np.where(owner >= 0, components.type, UNKNOWN),
        )
        noise = None
        if whole.noise is not None:
            noise = np.empty((lattice.sites, whole.noise.shape[1]), dtype=np.float32)
            noise[moved[moved >= 0]] = whole.noise[moved >= 0]
        enclosed = allowed & ~crosses
        return _Part(
            LocalPart(self._decoder, lattice, seen.chosen(allowed, used, observables), noise),
            number[beyond],
            number[outward],
            enclosed[allowed],
            decides(seen.chosen(enclosed, enclosed[of_entry])),
        )


def _told(components: Components, entries: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """The detectors of some entries, and whether each component has one: int64 [found], uint8 [components, found]."""
    detectors, column = np.unique(components.detector[entries], return_inverse=True)
    told = np.zeros((len(components), len(detectors)), dtype=np.uint8)
    told[components.of_entry[entries], column] = 1
    return detectors, told


class _Part(NamedTuple):
    """A window of one basis.

    Attributes
    ----------
    part
    beyond, outward : int64 [detectors]
        What its observables after the experiment's stand for: flips by committed components, and by those that lead out
        of the window.
    encloses : bool [components]
        Those that do not.
    enclosed
        What compares the two likeliest answers by those alone.
    """

    part: LocalPart
    beyond: NDArray[np.int64]
    outward: NDArray[np.int64]
    encloses: NDArray[np.bool_]
    enclosed: PosteriorMatching | OrderedStatistics


class _LocalSolver(Solver):
    """
    How sure a window is, is what the gap inside it is worth. A logical error is as likely in each of its rounds, and
    those that are decided have their share of it.
    """

    def __init__(self, parts: list[_Part], calibration: Calibration | None, before: int, window: Window) -> None:
        self._parts, self._calibration, self._before = parts, calibration, before
        share = (window.commit - window.first) / (window.stop - window.first)
        self._surer = -np.log(share)

    def __call__(self, seen: NDArray[np.bool_], left: NDArray[np.bool_]) -> Commitment:
        inside = slice(self._before, self._before + left.shape[1])
        to_explain, flips, packed = np.zeros_like(seen), np.zeros_like(seen), events.packed(seen)
        to_explain[:, inside] = left
        answers: list[NDArray[np.bool_]] = []
        worth: list[NDArray[np.floating]] = []
        for one in self._parts:
            log_odds = one.part.log_odds(packed)
            found = one.part.search(log_odds, to_explain)
            outward = found.shape[1] - len(one.outward)
            k = outward - len(one.beyond)
            answers.append(found[:, :k])
            flips[:, one.beyond] ^= found[:, k:outward]
            if self._calibration is not None:
                enclosed = to_explain.copy()
                enclosed[:, one.outward] ^= found[:, outward:]
                chosen = np.ascontiguousarray(log_odds[:, one.encloses])
                gaps = one.enclosed.decode_with_gaps(chosen, enclosed)[2]
                worth.append(self._calibration(gaps) + self._surer)
        sure = together(np.stack(worth), axis=0) if worth else None
        return Commitment(DecodeResult(np.bitwise_xor.reduce(answers), log_odds=sure), flips[:, inside])
