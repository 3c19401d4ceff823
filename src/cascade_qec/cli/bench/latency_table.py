"""Measured latencies as a table for the terminal."""

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from cascade_qec.evaluation.latency.table import LatencyRow

# A pipe or a log has no width of its own; this holds the table without folding.
_WIDTH_OFF_TERMINAL = 140


def print_latencies(rows: Sequence[LatencyRow]) -> None:
    """Print latencies, a line between experiments and batch sizes."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1))
    for title in ("code", "decoder", "on"):
        table.add_column(title)
    for title in (
        "batch",
        "calls",
        "p50\nus/shot",
        "p99\nus/shot",
        "p99.9\nus/shot",
        "p50\nus/cycle",
        "CPU\nus/shot",
        "failures",
    ):
        table.add_column(title, justify="right")
    for i, row in enumerate(rows):
        table.add_row(
            row.code,
            row.decoder,
            " ".join(filter(None, (row.device, row.precision, f"x{row.threads}"))),
            str(row.batch),
            str(row.samples),
            *(_number(us) for us in (row.us_per_shot_p50, row.us_per_shot_p99, row.us_per_shot_p999)),
            _number(row.us_per_cycle_p50),
            _number(row.cpu_us_per_shot_mean),
            f"{row.failures}/{row.shots}",
            end_section=any((row.code, row.batch) != (other.code, other.batch) for other in rows[i + 1 : i + 2]),
        )
    console = Console()
    if not console.is_terminal:
        console = Console(width=_WIDTH_OFF_TERMINAL)
    console.print(table)
    experiments = dict.fromkeys((row.code, row.p, row.rounds, row.basis) for row in rows)
    for code, p, rounds, basis in experiments:
        console.print(f"{code}: p = {p:g}, {rounds} rounds, basis {basis}.", highlight=False)
    loads = [row.load_average for row in rows if row.load_average is not None]
    if loads:
        console.print(f"Load average of the machine: {max(loads):.1f}.", highlight=False)


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.3g}" if value < 100 else f"{value:,.0f}"
