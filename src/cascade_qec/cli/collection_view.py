"""What `cascade collect` shows of its tasks."""

from __future__ import annotations

from collections.abc import Iterable

from cascade_qec import codes
from cascade_qec.cli.rate_table import or_below
from cascade_qec.cli.table import Column, counted, percent, show, with_interval
from cascade_qec.evaluation.collection import Progress
from cascade_qec.statistics import CONVENTION, Interval, per_logical_per_cycle, wilson

_COLUMNS = (
    Column[Progress]("code", lambda found: found.cell.code),
    Column[Progress]("p", lambda found: percent(found.cell.p)),
    Column[Progress]("rounds", lambda found: str(found.cell.rounds), spare=1),
    Column[Progress]("basis", lambda found: found.cell.basis),
    Column[Progress]("decoder", lambda found: found.cell.decoder),
    Column[Progress]("errors / shots", lambda found: _counts(found), right=True, spare=2),
    Column[Progress](
        "block error, 95 % interval", lambda found: with_interval(_block(found)) if found.accepted else "", right=True
    ),
    Column[Progress](
        "per logical\nper cycle",
        lambda found: or_below(_per_cycle(found)) if found.accepted else "",
        right=True,
        spare=4,
    ),
    Column[Progress]("us / shot", lambda found: _speed(found), right=True, spare=3),
)


def line(found: Progress) -> str:
    """What there is of a task, in a line."""
    discards = f", {_share(found)} of them discarded" if found.total.discards else ""
    return f"{found.cell}: {found.total.errors:,} errors in {found.total.shots:,} shots{discards}"


def print_collection(tasks: Iterable[Progress]) -> None:
    """Print what there is of each task, with its rates and their convention."""
    show(tasks, _COLUMNS, notes=[CONVENTION])


def _counts(found: Progress) -> str:
    discards = f"\n{_share(found)} of shots discarded" if found.total.discards else ""
    return counted(found.total.errors, found.accepted) + discards


def _share(found: Progress) -> str:
    return f"{found.total.discards / found.total.shots:.2g}"


def _block(found: Progress) -> Interval:
    return wilson(found.total.errors, found.accepted)


def _per_cycle(found: Progress) -> Interval:
    return per_logical_per_cycle(_block(found), k=codes.get(found.cell.code).k, rounds=found.cell.rounds)


def _speed(found: Progress) -> str:
    return f"{1e6 * found.total.seconds / found.total.shots:,.1f}" if found.total.shots else ""
