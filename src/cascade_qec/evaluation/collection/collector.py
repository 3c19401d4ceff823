"""Tasks to workers piece by piece, counts to the store as they come."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

import sinter

from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.collection.plan import Cell
from cascade_qec.evaluation.collection.store import CollectionStore
from cascade_qec.evaluation.collection.tasks import Machine, sinter_task
from cascade_qec.evaluation.collection.workers import Died, Failed, Joined, Piece, Pool, Sampled

_DEATHS_ALLOWED = 3
"""So often may workers die over one task before the collection is given up: it would go on for ever."""

_FIRST_SECONDS = 1.0
_SHARE_OF_BEFORE = 0.25
"""A piece takes up to this share of the time that its task has taken already, so that rows do not pile up."""

_SHORTEST_SECONDS = 0.2
"""Near the end of a task what is left is shared out, but not in pieces shorter than this."""


@dataclass(frozen=True)
class Progress:
    """What has become of one task: all that the store has of it.

    It is finished if that is enough, and no piece of it is under way.
    """

    cell: Cell
    total: sinter.AnonTaskStats
    finished: bool

    @property
    def accepted(self) -> int:
        """Shots that were not discarded."""
        return self.total.shots - self.total.discards

    @property
    def ended_by(self) -> Literal["max_shots", "max_errors"] | None:
        """The limit that ended it; None while it is not finished."""
        if not self.finished:
            return None
        return "max_shots" if self.total.shots >= self.cell.max_shots else "max_errors"


@dataclass
class Effort:
    """Where the time of a collection went."""

    shots: int = 0
    sampling_seconds: float = 0.0
    """Wall time that workers spent sampling and decoding."""
    worker_seconds: float = 0.0
    """Wall time of the collection times the number of workers: what there was to spend."""
    deaths: int = 0
    """Workers that died and were replaced."""


def collect(
    cells: Iterable[Cell],
    *,
    store: CollectionStore,
    pool: Pool,
    machine: Machine,
    max_batch_seconds: float = 30.0,
    report: Callable[[Progress], None] = lambda progress: None,
) -> Effort:
    """Sample tasks until the store has enough shots or errors of each.

    Sinter's own collector loses a collection whose worker dies and knows one machine only, hence this one. Its
    tasks, decoders, samplers and rows are sinter's: ``sinter.collect`` can go on with the store, and the other
    way round.

    The number of errors at which a task stops may be exceeded by what the last batches of the workers hold. As
    in sinter, stopping at a number of errors biases a rate upwards by about one part in that number.

    Parameters
    ----------
    cells
        The tasks, begun in their order, as many at a time as there are workers; the last ones are shared.
    store
        Where rows are added. What it has already counts.
    pool
        The workers.
    machine
        Who decodes, and where networks run; resolved (see `Machine`).
    max_batch_seconds
        A worker reports at least this often, but for batches that take longer. It is what can be lost.
    report
        Called after each row, and once for a task that is finished.

    Raises
    ------
    CascadeError
        If a worker refuses a task, or workers die over it again and again.
    RuntimeError
        If a decoder fails; with the worker's traceback.
    """
    began = time.monotonic()
    collector = _Collector(cells, store, pool, machine, max_batch_seconds, report)
    collector.run()
    collector.effort.worker_seconds = pool.workers * (time.monotonic() - began)
    return collector.effort


@dataclass(eq=False)
class _Open:
    """A task that is not finished."""

    cell: Cell
    row: sinter.TaskStats
    """Without shots."""
    total: sinter.AnonTaskStats
    out: dict[int, Piece] = field(default_factory=dict)
    deaths: int = 0

    @property
    def enough(self) -> bool:
        limit = self.cell.max_errors
        return self.total.shots >= self.cell.max_shots or (limit is not None and self.total.errors >= limit)

    @property
    def unassigned(self) -> int:
        """Shots that nobody has been asked for."""
        if self.enough:
            return 0
        return max(0, self.cell.max_shots - self.total.shots - sum(piece.shots for piece in self.out.values()))

    @property
    def progress(self) -> Progress:
        return Progress(self.cell, self.total, finished=self.enough and not self.out)


class _Collector:
    def __init__(
        self,
        cells: Iterable[Cell],
        store: CollectionStore,
        pool: Pool,
        machine: Machine,
        max_batch_seconds: float,
        report: Callable[[Progress], None],
    ) -> None:
        self._store, self._pool, self._machine = store, pool, machine
        self._max_batch_seconds = max_batch_seconds
        self._report = report
        self._waiting = self._opened(cells)
        self._open: list[_Open] = []
        self._task_of: dict[int, _Open] = {}
        self.effort = Effort()

    def run(self) -> None:
        free: list[int] = []
        while True:
            free = [worker for worker in free if not self._employ(worker)]
            if free and not any(task.out for task in self._open):
                return
            for worker, outcome in self._pool.outcomes():
                if not isinstance(outcome, Joined):
                    self._take(worker, outcome)
                if not isinstance(outcome, Died):
                    free.append(worker)

    def _opened(self, cells: Iterable[Cell]) -> Iterator[_Open]:
        # One after another, as making a large code's error model takes seconds and megabytes.
        for cell in cells:
            task = sinter_task(cell, self._machine)
            row = sinter.TaskStats(task.strong_id(), cell.decoder, task.json_metadata)
            opened = _Open(cell, row, self._store.total(row.strong_id))
            if opened.enough:
                self._report(opened.progress)
            else:
                yield opened

    def _employ(self, worker: int) -> bool:
        """Give a worker something to do, if there is anything."""
        task = self._task_for(worker)
        if task is None:
            return False
        self._task_of[worker] = task
        task.out[worker] = piece = self._piece(task)
        self._pool.submit(worker, piece)
        return True

    def _task_for(self, worker: int) -> _Open | None:
        # Its own first, whose decoder it has ready; then a new one; then it helps where the fewest work.
        own = self._task_of.get(worker)
        if own is not None and own.unassigned:
            return own
        new = next(self._waiting, None)
        if new is not None:
            self._open.append(new)
            return new
        return min((task for task in self._open if task.unassigned), key=lambda task: len(task.out), default=None)

    def _piece(self, task: _Open) -> Piece:
        total = task.total
        shortest = math.ceil(_SHORTEST_SECONDS * total.shots / total.seconds) if total.seconds else 1
        share = max(math.ceil(task.unassigned / self._pool.workers), shortest)
        errors = None
        if task.cell.max_errors is not None:
            errors = math.ceil((task.cell.max_errors - total.errors) / (len(task.out) + 1))
        return Piece(
            cell=task.cell,
            machine=self._machine,
            strong_id=task.row.strong_id,
            shots=min(share, task.unassigned),
            errors=errors,
            seconds=min(self._max_batch_seconds, max(_FIRST_SECONDS, _SHARE_OF_BEFORE * total.seconds)),
        )

    def _take(self, worker: int, outcome: Sampled | Died | Failed) -> None:
        task = self._task_of[worker]
        del task.out[worker]
        if isinstance(outcome, Failed):
            if outcome.refused:
                raise CascadeError(outcome.message)
            raise RuntimeError(f"{task.cell} failed in a worker:\n{outcome.message}")
        if isinstance(outcome, Died):
            self.effort.deaths += 1
            task.deaths += 1
            if task.deaths > _DEATHS_ALLOWED:
                raise CascadeError(
                    f"{task.cell}: workers died {task.deaths} times, the last one {outcome.how}; is there enough "
                    "memory? What was collected until then is stored, and the same command goes on from there"
                )
        else:
            new = outcome.stats
            self._store.add(
                task.row.with_edits(shots=new.shots, errors=new.errors, discards=new.discards, seconds=new.seconds)
            )
            task.total += new
            self.effort.shots += new.shots
            self.effort.sampling_seconds += new.seconds
        progress = task.progress
        if progress.finished:
            self._open.remove(task)
        self._report(progress)
