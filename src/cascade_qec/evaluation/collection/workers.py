"""Workers: processes that sample pieces of tasks, one piece at a time each."""

from __future__ import annotations

import multiprocessing
import time
import traceback
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Protocol

import sinter

from cascade_qec.decoders.sinter import BatchSampler
from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.collection.plan import Cell
from cascade_qec.evaluation.collection.tasks import Machine, sinter_task
from cascade_qec.processes import signals_blocked

_TASKS_KEPT = 2
"""Tasks whose decoder a worker keeps ready; some take gigabytes."""


@dataclass(frozen=True)
class Piece:
    """A part of a task, whose strong id the sender tells, for one worker.

    It ends with the first of so many shots, which are not exceeded, errors, or seconds, after which no batch is begun.
    """

    cell: Cell
    machine: Machine
    strong_id: str
    shots: int
    errors: int | None
    seconds: float


@dataclass(frozen=True)
class Sampled:
    """A piece is done."""

    stats: sinter.AnonTaskStats


@dataclass(frozen=True)
class Died:
    """The worker is gone, and with it what it had sampled of its piece; it has not been counted anywhere."""

    how: str


@dataclass(frozen=True)
class Joined:
    """The worker is there, for the first time or in the place of one that died."""


@dataclass(frozen=True)
class Failed:
    """Sampling the piece raised an error; `refused` if that was a `CascadeError`."""

    message: str
    refused: bool


Outcome = Joined | Sampled | Died | Failed


class Pool(Protocol):
    """Workers, numbered from 0, of which each has at most one piece at a time.

    They are given pieces once they have joined, and not after they died until they have joined again.
    """

    @property
    def workers(self) -> int: ...

    def submit(self, worker: int, piece: Piece) -> None:
        """Give a free worker a piece."""
        ...

    def outcomes(self) -> Sequence[tuple[int, Outcome]]:
        """Wait until workers have joined or are through with their pieces, and say which and how."""
        ...


class Sampling:
    """What a worker does, wherever it runs."""

    def __init__(self) -> None:
        self._ready: OrderedDict[str, sinter.CompiledSampler] = OrderedDict()

    def run(self, piece: Piece) -> Sampled | Failed:
        """Sample a piece."""
        try:
            return Sampled(self._sample(piece))
        except CascadeError as error:
            return Failed(str(error), refused=True)
        except Exception:
            # It must reach the one who started the collection, who shows it and stops.
            return Failed(traceback.format_exc(), refused=False)

    def _sample(self, piece: Piece) -> sinter.AnonTaskStats:
        compiled = self._compiled(piece)
        total = sinter.AnonTaskStats()
        began = time.monotonic()
        while (
            total.shots < piece.shots
            and (piece.errors is None or total.errors < piece.errors)
            and (not total.shots or time.monotonic() - began < piece.seconds)
        ):
            total += compiled.sample(piece.shots - total.shots)
        return total

    def _compiled(self, piece: Piece) -> sinter.CompiledSampler:
        if piece.strong_id not in self._ready:
            task = sinter_task(piece.cell, piece.machine)
            if task.strong_id() != piece.strong_id:
                raise CascadeError(
                    f"{piece.cell}: a worker builds another circuit or decoder than asked for; expected the same "
                    "versions of cascade-qec and stim, and the same weights, on all machines"
                )
            while len(self._ready) >= _TASKS_KEPT:
                self._ready.popitem(last=False)
            sampler = BatchSampler(piece.machine.decoder(piece.cell.decoder))
            self._ready[piece.strong_id] = sampler.compiled_sampler_for_task(task)
        self._ready.move_to_end(piece.strong_id)
        return self._ready[piece.strong_id]


class LocalPool:
    """Processes on this machine. They are killed at the end of the ``with`` block, and end with their parent.

    Parameters
    ----------
    workers
        How many; one for each core is best.
    """

    def __init__(self, workers: int) -> None:
        if workers < 1:
            raise CascadeError(f"expected at least 1 worker, got {workers}")
        self.workers = workers
        self._processes: dict[int, tuple[BaseProcess, Connection]] = {}
        self._busy: set[int] = set()
        self._joining = list(range(workers))
        # Spawned, not forked: forked processes would share the state of random number generators.
        self._context = multiprocessing.get_context("spawn")

    def __enter__(self) -> LocalPool:
        return self

    def __exit__(self, *_: object) -> None:
        for process, connection in self._processes.values():
            process.kill()
            process.join()
            connection.close()
        self._processes.clear()

    def submit(self, worker: int, piece: Piece) -> None:
        self._busy.add(worker)
        if worker not in self._processes:
            self._processes[worker] = self._start()
        with suppress(OSError):  # if it has died, `outcomes` finds that out as well
            self._processes[worker][1].send(piece)

    def outcomes(self) -> list[tuple[int, Outcome]]:
        # A process is started when there is something for it to do, which always works.
        found: list[tuple[int, Outcome]] = [(worker, Joined()) for worker in self._joining]
        self._joining.clear()
        if found:
            return found
        by_connection = {self._processes[worker][1]: worker for worker in self._busy}
        for connection in wait(list(by_connection)):
            assert isinstance(connection, Connection)
            worker = by_connection[connection]
            self._busy.remove(worker)
            found.append((worker, self._outcome(worker, connection)))
        return found

    def _outcome(self, worker: int, connection: Connection) -> Outcome:
        try:
            return connection.recv()
        except (EOFError, OSError):
            process, _ = self._processes.pop(worker)
            self._joining.append(worker)
            process.join()
            connection.close()
            code = process.exitcode or 0
            return Died(f"by signal {-code}" if code < 0 else f"with exit status {code}")

    def _start(self) -> tuple[BaseProcess, Connection]:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=_serve, args=(theirs,), daemon=True)
        with signals_blocked():
            process.start()
        theirs.close()  # so that the end of the process is the end of the pipe
        return process, ours


def _serve(connection: Connection) -> None:
    sampling = Sampling()
    try:
        while True:
            connection.send(sampling.run(connection.recv()))
    except (EOFError, OSError):
        return  # the parent is gone
