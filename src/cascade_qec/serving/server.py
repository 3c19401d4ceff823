"""The server: who is let in, and what happens when it stops."""

from __future__ import annotations

import asyncio
import hmac
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import grpc
from grpc import StatusCode

from cascade_qec.decoders.protocol import Decoder
from cascade_qec.errors import CascadeError
from cascade_qec.serving.batcher import Batcher
from cascade_qec.serving.conversation import Conversation
from cascade_qec.serving.experiments import Experiments
from cascade_qec.serving.failures import Failure
from cascade_qec.serving.limits import Limits
from cascade_qec.serving.metrics import Metrics
from cascade_qec.serving.protocol_pb2 import DESCRIPTOR, Answer

SERVICE = DESCRIPTOR.services_by_name["Decoding"].full_name

_log = logging.getLogger(__name__)

_FRAMING = 1024
"""Bytes of a message beside its text or its events, more than enough."""

_LAST_WORDS = 2.0
"""Seconds for the statuses of sessions that were ended to be sent."""


class Server:
    """Sessions of many clients, decoded together. It lives in one event loop.

    Parameters
    ----------
    decoders
        By the names that clients ask for, see `cascade_qec.serving.experiments.load`.
    batch_seconds
        How long a window waits for others to be decided with.
    token
        That clients have to show, if any.
    limits, metrics

    Attributes
    ----------
    metrics : Metrics
    """

    def __init__(
        self,
        decoders: Mapping[str, Decoder],
        *,
        batch_seconds: float = 0.0,
        token: str | None = None,
        limits: Limits | None = None,
        metrics: Metrics | None = None,
    ) -> None:
        self._token, self._limits, self.metrics = token, limits or Limits(), metrics or Metrics()
        self._experiments = Experiments(decoders, kept=self._limits.experiments, made=self._limits.sessions)
        self._batcher = Batcher(seconds=batch_seconds, most=self._limits.batch_windows, metrics=self.metrics)
        self._conversations: set[Conversation] = set()
        self._draining, self._ended, self._over = False, asyncio.Event(), asyncio.Event()
        self.metrics.watch(lambda: [each.behind for each in tuple(self._conversations)])
        largest = max(self._limits.experiment_bytes, self._limits.message_bytes) + _FRAMING
        self._server = grpc.aio.server(
            maximum_concurrent_rpcs=2 * self._limits.sessions + 16,  # with those that do not take their status
            options=[
                ("grpc.max_receive_message_length", largest),
                ("grpc.so_reuseport", 0),  # a second server on one port is a mistake
                ("grpc.http2.bdp_probe", 0),  # what is not read yet stays with the client
                ("grpc.keepalive_time_ms", 20_000),  # tells who has vanished without a word
                ("grpc.keepalive_timeout_ms", 10_000),
            ],
        )
        # Messages come as bytes: what is none of the protocol's is answered in a sentence.
        handler = grpc.stream_stream_rpc_method_handler(
            self._decode, request_deserializer=None, response_serializer=Answer.SerializeToString
        )
        self._server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(SERVICE, {"Decode": handler})])

    async def start(self, address: str, credentials: grpc.ServerCredentials | None = None) -> int:
        """Listen, and return the port.

        Raises
        ------
        CascadeError
            If the address cannot be had.
        """
        try:
            if credentials is None:
                port = self._server.add_insecure_port(address)
            else:
                port = self._server.add_secure_port(address, credentials)
        except RuntimeError as error:
            raise CascadeError(f"expected an address that is free to listen on, got {address}") from error
        await self._server.start()
        self._deciding = asyncio.create_task(self._batcher.run())
        return port

    async def until(self, asked: asyncio.Event) -> None:
        """Serve until asked to stop, or until nothing can be decided any more, which `stop` raises."""
        waiting = asyncio.ensure_future(asked.wait())
        await asyncio.wait([waiting, self._deciding], return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()

    async def stop(self, seconds: float) -> int:
        """Let nobody in, wait so long for the sessions to end, end the others, and return how many these are."""
        self._draining = True
        if self._conversations and not self._deciding.done():
            self._ended.clear()
            waiting = [asyncio.ensure_future(event.wait()) for event in (self._ended, self._over)]
            await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            for each in waiting:
                each.cancel()
        left = len(self._conversations)
        self._over.set()
        await self._server.stop(_LAST_WORDS)
        self._batcher.close()
        self._experiments.close()
        self._deciding.cancel()
        await asyncio.wait([self._deciding])
        if not self._deciding.cancelled():
            self._deciding.result()
        return left

    def hurry(self) -> None:
        """Let `stop` wait no longer."""
        self._over.set()

    async def _decode(self, _: object, context: Any) -> None:
        try:
            with self._admitted(context) as conversation:
                await conversation.run(self._over)
        except Failure as failure:
            self.metrics.ended(failure.code.name)
            if failure.code == StatusCode.INTERNAL:
                _log.error("A session failed", exc_info=failure)
            if failure.code != StatusCode.CANCELLED:
                await context.abort(failure.code, failure.text)
        except asyncio.CancelledError:
            self.metrics.ended(StatusCode.CANCELLED.name)
            raise
        else:
            self.metrics.ended(StatusCode.OK.name)

    @contextmanager
    def _admitted(self, context: Any) -> Iterator[Conversation]:
        """A conversation, of which there are so many at most.

        Raises
        ------
        Failure
            If the client is not let in.
        """
        shown = dict(context.invocation_metadata() or ()).get("authorization", "")
        if self._token is not None and not hmac.compare_digest(str(shown).encode(), f"Bearer {self._token}".encode()):
            raise Failure(StatusCode.UNAUTHENTICATED, "expected the server's token")
        if self._draining:
            raise Failure(StatusCode.UNAVAILABLE, "the server is stopping, and opens no more sessions")
        if len(self._conversations) >= self._limits.sessions:
            most = self._limits.sessions
            raise Failure(StatusCode.RESOURCE_EXHAUSTED, f"the server has {most} sessions, and opens no more")
        conversation = Conversation(context, self._experiments, self._batcher, self._limits, self.metrics)
        self._conversations.add(conversation)
        try:
            yield conversation
        finally:
            self._conversations.discard(conversation)
            if not self._conversations:
                self._ended.set()
