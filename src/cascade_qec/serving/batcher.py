"""Batches across sessions: windows that one solver decides, decided together in a thread of their own."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cascade_qec.decoders.streams import Commitment, Solver, Stream, Window, Windows
from cascade_qec.serving.metrics import Metrics
from cascade_qec.serving.session import Session

_TURN = 0.005
"""Seconds after which sessions that catch up let others take their turn."""


@dataclass
class _Batch:
    """Sessions whose next windows have one solver, and since when the first of them waits."""

    since: float
    sessions: list[Session] = field(default_factory=list)


class Batcher:
    """Decides the windows of all sessions, one batch at a time, the one that waits longest first.

    While a batch is decided, the next ones fill. Where nothing is being decided, a window waits for others.

    Parameters
    ----------
    seconds
        For so long at most.
    most
        Windows of a batch.
    metrics
    """

    def __init__(self, *, seconds: float, most: int, metrics: Metrics) -> None:
        self._seconds, self._most, self._metrics = seconds, most, metrics
        self._thread = ThreadPoolExecutor(1, "cascade-decode")
        self._waiting: dict[Solver, _Batch] = {}
        self._wake = asyncio.Event()

    def put(self, session: Session) -> None:
        """Have the next window of a session decided, if its rounds are there and it is not in hand already."""
        window = session.stream.window if not session.in_hand else None
        if window is None or not session.ready or session.failure:
            return
        session.in_hand = True
        made = session.experiment.solver(window)
        if made.done():
            self._join(session, made)
        else:
            made.add_done_callback(lambda made: self._join(session, made))

    async def run(self) -> None:
        """Decide, until cancelled."""
        while True:
            while not self._waiting:
                self._wake.clear()
                await self._wake.wait()
            solver, batch = next(iter(self._waiting.items()))
            left = batch.since + self._seconds - time.monotonic()
            if left > 0 and len(batch.sessions) < self._most:  # the event loop's own clock ticks in milliseconds
                await asyncio.get_running_loop().run_in_executor(self._thread, time.sleep, left)
            del self._waiting[solver]
            sessions, rest = batch.sessions[: self._most], batch.sessions[self._most :]
            if rest:
                self._waiting[solver] = _Batch(batch.since, rest)
            await self._decided(solver, [session for session in sessions if not session.failure])

    def close(self) -> None:
        """Decide no more."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _join(self, session: Session, made: asyncio.Future[Solver]) -> None:
        if made.cancelled():  # the server is closing
            return
        if error := made.exception():
            session.fail(error)
            return
        self._waiting.setdefault(made.result(), _Batch(time.monotonic())).sessions.append(session)
        self._wake.set()

    async def _decided(self, solver: Solver, sessions: list[Session]) -> None:
        if not sessions:
            return
        windows = sessions[0].experiment.windows  # those of all whose windows this solver decides
        like = windows.like(_next(sessions[0].stream))
        work = [_Work(session.stream, session.hand_over()) for session in sessions]
        started = time.monotonic()
        error = await self._attempt(solver, windows, like, work)
        # if one of them cannot be decided, the others are; some may have gone on already
        errors = [error and await self._attempt(solver, windows, like, [each]) for each in work]
        now = time.monotonic()
        self._metrics.turn(now - started)
        for session, each, error in zip(sessions, work, errors, strict=True):
            if error:
                session.fail(error)
                continue
            for since in session.take_back(each.decided):
                self._metrics.window(now - since)
            self.put(session)

    async def _attempt(self, solver: Solver, windows: Windows, like: Window, work: list[_Work]) -> BaseException | None:
        loop = asyncio.get_running_loop()
        done = loop.run_in_executor(self._thread, _decide, solver, windows, like, work, self._metrics.batch)
        await asyncio.wait([done])
        return done.exception()


@dataclass
class _Work:
    """A stream, the events that came for it, and of each window that was decided of it how many slices it needed."""

    stream: Stream
    arrived: deque[NDArray[np.bool_]]
    decided: list[int] = field(default_factory=list)


def _decide(solver: Solver, windows: Windows, like: Window, work: list[_Work], count: Callable[[int], None]) -> None:
    """Decide the next window of each stream that is like this one, and for a while those after it that are."""
    for each in work:
        while each.arrived:
            each.stream.receive(each.arrived.popleft()[None])
    end = time.monotonic() + _TURN
    while work := [each for each in work if each.stream.ready and windows.like(_next(each.stream)) == like]:
        seen, left = zip(*(each.stream.take() for each in work), strict=True)
        found = solver(np.concatenate(seen), np.concatenate(left))
        count(len(work))
        for row, each in enumerate(work):
            each.decided.append(_next(each.stream).until)
            each.stream.commit(Commitment(found.result[row : row + 1], found.flips[row : row + 1]))
        if time.monotonic() >= end:
            break


def _next(stream: Stream) -> Window:
    assert stream.window is not None
    return stream.window
