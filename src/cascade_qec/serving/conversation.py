"""What a client and the server say to each other in one session."""

from __future__ import annotations

import asyncio
from typing import Any

from google.protobuf.message import DecodeError
from grpc import StatusCode
from grpc.aio import EOF  # pyright: ignore[reportAttributeAccessIssue] it is compiled

from cascade_qec.errors import CascadeError
from cascade_qec.serving.batcher import Batcher
from cascade_qec.serving.experiments import Experiments
from cascade_qec.serving.failures import Failure
from cascade_qec.serving.limits import Limits
from cascade_qec.serving.metrics import Metrics
from cascade_qec.serving.protocol_pb2 import Answer, Opened, Request
from cascade_qec.serving.session import Session

_PATIENCE = 1.0
"""Seconds for what is being written to go out before the session ends."""

_LEAVING = 0.02
"""Seconds in which gRPC cancels a session whose client has gone: it says first that the stream has ended."""


class Conversation:
    """One stream of `Decode`: it opens a session, reads rounds and writes frames.

    Parameters
    ----------
    context
        The stream of bytes, which is read and written here.
    experiments, batcher, limits, metrics
        The server's.
    """

    def __init__(
        self, context: Any, experiments: Experiments, batcher: Batcher, limits: Limits, metrics: Metrics
    ) -> None:
        self._context, self._experiments, self._batcher = context, experiments, batcher
        self._limits, self._metrics = limits, metrics
        self._session: Session | None = None
        self._writing: asyncio.Future[None] | None = None

    @property
    def behind(self) -> int:
        """Rounds that could be decided and are not."""
        return self._session.behind if self._session else 0

    async def run(self, over: asyncio.Event) -> None:
        """Until the final frame is written.

        Parameters
        ----------
        over
            Set when the server can wait no longer.

        Raises
        ------
        Failure
            If there is none.
        """
        try:
            async with asyncio.TaskGroup() as tasks:
                watching = tasks.create_task(self._end(over))
                session = self._session = await self._open()
                reading = tasks.create_task(self._read(session))
                await self._write(session)
                watching.cancel()
                reading.cancel()
        except BaseExceptionGroup as group:
            if self._writing:
                await asyncio.wait([self._writing], timeout=_PATIENCE)
            raise Failure.of(group.exceptions[0]) from group
        finally:
            if self._session:  # nothing more of it is decided
                self._session.fail(Failure(StatusCode.CANCELLED, "the session is over"))

    async def _end(self, over: asyncio.Event) -> None:
        await over.wait()
        raise Failure(StatusCode.UNAVAILABLE, "the server stops before this session has ended")

    async def _open(self) -> Session:
        request = await self._request("a session to be opened")
        if request.WhichOneof("kind") != "open":
            raise CascadeError("expected a session to be opened first, got rounds")
        asked = request.open
        size = len((asked.circuit or asked.error_model).encode())
        if size > self._limits.experiment_bytes:
            most = self._limits.experiment_bytes
            raise CascadeError(f"expected a circuit or error model of at most {most:,} bytes, got {size:,}")
        experiment = await self._experiments.get(asked)
        made = experiment.windows
        opened = Opened(
            sizes=experiment.sizes.message(),
            observables=made.num_observables,
            commit=made.commit,
            buffer=made.buffer,
            message_rounds=self._limits.message_rounds,
            message_bytes=self._limits.message_bytes,
        )
        await self._answer(Answer(opened=opened))
        return Session(experiment)

    async def _read(self, session: Session) -> None:
        while not session.complete:
            while session.behind > self._limits.rounds_behind:
                session.moved.clear()
                await session.moved.wait()
            missing = session.experiment.sizes.slices - session.received
            request = await self._request(f"{missing:,} more rounds, the readout among them")
            if request.WhichOneof("kind") != "rounds":
                raise CascadeError("expected rounds, got a session to be opened for the second time")
            size = len(request.rounds.events)
            if size > self._limits.message_bytes:
                most = self._limits.message_bytes
                raise CascadeError(f"expected rounds of at most {most:,} bytes in a message, got {size:,}")
            self._metrics.received(session.receive(request.rounds, self._limits.message_rounds))
            self._batcher.put(session)

    async def _write(self, session: Session) -> None:
        final = False
        while not final:
            await session.changed.wait()
            session.changed.clear()
            if session.failure:
                raise session.failure
            final = session.frame.final
            await self._answer(Answer(frame=session.frame))

    async def _request(self, expected: str) -> Request:
        seconds = self._limits.idle_seconds
        try:
            async with asyncio.timeout(seconds):
                data = await self._context.read()
        except TimeoutError:
            raise Failure(StatusCode.DEADLINE_EXCEEDED, f"expected {expected} within {seconds:g} s") from None
        if data is EOF:
            await asyncio.sleep(_LEAVING)
            raise CascadeError(f"expected {expected}, got the end of the stream")
        try:
            request = Request.FromString(data)
        except DecodeError:
            raise CascadeError(f"expected a Request of protocol.proto, got {len(data)} bytes that are none") from None
        if request.WhichOneof("kind") is None:
            raise CascadeError("expected a session to be opened, or rounds, got a message without either")
        return request

    async def _answer(self, answer: Answer) -> None:
        seconds = self._limits.write_seconds
        # If a write were cancelled midway, gRPC would not get the session's status through.
        writing = self._writing = asyncio.ensure_future(self._context.write(answer))
        writing.add_done_callback(lambda writing: writing.cancelled() or writing.exception())
        done, _ = await asyncio.wait([writing], timeout=seconds)
        if not done:
            text = f"expected a client that reads its answers within {seconds:g} s"
            raise Failure(StatusCode.DEADLINE_EXCEEDED, text)
        if writing.exception():
            raise Failure(StatusCode.CANCELLED, "the client has gone")
