"""What is seen of a download: a bar on a terminal, one plain line in a log."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def shown(step: str, total: int, source: str) -> Iterator[Callable[[int], None]]:
    """Give a function that takes how many of `total` bytes have come, and shows it on stderr."""
    if not sys.stderr.isatty():
        print(f"{step}: {total:,} bytes from {source}", file=sys.stderr, flush=True)
        yield lambda done: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(step, total=total)
        yield lambda done: bar.update(task, completed=done)
