"""A session: one run of an experiment, between those who read its rounds, decide its windows and write its frames."""

from __future__ import annotations

import asyncio
import time
from collections import deque

import numpy as np
from numpy.typing import NDArray

from cascade_qec.decoders.streams import Stream
from cascade_qec.errors import CascadeError
from cascade_qec.serving.experiments import Experiment
from cascade_qec.serving.failures import Failure
from cascade_qec.serving.protocol_pb2 import Frame, Rounds


class Session:
    """The state of a session. All of it belongs to the event loop, and while it is `in_hand` the stream does not.

    Attributes
    ----------
    received : int
        Slices that have come.
    in_hand : bool
        Whether the batcher has its next window.
    frame : Frame
        What its client is to know: the newest one takes the place of one that has not been written.
    changed, moved : asyncio.Event
        Set when there is a new frame, or a failure; and when windows were decided.
    failure : Failure or None
    """

    def __init__(self, experiment: Experiment) -> None:
        self.experiment = experiment
        self.stream = Stream(experiment.windows)
        self.received = 0
        self.in_hand = False
        self.frame = Frame()
        self.changed, self.moved = asyncio.Event(), asyncio.Event()
        self.failure: Failure | None = None
        self._inbox: deque[NDArray[np.bool_]] = deque()  # what has come since
        self._arrived: deque[tuple[int, float]] = deque()  # when so many slices were there
        self._until = self._next_until()

    @property
    def complete(self) -> bool:
        """Whether all slices have come."""
        return self.received == self.experiment.sizes.slices

    @property
    def ready(self) -> bool:
        """Whether the next window has all its rounds."""
        return not self.frame.final and self._until <= self.received

    @property
    def behind(self) -> int:
        """Slices that have come since the next window could have been decided."""
        return 0 if self.frame.final else max(0, self.received - self._until + 1)

    def receive(self, rounds: Rounds, most: int) -> int:
        """Take rounds that a client sent, so many at most, and return how many they are.

        Raises
        ------
        CascadeError
            If they are not the next ones, or too many.
        """
        if rounds.first != self.received:
            raise CascadeError(
                f"expected rounds that follow the {self.received} sent before, got first = {rounds.first}"
            )
        detection_events, slices = self.experiment.sizes.unpacked(rounds.first, rounds.events, most)
        self._inbox.append(detection_events)
        self.received += slices
        self._arrived.append((self.received, time.monotonic()))
        return slices

    def hand_over(self) -> deque[NDArray[np.bool_]]:
        """What has come for the stream, which is the decoding thread's until `take_back`."""
        arrived, self._inbox = self._inbox, deque()
        return arrived

    def take_back(self, decided: list[int]) -> list[float]:
        """Say what was decided, after the decoding thread had the stream.

        Parameters
        ----------
        decided
            Of each window, how many slices it needed.

        Returns
        -------
        list of float
            When these were there, by `time.monotonic`.
        """
        since = []
        for until in decided:
            while self._arrived[0][0] < until:
                self._arrived.popleft()
            since.append(self._arrived[0][1])
        self.in_hand = False
        self._until = self._next_until()
        window, result = self.stream.window, self.stream.result
        self.frame = Frame(
            observables=np.packbits(result.observables[0], bitorder="little").tobytes(),
            committed=self.stream.committed,
            received=self.received,
            final=window is None,
        )
        self.frame.behind = self.behind
        if result.log_odds is not None and result.confidence is not None:
            self.frame.log_odds, self.frame.confidence = float(result.log_odds[0]), float(result.confidence[0])
        if window is None and result.probabilities is not None:
            self.frame.probabilities.extend(result.probabilities[0].tolist())
        if window is not None:
            self.experiment.solver(window)  # made by the time that its rounds are here
        self.changed.set()
        self.moved.set()
        return since

    def fail(self, error: BaseException) -> None:
        """End it, the first time that it is said."""
        self.failure = self.failure or Failure.of(error)
        self.changed.set()

    def _next_until(self) -> int:
        return self.stream.window.until if self.stream.window else self.experiment.sizes.slices
