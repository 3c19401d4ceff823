"""Windows: how a decoder decides a stream piece by piece."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from cascade_qec.decoders.result import DecodeResult
from cascade_qec.decoders.streams.timeline import Timeline
from cascade_qec.errors import CascadeError, unknown

Method = Literal["carry", "seam"]
"""How windows fit together.

"carry": of all errors that explain a window's events, those that begin in its first part are committed. What they flip
is taken out of the events that follow, and the next window explains what is left.

"seam": first the errors that cross the next seam are committed, by a window around it. Then the segment between two
seams is an experiment by itself.
"""


def check_sizes(commit: int, buffer: int, method: str) -> None:
    """Refuse windows that there are of no experiment."""
    if commit < 1 or buffer < 1:
        raise CascadeError(f"expected windows that commit and look ahead 1 round at least, got {commit} and {buffer}")
    if method not in get_args(Method):
        raise unknown("method", method, get_args(Method))


class Window(NamedTuple):
    """Slices that are decided on together, from `first` to before `stop`.

    Attributes
    ----------
    kind
        "carry" commits errors that begin before `commit`; "seam" those that begin before `commit` and end in it or
        later; "segment" all that lie within.
    context, until
        The slices whose events may be looked at, from the one to before the other: more than are to be explained.
    """

    kind: Literal["carry", "seam", "segment"]
    context: int
    first: int
    commit: int
    stop: int
    until: int

    def earlier(self, slices: int) -> Window:
        """The same so many slices earlier."""
        return Window(self.kind, *(at - slices for at in self[1:]))

    def errors(self, begin: NDArray[np.int64], end: NDArray[np.int64]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Which errors may explain the events, and which of them are committed.

        Parameters
        ----------
        begin, end : int64 [errors]
            The slices of the first and of the last detector that each flips.

        Returns
        -------
        allowed, committed : bool [errors]
        """
        if self.kind == "carry":
            allowed = (begin >= self.first) & (begin < self.stop)
            return allowed, allowed & (begin < self.commit)
        if self.kind == "seam":
            allowed = (end >= self.first) & (begin < self.stop)
            return allowed, allowed & (begin < self.commit) & (end >= self.commit)
        allowed = (begin >= self.first) & (end < self.stop)
        return allowed, allowed


@dataclass(frozen=True, eq=False)
class Commitment:
    """What a window decides.

    Attributes
    ----------
    result : DecodeResult
        The observables that the errors flip that are committed, and what else is known.
    flips : bool [shots, detectors of the window]
        The detectors that they flip, of those that are still to be explained; the slices from `first` on, one after the
        other.
    """

    result: DecodeResult
    flips: NDArray[np.bool_]


class Solver(ABC):
    """What decides windows that are alike but for a shift in time."""

    @abstractmethod
    def __call__(self, seen: NDArray[np.bool_], left: NDArray[np.bool_]) -> Commitment:
        """Decide.

        Parameters
        ----------
        seen : bool [shots, detectors of the window and its context]
            What was measured, from `context` to before `until`, slice after slice, the detectors of each as they are
            numbered.
        left : bool [shots, detectors of the window]
            What of it is still to be explained.
        """


class Windows(ABC):
    """A decoder that is ready for streams of one experiment. Several streams share it.

    Parameters
    ----------
    timeline
    commit
        Rounds after which the frame moves on, by default about the distance.
    buffer
        Rounds that are looked at beyond those, likewise.
    context
        Rounds before that are looked at again.
    name
        Of the decoder.

    Attributes
    ----------
    num_observables : int
    """

    num_observables: int

    def __init__(
        self, timeline: Timeline, *, commit: int, buffer: int, context: int, method: Method, name: str
    ) -> None:
        check_sizes(commit, buffer, method)
        self.timeline, self.name, self.method = timeline, name, method
        self.commit, self.buffer, self.context = commit, buffer, context
        self._solver = lru_cache(maxsize=None)(self._made)

    @property
    def slices(self) -> int:
        """Rounds, and one for the readout."""
        return self.timeline.slices

    def after(self, last: Window | None) -> Window | None:
        """The window that comes after one, or first; None after the end."""
        end = self.slices
        if self.method == "carry":
            first = 0 if last is None else last.commit
            stop = first + self.commit + self.buffer
            commit, stop = (first + self.commit, stop) if stop < end else (end, end)
            return None if first == end else self._window("carry", first, commit, stop, stop)
        if last is not None and last.kind == "seam":
            return self._window("segment", last.commit - self.commit, last.commit, last.commit, last.stop)
        begin = 0 if last is None else last.stop
        seam = begin + self.commit
        if seam + self.buffer < end:
            return self._window("seam", max(0, seam - self.buffer), seam, seam + self.buffer, seam + self.buffer)
        return None if begin == end else self._window("segment", begin, end, end, end)

    def _check_reach(self, begin: NDArray[np.int64], end: NDArray[np.int64]) -> None:
        """Refuse windows of which an error leads out on the other side: what it flips there would be forgotten.

        Parameters
        ----------
        begin, end
            As `Window.errors` takes them.
        """
        reach = np.max(end - begin, initial=0)
        least = self.buffer if self.method == "carry" else min(self.commit, self.buffer)
        if reach > least and self.commit + self.buffer < self.slices:
            what = "look ahead" if self.method == "carry" else "decide and look ahead"
            raise CascadeError(
                f"expected windows that {what} {reach} rounds at least, as an error flips detectors so far apart, "
                f"got {self.commit}+{self.buffer}"
            )

    def _window(self, kind: Literal["carry", "seam", "segment"], first: int, *rest: int) -> Window:
        return Window(kind, max(0, first - self.context), first, *rest)

    def solver(self, window: Window) -> Solver:
        """What decides a window; made once for all that are alike."""
        return self._solver(self.like(window))

    def like(self, window: Window) -> Window:
        """The first of all windows that one solver decides: the same of the timeline's short experiment."""
        return window.earlier(self.timeline.shift(window.context, window.until))

    @abstractmethod
    def _made(self, window: Window) -> Solver:
        """What decides a window of the slices of the timeline's short experiment."""
