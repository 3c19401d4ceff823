"""Rates of comparisons and of collections as tables for the terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from cascade_qec import codes
from cascade_qec.cli.table import Column, counted, percent, short, show, with_interval
from cascade_qec.statistics import CONVENTION, Interval, per_logical_per_cycle, wilson

if TYPE_CHECKING:  # a comparison is shown without what collections need
    from cascade_qec.evaluation.collection import Progress
    from cascade_qec.evaluation.tables import Row

_OF_ROWS: list[Column[Row]] = [
    Column("code", lambda row: row.code),
    Column("p", lambda row: percent(row.p)),
    Column("decoder", lambda row: row.decoder),
    Column("failures / shots", lambda row: counted(row.failures, row.shots), right=True, spare=1),
    Column("block error, 95 % interval", lambda row: with_interval(row.block_error), right=True),
    Column("per logical\nper cycle", lambda row: or_below(row.per_logical_per_cycle), right=True, spare=3),
    Column("us / shot", lambda row: f"{row.microseconds_per_shot:,.1f}", right=True, spare=2),
]
_OF_TASKS: list[Column[Progress]] = [
    Column("code", lambda found: found.cell.code),
    Column("p", lambda found: percent(found.cell.p)),
    Column("rounds", lambda found: str(found.cell.rounds), spare=1),
    Column("basis", lambda found: found.cell.basis),
    Column("decoder", lambda found: found.cell.decoder),
    Column("errors / shots", lambda found: _counts(found), right=True, spare=2),
    Column(
        "block error, 95 % interval", lambda found: with_interval(_block(found)) if found.accepted else "", right=True
    ),
    Column(
        "per logical\nper cycle",
        lambda found: or_below(_per_cycle(found)) if found.accepted else "",
        right=True,
        spare=4,
    ),
    Column("us / shot", lambda found: _speed(found), right=True, spare=3),
    Column("ended by", lambda found: found.ended_by or ""),
]


def print_rates(rows: Sequence[Row]) -> None:
    """Print rows with their rates, a line between experiments, and the convention below."""
    show(rows, _OF_ROWS, notes=[CONVENTION], section=lambda row: (row.code, row.p))


def or_below(rate: Interval) -> str:
    """A rate alone; its upper end where nothing failed."""
    return short(rate.value) if rate.value else f"< {short(rate.high, 1)}"


def line(found: Progress) -> str:
    """What there is of a task, in a line."""
    discards = f", {_share(found)} of them discarded" if found.total.discards else ""
    ended = f", ended by {found.ended_by}" if found.ended_by else ""
    return f"{found.cell}: {found.total.errors:,} errors in {found.total.shots:,} shots{discards}{ended}"


def print_collection(tasks: Sequence[Progress]) -> None:
    """Print what there is of each task, with its rates, their convention, and the limits that ended the tasks."""
    ended = Counter(found.ended_by for found in tasks if found.ended_by)
    parts = [f"{number} by {limit}" for limit, number in sorted(ended.items())]
    show(tasks, _OF_TASKS, notes=[CONVENTION, f"Tasks ended: {', '.join(parts)}."])


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
