"""Result rows as a table for the terminal."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from cascade_qec.evaluation.rates import CONVENTION, Rate
from cascade_qec.evaluation.tables import Row

# A pipe or a log has no width of its own; this holds the table without folding.
_WIDTH_OFF_TERMINAL = 120


def print_rates(rows: Sequence[Row]) -> None:
    """Print rows with their rates, a line between experiments, and the convention below."""
    table = Table(
        "code",
        "p",
        "decoder",
        "shots",
        "failures",
        "block error, 95 % interval",
        "per logical per cycle",
        "us / shot",
    )
    for column in table.columns[3:]:
        column.justify = "right"
    for i, row in enumerate(rows):
        following = rows[i + 1 : i + 2]
        table.add_row(
            row.code,
            f"{100 * row.p:.3g} %",
            row.decoder,
            f"{row.shots:,}",
            f"{row.failures:,}",
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


def _with_interval(rate: Rate) -> str:
    return f"{rate.value:.2e} [{rate.low:.1e}, {rate.high:.1e}]"


def _alone(rate: Rate) -> str:
    return f"{rate.value:.2e}" if rate.value else f"< {rate.high:.1e}"
