"""Experiments that sessions have opened: made ready once, and shared by all that open the same."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from concurrent.futures import Executor, ThreadPoolExecutor

from cascade_qec.decoders.named import MODEL_PREFIX, NamedModel, get, model_and_threshold, without_windows
from cascade_qec.decoders.protocol import Decoder
from cascade_qec.decoders.streams import Solver, Window, Windows, windows
from cascade_qec.errors import CascadeError, unknown
from cascade_qec.recognition import read_circuit, read_error_model
from cascade_qec.serving.protocol_pb2 import Open, Opened
from cascade_qec.serving.rounds import RoundSizes

_MAKERS = 2
"""Threads that make experiments ready, beside the one that decodes."""


def load(names: list[str], *, device: str = "auto", precision: str = "auto") -> dict[str, Decoder]:
    """The decoders that a server offers, models with their weights.

    Raises
    ------
    CascadeError
        If a name is unknown, or has windows or a threshold.
    """
    found: dict[str, Decoder] = {}
    for name in names:
        if without_windows(name)[1] or (name.startswith(MODEL_PREFIX) and model_and_threshold(name)[1] is not None):
            raise CascadeError(f"expected decoders without windows, which clients choose, or thresholds, got {name!r}")
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

    def opened(self) -> Opened:
        """What a client is told."""
        made = self.windows
        return Opened(
            sizes=self.sizes.message(), observables=made.num_observables, commit=made.commit, buffer=made.buffer
        )


class Experiments:
    """The experiments that were opened last, in the memory of so many at most and of those in use.

    Parameters
    ----------
    decoders
        By name: the only ones that can be asked for.
    kept
        Experiments.
    """

    def __init__(self, decoders: Mapping[str, Decoder], kept: int) -> None:
        self._decoders, self._kept = decoders, kept
        self._known: dict[tuple[object, ...], asyncio.Future[Experiment]] = {}  # the latest one last
        self._makers = ThreadPoolExecutor(_MAKERS, "cascade-open")

    async def get(self, request: Open) -> Experiment:
        """An experiment that is ready to be decoded.

        Raises
        ------
        CascadeError
            If the decoder is none of those offered, or cannot decode the experiment.
        """
        kind = request.WhichOneof("experiment")
        if kind is None:
            raise CascadeError("expected a circuit or an error model to open a session, got neither")
        if request.decoder not in self._decoders:
            raise unknown("decoder", request.decoder, self._decoders)
        text = getattr(request, kind)
        sizes = {name: getattr(request, name) or None for name in ("commit", "buffer")}
        key = (kind, hashlib.sha256(text.encode()).digest(), request.decoder, *sizes.values())
        future = self._known.pop(key, None)
        if future is None:
            future = asyncio.ensure_future(self._made(kind, text, self._decoders[request.decoder], sizes))
        self._known[key] = future
        while len(self._known) > self._kept:
            del self._known[next(iter(self._known))]
        try:
            return await asyncio.shield(future)  # others may wait for it, too
        except CascadeError:
            self._known.pop(key, None)
            raise

    def close(self) -> None:
        """Make no more."""
        self._makers.shutdown(wait=False, cancel_futures=True)

    async def _made(self, kind: str, text: str, decoder: Decoder, sizes: dict[str, int | None]) -> Experiment:
        loop = asyncio.get_running_loop()
        made = await loop.run_in_executor(self._makers, _windows, kind, text, decoder, sizes)
        experiment = Experiment(made, self._makers)
        first = made.after(None)
        assert first is not None
        await experiment.solver(first)
        return experiment


def _windows(kind: str, text: str, decoder: Decoder, sizes: dict[str, int | None]) -> Windows:
    read = read_circuit if kind == "circuit" else read_error_model
    source = read(f"{text}\n")  # a text of one line would be taken for the name of a file
    return windows(decoder, source, **sizes)
