"""Reliability and post-selection as tables for the terminal."""

from collections.abc import Sequence

from cascade_qec.cli.table import Column, counted, percent, short, show, with_interval
from cascade_qec.evaluation.reliability.cluster_norm import PARAMETERS, ClusterNorm
from cascade_qec.evaluation.reliability.tables import CalibrationRow, PostSelectionRow

_CALIBRATION_NOTE = (
    "ECE: mean |observed - predicted| over bins of equal mass; in brackets 95 %; 'by chance': what it would be at "
    "most if the predictions were right."
)
_POST_SELECTION_NOTE = (
    "Thresholds chosen on one half of the shots, figures from the other; block error of accepted shots, any "
    "observable wrong; intervals: Wilson, 95 %."
)


def print_calibration(rows: Sequence[CalibrationRow]) -> None:
    """Print rows of calibration.csv."""
    columns: list[Column[CalibrationRow]] = [
        Column("code", lambda row: row.code),
        Column("basis", lambda row: row.basis),
        Column("p", lambda row: percent(row.p)),
        Column("decoder", lambda row: row.decoder),
        Column("of", lambda row: row.of),
        Column("shots", lambda row: f"{row.shots:,}", right=True, spare=1),
        Column("ECE", lambda row: with_interval(row.ece), right=True),
        Column("by chance", lambda row: short(row.ece_if_calibrated, 1), right=True),
        Column("Brier score", lambda row: with_interval(row.brier), right=True, spare=2),
        Column("log loss", lambda row: with_interval(row.log_loss), right=True, spare=3),
    ]
    show(rows, columns, notes=[_CALIBRATION_NOTE])


def print_post_selection(rows: Sequence[PostSelectionRow], discards: Sequence[float]) -> None:
    """Print rows of post_selection.csv at some discard rates, error against p at each, and BP+LSD's settings."""
    notes = [_POST_SELECTION_NOTE]
    if any(row.decoder == ClusterNorm.name for row in rows):
        notes.append(f"{ClusterNorm.name}: {', '.join(f'{name}={value}' for name, value in PARAMETERS.items())}")
    columns: list[Column[PostSelectionRow]] = [
        Column("discard", lambda row: percent(row.discard)),
        Column("code", lambda row: row.code),
        Column("basis", lambda row: row.basis),
        Column("p", lambda row: percent(row.p)),
        Column("decoder", lambda row: row.decoder),
        Column("by", lambda row: row.method),
        Column("accepted", lambda row: f"{100 * row.accepted_fraction.value:.2f} %", right=True, spare=1),
        Column("failures / accepted", lambda row: counted(row.failures, row.accepted), right=True, spare=2),
        Column(
            "block error",
            lambda row: with_interval(row.block_error) if row.block_error else "none accepted",
            right=True,
        ),
    ]
    shown = [row for rate in sorted({0.0, *discards}) for row in rows if row.discard == rate]
    show(shown, columns, notes=notes, section=lambda row: row.discard)
