"""Measured speeds as tables for the terminal."""

from collections.abc import Sequence
from functools import partial

from cascade_qec.cli.table import Column, number, show
from workshop.speed import ConvolutionRow, TrainingRow

_right = partial(Column, right=True)


def show_training(rows: Sequence[TrainingRow]) -> None:
    """Training speeds, a line between recipes, and below what the device was measured to do at best."""
    columns = [
        Column[TrainingRow]("recipe", lambda row: row.recipe),
        Column[TrainingRow]("variant", lambda row: row.variant),
        _right("shots", lambda row: f"{row.micro_batches} x {row.shots} x {row.bases}"),
        _right("shots/s", lambda row: f"{row.shots_per_second:,.0f}"),
        _ms("step", "step_ms"),
        _ms("forward", "forward_ms"),
        _ms("backward", "backward_ms"),
        _ms("update", "optimizer_ms"),
        _ms("data", "data_ms"),
        _right("FLOP\nshare", lambda row: f"{100 * row.utilisation:.1f} %", spare=1),
        _right("byte\nshare", lambda row: f"{100 * row.copy_share:.1f} %", spare=1),
        _right("of stock", _of_stock),
        _right("memory\nGiB", lambda row: number(row.peak_memory_gib), spare=1),
    ]
    notes = [
        f"{row.device}, {row.precision}, threads: {row.threads}. At best {row.matrix_rate / 1e12:.3g} TFLOP/s, "
        f"{row.copy_rate / 1e9:,.0f} GB/s."
        for row in rows
    ]
    show(rows, columns, notes=list(dict.fromkeys(notes)), section=lambda row: row.recipe)


def show_convolutions(rows: Sequence[ConvolutionRow]) -> None:
    """Speeds of the convolution alone, a line between recipes."""
    columns = [
        Column[ConvolutionRow]("recipe", lambda row: row.recipe),
        Column[ConvolutionRow]("relations", lambda row: row.relations, spare=1),
        Column[ConvolutionRow]("variant", lambda row: row.variant),
        _right("channels", lambda row: str(row.channels), spare=1),
        _right("shots", lambda row: f"{row.shots} x {row.bases}"),
        _ms("forward", "forward_ms"),
        _ms("backward", "backward_ms"),
        _right("TFLOP/s", lambda row: number(row.tflops)),
        _right("of stock", _of_stock),
    ]
    notes = dict.fromkeys(f"{row.device}, {row.precision}, threads: {row.threads}." for row in rows)
    show(rows, columns, notes=list(notes), section=lambda row: row.recipe)


def _ms(title: str, field: str) -> Column:
    return _right(f"{title}\nms", lambda row: number(getattr(row, field)))


def _of_stock(row: TrainingRow | ConvolutionRow) -> str:
    return "" if row.ratio_to_stock is None else f"{row.ratio_to_stock:.2f} x"
