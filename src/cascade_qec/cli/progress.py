"""Progress of long commands: a bar on a terminal, plain lines in a log."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_SECONDS_BETWEEN_LINES = 10.0


@contextmanager
def progress(step: str) -> Iterator[Callable[[int, int], None]]:
    """Give a function ``(done, total)`` that shows how far `step` has come, on stderr."""
    if sys.stderr.isatty():
        with _bar(step) as report:
            yield report
    else:
        yield _lines(step)


@contextmanager
def _bar(step: str) -> Iterator[Callable[[int, int], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(step, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _lines(step: str) -> Callable[[int, int], None]:
    last = time.monotonic()

    def report(done: int, total: int) -> None:
        nonlocal last
        if done == total or time.monotonic() - last > _SECONDS_BETWEEN_LINES:
            print(f"{step}: {done} of {total}", file=sys.stderr, flush=True)
            last = time.monotonic()

    return report
