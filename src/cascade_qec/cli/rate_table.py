"""Result rows as a table for the terminal."""

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from cascade_qec.evaluation.tables import Row
from cascade_qec.statistics import CONVENTION, Interval

# A pipe or a log has no width of its own; this holds the table without folding.
_WIDTH_OFF_TERMINAL = 120


def print_rates(rows: Sequence[Row]) -> None:
    """Print rows with their rates, a line between experiments, and the convention below."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1))
    for title in ("code", "p", "decoder"):
        table.add_column(title)
    for title in ("failures / shots", "block error, 95 % interval", "per logical\nper cycle", "us / shot"):
        table.add_column(title, justify="right")
    for i, row in enumerate(rows):
        following = rows[i + 1 : i + 2]
        table.add_row(
            row.code,
            f"{100 * row.p:.3g} %",
            row.decoder,
            f"{row.failures:,} / {row.shots:,}",
            _with_interval(row.block_error),
            _alone(row.per_logical_per_cycle),
            f"{row.microseconds_per_shot:,.1f}",
            end_section=any((row.code, row.p) != (other.code, other.p) for other in following),
        )
    console = Console()
    if not console.is_terminal:
        console = Console(width=_WIDTH_OFF_TERMINAL)
    console.print(table)
    console.print(CONVENTION)


def _with_interval(rate: Interval) -> str:
    return f"{_short(rate.value, 2)} [{_short(rate.low, 1)}, {_short(rate.high, 1)}]"


def _alone(rate: Interval) -> str:
    return _short(rate.value, 2) if rate.value else f"< {_short(rate.high, 1)}"


def _short(value: float, digits: int) -> str:
    """Like 1.06e-2: exponents here have one digit, and columns are narrow."""
    return f"{value:.{digits}e}".replace("e-0", "e-").replace("e+00", "")
