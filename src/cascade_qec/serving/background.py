"""A server in a thread of this process: for a notebook, a test, or a program that is its own server."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from cascade_qec.decoders.protocol import Decoder
from cascade_qec.serving.experiments import load
from cascade_qec.serving.server import Server


@contextmanager
def background(decoders: Sequence[str] | Mapping[str, Decoder], **options: Any) -> Iterator[str]:
    """Serve in this context, on a free port of this machine's own, and give its address.

    Parameters
    ----------
    decoders
        Names of those that can be asked for; or decoders of any kind, yours included, by names.
    options
        Of `Server`.

    Raises
    ------
    CascadeError
        If a decoder is unknown.
    """
    offered = decoders if isinstance(decoders, Mapping) else load(list(decoders))
    loop = asyncio.new_event_loop()

    async def started() -> tuple[Server, int]:
        server = Server(offered, **options)
        return server, await server.start("127.0.0.1:0")

    server, port = loop.run_until_complete(started())
    thread = threading.Thread(target=loop.run_forever, name="cascade-serve", daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        asyncio.run_coroutine_threadsafe(server.stop(0), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
