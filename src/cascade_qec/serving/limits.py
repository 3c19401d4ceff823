"""What a server grants its clients."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """What one client can take from a server, and how long it is waited for.

    Attributes
    ----------
    sessions
        That are open at a time.
    experiment_bytes
        Of a circuit or error model.
    message_rounds, message_bytes
        That come in one message.
    rounds_behind
        A session that is further behind is not read from until it has caught up.
    experiments
        That are kept ready though no session uses them.
    batch_windows
        That are decided together.
    idle_seconds
        A session that sends nothing for so long, though rounds are missing, ends.
    write_seconds
        One that reads nothing for so long, though there are answers, ends too.
    """

    sessions: int = 256
    experiment_bytes: int = 4 << 20
    message_rounds: int = 1024
    message_bytes: int = 1 << 18
    rounds_behind: int = 10_000
    experiments: int = 16
    batch_windows: int = 1024
    idle_seconds: float = 300.0
    write_seconds: float = 30.0
