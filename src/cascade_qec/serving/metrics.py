"""Figures of a server, as Prometheus reads them."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

_SECONDS = tuple(base * 10.0**power for power in range(-5, 2) for base in (1, 2, 5))
_WINDOWS = tuple(2.0**power for power in range(11))


class Metrics:
    """What a server counts, in a registry of its own.

    Attributes
    ----------
    port : int or None
        Where it answers Prometheus.
    """

    def __init__(self) -> None:
        self.port: int | None = None
        self.registry = CollectorRegistry()
        self._open = Gauge("cascade_sessions", "Sessions that are open.", registry=self.registry)
        self._behind = Gauge(
            "cascade_rounds_behind", "Rounds that wait to be decided though they could be.", registry=self.registry
        )
        self._most_behind = Gauge(
            "cascade_rounds_behind_most", "The same of the session that has most.", registry=self.registry
        )
        self._ended = Counter(
            "cascade_sessions_ended", "Sessions that ended, by their status.", ["status"], registry=self.registry
        )
        self._rounds = Counter("cascade_rounds", "Rounds received.", registry=self.registry)
        self._windows = Histogram(
            "cascade_window_seconds",
            "From a window's last round to what is decided.",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._batches = Histogram(
            "cascade_batch_windows", "Windows decided together.", buckets=_WINDOWS, registry=self.registry
        )
        self._turns = Histogram(
            "cascade_turn_seconds",
            "Time that the decoding thread takes.",
            buckets=_SECONDS,
            registry=self.registry,
        )

    def watch(self, behind: Callable[[], list[int]]) -> None:
        """Ask for the rounds that each session is behind whenever somebody asks."""
        self._open.set_function(lambda: len(behind()))
        self._behind.set_function(lambda: sum(behind()))
        self._most_behind.set_function(lambda: max(behind(), default=0))

    def received(self, rounds: int) -> None:
        """Rounds have come."""
        self._rounds.inc(rounds)

    def batch(self, windows: int) -> None:
        """So many windows were decided together."""
        self._batches.observe(windows)

    def turn(self, seconds: float) -> None:
        """Sessions had the decoding thread for so long."""
        self._turns.observe(seconds)

    def window(self, seconds: float) -> None:
        """A window was decided so long after its last round came."""
        self._windows.observe(seconds)

    def ended(self, status: str) -> None:
        """A session ended."""
        self._ended.labels(status).inc()

    def serve(self, port: int) -> None:
        """Answer Prometheus from here on, for this machine only, at ``/metrics`` of a port; 0 is one that is free."""
        server, _ = start_http_server(port, "127.0.0.1", self.registry)
        self.port = server.server_port
