"""What `cascade collect` shows: a bar on a terminal, plain lines in a log, a table at the end."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from cascade_qec import codes
from cascade_qec.evaluation.collection.collector import Effort, Progress
from cascade_qec.statistics import CONVENTION, per_logical_per_cycle, wilson

if TYPE_CHECKING:
    from cascade_qec.evaluation.collection.plan import Cell

_SECONDS_BETWEEN_LINES = 30.0
_WIDTH_OFF_TERMINAL = 140


class CollectionView:
    """Everything goes to stderr but the table of results."""

    def __init__(self) -> None:
        self._latest: dict[Cell, Progress] = {}
        self._finished = 0
        self._number = 0
        self._show: Callable[[Progress], None] = lambda progress: None

    def skipped(self, reason: str) -> None:
        print(f"Skipped: {reason}", file=sys.stderr)

    def decoder(self, name: str, parameters: Mapping[str, Any]) -> None:
        print(f"{name}: {_settings(parameters)}", file=sys.stderr)

    @contextmanager
    def tasks(self, number: int) -> Iterator[None]:
        """Show the progress of so many tasks within the block."""
        self._number = number
        if not sys.stderr.isatty():
            self._show = self._lines()
            yield
            return
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Bar

        columns = (TextColumn("tasks"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Bar(*columns, TextColumn("{task.description}"), console=Console(stderr=True)) as bar:
            task = bar.add_task("starting workers", total=number)
            self._show = lambda progress: bar.update(task, completed=self._finished, description=_line(progress))
            yield

    def report(self, progress: Progress) -> None:
        """Take note of a task's progress and show it."""
        self._latest[progress.cell] = progress
        self._finished += progress.finished
        self._show(progress)

    def print_table(self) -> None:
        """Print what there is of each task, with its rates and their convention."""
        table = Table(box=SIMPLE_HEAD, padding=(0, 1))
        for title in ("code", "p", "rounds", "basis", "decoder"):
            table.add_column(title)
        for title in ("errors / shots", "block error, 95 % interval", "per logical\nper cycle", "us / shot"):
            table.add_column(title, justify="right")
        for cell, progress in self._latest.items():
            table.add_row(
                cell.code, f"{100 * cell.p:.3g} %", str(cell.rounds), cell.basis, cell.decoder, *_rates(progress)
            )
        console = Console()
        if not console.is_terminal:
            console = Console(width=_WIDTH_OFF_TERMINAL)
        console.print(table)
        console.print(CONVENTION)

    def print_effort(self, effort: Effort, path: Path) -> None:
        """Print where the rows are and how much of the workers' time went into sampling and decoding."""
        text = f"{path}: {effort.shots:,} shots added"
        if effort.shots:
            share = effort.sampling_seconds / effort.worker_seconds
            text += f" in {effort.worker_seconds:.0f} s of workers' time, {share:.0%} of it sampling and decoding"
        if effort.deaths:
            text += f"; {effort.deaths} workers died and were replaced"
        print(text, file=sys.stderr)

    def _lines(self) -> Callable[[Progress], None]:
        last = time.monotonic()

        def show(progress: Progress) -> None:
            nonlocal last
            if progress.finished or time.monotonic() - last > _SECONDS_BETWEEN_LINES:
                print(f"{self._finished} of {self._number} tasks; {_line(progress)}", file=sys.stderr, flush=True)
                last = time.monotonic()

        return show


def _line(progress: Progress) -> str:
    return f"{progress.cell}: {progress.total.errors:,} errors in {progress.total.shots:,} shots{_discards(progress)}"


def _discards(progress: Progress) -> str:
    total = progress.total
    return f", {total.discards / total.shots:.2g} of them discarded" if total.discards else ""


def _settings(parameters: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in parameters.items()) or "no parameters"


def _rates(progress: Progress) -> tuple[str, str, str, str]:
    total, cell = progress.total, progress.cell
    accepted = total.shots - total.discards
    counts = f"{total.errors:,} / {accepted:,}"
    if total.discards:
        counts += f"\n{total.discards / total.shots:.2g} of shots discarded"
    if not accepted:
        return counts, "", "", ""
    block = wilson(total.errors, accepted)
    cycle = per_logical_per_cycle(block, k=codes.get(cell.code).k, rounds=cell.rounds)
    return (
        counts,
        f"{block.value:.2e} [{block.low:.1e}, {block.high:.1e}]",
        f"{cycle.value:.2e}" if total.errors else f"< {cycle.high:.1e}",
        f"{1e6 * total.seconds / total.shots:,.1f}",
    )
