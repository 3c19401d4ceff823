"""Batches across sessions: windows that one solver decides, decided together in a thread of their own."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cascade_qec.decoders.streams import Commitment, Solver, Stream
from cascade_qec.serving.metrics import Metrics
from cascade_qec.serving.session import Session

_Arrivals = tuple[Stream, deque[NDArray[np.bool_]]]

_TICK = 0.001
"""Seconds: the event loop sleeps no shorter."""


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
            while len(batch.sessions) < self._most and (left := batch.since + self._seconds - time.monotonic()) > 0:
                await asyncio.sleep(left if left > _TICK else 0)
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
        since = [session.ready_since for session in sessions]
        streams = [session.hand_over() for session in sessions]
        started = time.monotonic()
        error = await self._attempt(solver, streams)
        # if one of them cannot be decided, the others are
        errors = [error and await self._attempt(solver, [stream]) for stream in streams]
        now = time.monotonic()
        self._metrics.batch(len(sessions), now - started)
        for session, ready, error in zip(sessions, since, errors, strict=True):
            if error:
                session.fail(error)
                continue
            self._metrics.window(now - ready)
            session.take_back()
            self.put(session)

    async def _attempt(self, solver: Solver, streams: list[_Arrivals]) -> BaseException | None:
        done = asyncio.get_running_loop().run_in_executor(self._thread, _decide, solver, streams)
        await asyncio.wait([done])
        return done.exception()


def _decide(solver: Solver, streams: list[_Arrivals]) -> None:
    """Decide the next window of each stream, which are alike, with the events that came for them."""
    for stream, arrived in streams:
        while arrived:
            stream.receive(arrived.popleft()[None])
    seen, left = zip(*(stream.take() for stream, _ in streams), strict=True)
    decided = solver(np.concatenate(seen), np.concatenate(left))
    for row, (stream, _) in enumerate(streams):
        stream.commit(Commitment(decided.result[row : row + 1], decided.flips[row : row + 1]))
