"""Progress of long commands: a bar on a terminal, plain lines in a log."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

INTERRUPTED = 130
"""Exit status of a command that Ctrl-C ended."""

NOTHING_KEPT = "no file was written; the same command starts again"
"""What `interruptible` says of commands that write at their end."""

_SECONDS_BETWEEN_LINES = 10.0


class Report(Protocol):
    """Shows that so many of a total are done, or of nobody knows how many, and a text about the latest."""

    def __call__(self, done: int, total: int | None, text: str = "") -> None: ...


def tell(text: str) -> None:
    """A line on stderr, at once."""
    print(text, file=sys.stderr, flush=True)


@contextmanager
def interruptible(kept: str) -> Iterator[None]:
    """Ctrl-C in the block ends the command with exit status 130 and a line that says what is kept and how to go on."""
    try:
        yield
    except KeyboardInterrupt:
        tell(f"Interrupted: {kept}")
        raise SystemExit(INTERRUPTED) from None


@contextmanager
def progress(step: str) -> Iterator[Report]:
    """Give a function that shows how far `step` has come, on stderr."""
    if sys.stderr.isatty():
        with _bar(step) as report:
            yield report
    else:
        yield _lines(step)


@contextmanager
def percent(step: str) -> Iterator[Callable[[float], None]]:
    """Give a function that shows which share of `step` is done, 0 to 1, on stderr."""
    with progress(f"{step}, percent") as report:
        yield lambda done: report(round(100 * done), 100)


@contextmanager
def _bar(step: str) -> Iterator[Report]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn(step), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, TextColumn("{task.description}", markup=False), console=Console(stderr=True)) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total, text="": bar.update(task, completed=done, total=total, description=text)


def _lines(step: str) -> Report:
    last = time.monotonic()

    def report(done: int, total: int | None, text: str = "") -> None:
        nonlocal last
        if done == total or time.monotonic() - last > _SECONDS_BETWEEN_LINES:
            of_total = "" if total is None else f" of {total}"
            print(f"{step}: {done}{of_total}{text and f'; {text}'}", file=sys.stderr, flush=True)
            last = time.monotonic()

    return report
