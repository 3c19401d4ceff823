"""Workers on the machines of a Ray cluster."""

from __future__ import annotations

from typing import Any

from cascade_qec.cluster import connected
from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.collection.workers import Died, Joined, Outcome, Piece, Sampling

_FAILED_STARTS_ALLOWED = 3
"""Actors may be lost with a machine while they start; more than so many in a row means that none can."""


class _Actor(Sampling):
    """What runs on the cluster."""

    def join(self) -> Joined:
        """The first call, answered when the actor is up."""
        return Joined()


class RayPool:
    """Ray actors with one core each, wherever the cluster has room.

    What an actor had sampled of its piece dies with it; the piece is given to the next one. Counts reach the
    store only by way of the process that holds the pool.

    Parameters
    ----------
    address
        Of a cluster, see `cascade_qec.cluster`.
    workers
        Actors; by default one for each core of the cluster.

    Raises
    ------
    CascadeError
        If Ray is not installed, there is no such cluster, or it has fewer cores than workers are asked for.
    """

    def __init__(self, address: str, workers: int | None = None) -> None:
        self._ray, self._ours = connected(address)
        cores = int(self._ray.cluster_resources().get("CPU", 0))
        self.workers = workers or cores
        if not 1 <= self.workers <= cores:
            self.__exit__()
            raise CascadeError(f"expected at most as many workers as the Ray cluster has cores, {cores}, got {workers}")
        # An actor that is gone is replaced here, where it is known what it was doing, not by Ray.
        self._remote = self._ray.remote(num_cpus=1, max_restarts=0, max_task_retries=0)(_Actor)
        self._actors: dict[int, Any] = {}
        self._awaited: dict[Any, int] = {}
        self._starting: set[int] = set()
        self._failed_starts = 0
        for worker in range(self.workers):
            self._hire(worker)

    def __enter__(self) -> RayPool:
        return self

    def __exit__(self, *_: object) -> None:
        for actor in getattr(self, "_actors", {}).values():
            self._ray.kill(actor)
        if self._ours:
            self._ray.shutdown()

    def submit(self, worker: int, piece: Piece) -> None:
        self._awaited[self._actors[worker].run.remote(piece)] = worker

    def outcomes(self) -> list[tuple[int, Outcome]]:
        done, _ = self._ray.wait(list(self._awaited), num_returns=1)
        found = []
        for reference in done:
            worker = self._awaited.pop(reference)
            outcome = self._outcome(worker, reference)
            if outcome is not None:
                found.append((worker, outcome))
        return found

    def _hire(self, worker: int) -> None:
        # It joins when the cluster has found room for it: after the loss of a machine that may be never.
        self._starting.add(worker)
        self._actors[worker] = self._remote.remote()
        self._awaited[self._actors[worker].join.remote()] = worker

    def _outcome(self, worker: int, reference: Any) -> Outcome | None:
        started = worker not in self._starting
        try:
            outcome = self._ray.get(reference)
        except (self._ray.exceptions.RayActorError, self._ray.exceptions.ObjectLostError) as error:
            self._failed_starts += not started
            if self._failed_starts > _FAILED_STARTS_ALLOWED:
                raise CascadeError(f"workers cannot start on the Ray cluster: {error}") from error
            self._hire(worker)
            return Died(f"on the cluster ({type(error).__name__})") if started else None
        self._starting.discard(worker)
        self._failed_starts = 0
        return outcome
