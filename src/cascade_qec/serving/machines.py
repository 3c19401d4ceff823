"""A server on every machine of a Ray cluster: started where there is none, and again where one has died."""

from __future__ import annotations

import asyncio
import time
from typing import Any, NamedTuple

from cascade_qec.cluster import connected
from cascade_qec.serving.service import Service

_STOPPING = 10.0
"""Seconds for servers to say that they have stopped, beside those that their sessions have."""


class _Actor:
    """What runs on a machine of the cluster."""

    async def listen(self, service: Service, host: str) -> str:
        """Start the server, and give its address."""
        self._server, address = await service.start(host)
        return address

    async def serve(self) -> None:
        """Serve until that ends by itself."""
        await self._server.until(asyncio.Event())

    async def stop(self, seconds: float) -> int:
        """Let sessions end, see `Server.stop`."""
        return await self._server.stop(seconds)


class Machines:
    """Servers on the machines of a Ray cluster, which share nothing.

    A session stays with its server, and ends with it. `update` starts another server in its place.

    Parameters
    ----------
    cluster
        Its address, see `cascade_qec.cluster`.
    service
        What each serves.
    host
        To listen on; by default each machine's own address within the cluster.

    Raises
    ------
    CascadeError
        If Ray is not installed, or there is no such cluster.
    """

    def __init__(self, cluster: str, service: Service, *, host: str | None = None) -> None:
        self._ray, self._ours = connected(cluster)
        self._service, self._host = service, host
        # An actor that is gone is replaced here, where it is known which machines are left, not by Ray.
        self._remote = self._ray.remote(num_cpus=0, max_restarts=0)(_Actor)
        self._running: dict[str, _Running] = {}  # by machine

    @property
    def addresses(self) -> list[str]:
        """Of the servers that listen."""
        return [running.address for running in self._running.values()]

    def update(self, seconds: float) -> None:
        """Wait so long for a server to go, forget those that are gone, and start one on each machine that has none.

        Where there is no machine at all, it waits as long for one.

        Raises
        ------
        CascadeError
            If a server cannot start.
        """
        awaited = {running.ended: machine for machine, running in self._running.items()}
        if awaited:
            gone, _ = self._ray.wait(list(awaited), num_returns=len(awaited), timeout=seconds)
            for ended in gone:
                del self._running[awaited[ended]]
        for node in self._ray.nodes():
            if node["Alive"] and node["Resources"].get("CPU", 0) >= 1 and node["NodeID"] not in self._running:
                try:
                    self._running[node["NodeID"]] = self._started(node["NodeID"], node["NodeManagerAddress"])
                except self._ray.exceptions.RayActorError:  # with its machine, which is seen at the next time
                    continue
        if not self._running:
            time.sleep(seconds)

    def stop(self, seconds: float) -> int:
        """Let sessions end, see `Server.stop`; leave the cluster, and return how many had to be ended."""
        ended = 0
        stopping = [running.actor.stop.remote(seconds) for running in self._running.values()]
        end = time.monotonic() + seconds + _STOPPING
        for each in stopping:
            try:
                ended += self._ray.get(each, timeout=max(0.0, end - time.monotonic()))
            except self._ray.exceptions.RayError:  # it went before
                continue
        for running in self._running.values():
            self._ray.kill(running.actor)
        self._running.clear()
        if self._ours:
            self._ray.shutdown()
        return ended

    def _started(self, machine: str, own: str) -> _Running:
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        there = NodeAffinitySchedulingStrategy(machine, soft=False)
        actor = self._remote.options(scheduling_strategy=there).remote()
        address = self._ray.get(actor.listen.remote(self._service, self._host or own))
        return _Running(actor, address, actor.serve.remote())


class _Running(NamedTuple):
    """A server: its actor, its address, and what is there once it has ended."""

    actor: Any
    address: str
    ended: Any
