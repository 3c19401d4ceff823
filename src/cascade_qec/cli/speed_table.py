"""Measured speeds as tables for the terminal."""

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from cascade_qec.performance import ConvolutionRow, TrainingRow

# A pipe or a log has no width of its own; this holds the tables without folding.
_WIDTH_OFF_TERMINAL = 140


def print_training(rows: Sequence[TrainingRow]) -> None:
    """Print training speeds, a line between recipes, and below what the device was measured to do at best."""
    times = [f"{part}\nms" for part in ("step", "forward", "backward", "update", "data")]
    table = _table(
        ("recipe", "variant"),
        ("shots", "shots/s", *times, "FLOP\nshare", "byte\nshare", "of stock", "memory\nGiB"),
    )
    for i, row in enumerate(rows):
        table.add_row(
            row.recipe,
            row.variant,
            f"{row.micro_batches} x {row.shots} x {row.bases}",
            f"{row.shots_per_second:,.0f}",
            *(_number(ms) for ms in (row.step_ms, row.forward_ms, row.backward_ms, row.optimizer_ms, row.data_ms)),
            f"{100 * row.utilisation:.1f} %",
            f"{100 * row.copy_share:.1f} %",
            _ratio(row.ratio_to_stock),
            "" if row.peak_memory_gib is None else f"{row.peak_memory_gib:.1f}",
            end_section=any(row.recipe != other.recipe for other in rows[i + 1 : i + 2]),
        )
    lines = dict.fromkeys(
        f"{row.device}, {row.precision}, threads: {row.threads}. At best {row.matrix_rate / 1e12:.3g} TFLOP/s, "
        f"{row.copy_rate / 1e9:,.0f} GB/s."
        for row in rows
    )
    _print(table, list(lines))


def print_convolutions(rows: Sequence[ConvolutionRow]) -> None:
    """Print speeds of the convolution alone, a line between recipes."""
    table = _table(
        ("recipe", "relations", "variant"),
        ("channels", "shots", "forward\nms", "backward\nms", "TFLOP/s", "of stock"),
    )
    for i, row in enumerate(rows):
        table.add_row(
            row.recipe,
            row.relations,
            row.variant,
            str(row.channels),
            f"{row.shots} x {row.bases}",
            _number(row.forward_ms),
            _number(row.backward_ms),
            _number(row.tflops),
            _ratio(row.ratio_to_stock),
            end_section=any(row.recipe != other.recipe for other in rows[i + 1 : i + 2]),
        )
    _print(table, list(dict.fromkeys(f"{row.device}, {row.precision}, threads: {row.threads}." for row in rows)))


def _table(left: Sequence[str], right: Sequence[str]) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1))
    for title in left:
        table.add_column(title)
    for title in right:
        table.add_column(title, justify="right")
    return table


def _print(table: Table, lines: Sequence[str]) -> None:
    console = Console()
    if not console.is_terminal:
        console = Console(width=_WIDTH_OFF_TERMINAL)
    console.print(table)
    for line in lines:
        console.print(line, highlight=False)


def _number(value: float) -> str:
    return f"{value:.3g}" if value < 100 else f"{value:,.0f}"


def _ratio(value: float | None) -> str:
    return "" if value is None else f"{value:.2f} x"
