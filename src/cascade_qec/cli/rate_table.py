"""Result rows as a table for the terminal."""

from collections.abc import Sequence

from cascade_qec.cli.table import Column, counted, percent, short, show, with_interval
from cascade_qec.evaluation.tables import Row
from cascade_qec.statistics import CONVENTION, Interval

_COLUMNS = (
    Column[Row]("code", lambda row: row.code),
    Column[Row]("p", lambda row: percent(row.p)),
    Column[Row]("decoder", lambda row: row.decoder),
    Column[Row]("failures / shots", lambda row: counted(row.failures, row.shots), right=True, spare=1),
    Column[Row]("block error, 95 % interval", lambda row: with_interval(row.block_error), right=True),
    Column[Row]("per logical\nper cycle", lambda row: or_below(row.per_logical_per_cycle), right=True, spare=3),
    Column[Row]("us / shot", lambda row: f"{row.microseconds_per_shot:,.1f}", right=True, spare=2),
)


def print_rates(rows: Sequence[Row]) -> None:
    """Print rows with their rates, a line between experiments, and the convention below."""
    show(rows, _COLUMNS, notes=[CONVENTION], section=lambda row: (row.code, row.p))


def or_below(rate: Interval) -> str:
    """A rate alone; its upper end where nothing failed."""
    return short(rate.value) if rate.value else f"< {short(rate.high, 1)}"
