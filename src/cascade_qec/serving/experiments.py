"""Experiments that sessions have opened: made ready once, and shared by all that open the same."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from concurrent.futures import Executor, ThreadPoolExecutor

from grpc import StatusCode

from cascade_qec.decoders.named import MODEL_PREFIX, NamedModel, get, parts, without_windows
from cascade_qec.decoders.protocol import Decoder
from cascade_qec.decoders.streams import Solver, Window, Windows, windows
from cascade_qec.errors import CascadeError, unknown
from cascade_qec.serving import admission
from cascade_qec.serving.failures import Failure
from cascade_qec.serving.protocol_pb2 import Open
from cascade_qec.serving.rounds import RoundSizes

_MAKERS = 2
"""Threads that make experiments ready, beside the one that decodes."""


def load(names: list[str], *, device: str = "auto", precision: str = "auto") -> dict[str, Decoder]:
    """The decoders that a server offers, models with their weights.

    Raises
    ------
    CascadeError
        If there is none, or one is unknown, or has windows, a threshold or a fallback.
    """
    if not names:
        raise CascadeError("expected decoders that clients can ask for, got none")
    found: dict[str, Decoder] = {}
    for name in names:
        if without_windows(name)[1] or (name.startswith(MODEL_PREFIX) and parts(name)[1:] != (None, None)):
            raise CascadeError(
                f"expected decoders without windows, which clients choose, thresholds or fallbacks, got {name!r}"
            )
        decoder = get(name, device=device, precision=precision)
        found[name] = decoder.loaded() if isinstance(decoder, NamedModel) else decoder
    return found


class Experiment:
    """Windows of an experiment, and their solvers, which are made in other threads."""

    def __init__(self, made: Windows, makers: Executor) -> None:
        self.windows, self.sizes = made, RoundSizes.of(made.timeline)
        self._makers = makers
        self._solvers: dict[Window, asyncio.Future[Solver]] = {}

    def solver(self, window: Window) -> asyncio.Future[Solver]:
        """What decides a window; asked for before the window has its rounds, it is there when they come."""
        like = self.windows.like(window)
        if like not in self._solvers:
            loop = asyncio.get_running_loop()
            self._solvers[like] = loop.run_in_executor(self._makers, self.windows.solver, window)
        return self._solvers[like]


class Experiments:
    """The experiments that were opened last, in the memory of so many at most and of those in use.

    Parameters
    ----------
    decoders
        By name: the only ones that can be asked for.
    kept
        Experiments.
    made
        At a time at most. Clients that go while theirs is being made leave it behind.
    """

    def __init__(self, decoders: Mapping[str, Decoder], *, kept: int, made: int) -> None:
        self._decoders, self._kept, self._most = decoders, kept, made
        self._making: set[asyncio.Future[Experiment]] = set()
        self._known: dict[tuple[object, ...], asyncio.Future[Experiment]] = {}  # the latest one last
        self._makers = ThreadPoolExecutor(_MAKERS, "cascade-open")

    async def get(self, request: Open) -> Experiment:
        """An experiment that is ready to be decoded.

        Raises
        ------
        CascadeError
            If the decoder is none of those offered, or cannot decode the experiment.
        Failure
            If too many are being made.
        """
        kind = request.WhichOneof("experiment")
        if kind is None:
            raise CascadeError("expected a circuit or an error model to open a session, got neither")
        if request.decoder not in self._decoders:
            raise unknown("decoder", request.decoder, self._decoders)
        text = getattr(request, kind)
        key = (kind, hashlib.sha256(text.encode()).digest(), request.decoder, request.commit, request.buffer)
        future = self._known.pop(key, None)
        if future is None:
            if len(self._making) >= self._most:
                text = f"the server is making {self._most} experiments ready, and takes no more"
                raise Failure(StatusCode.RESOURCE_EXHAUSTED, text)
            future = asyncio.ensure_future(self._made(request))
            future.add_done_callback(lambda made: made.cancelled() or (made.exception() and self._known.pop(key, None)))
            self._making.add(future)
            future.add_done_callback(self._making.discard)
        self._known[key] = future
        while len(self._known) > self._kept:
            del self._known[next(iter(self._known))]
        return await asyncio.shield(future)  # others may wait for it, too

    def close(self) -> None:
        """Make no more."""
        self._makers.shutdown(wait=False, cancel_futures=True)

    async def _made(self, request: Open) -> Experiment:
        loop = asyncio.get_running_loop()
        decoder = self._decoders[request.decoder]
        experiment = Experiment(await loop.run_in_executor(self._makers, _windows, request, decoder), self._makers)
        first = experiment.windows.after(None)
        assert first is not None
        await experiment.solver(first)
        return experiment


def _windows(request: Open, decoder: Decoder) -> Windows:
    source = admission.experiment(request)
    return windows(decoder, source, commit=request.commit or None, buffer=request.buffer or None)
