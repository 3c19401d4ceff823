"""Background processes, and the signals that they leave to the process that started them."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker


@contextmanager
def signals_blocked() -> Iterator[None]:
    """Processes started in this context never see SIGINT and SIGTERM, also where these go to the whole group.

    The process that starts them decides when to stop, and ends them.
    """
    resource_tracker.ensure_running()  # it comes with the first process, and would unblock the signals again
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
