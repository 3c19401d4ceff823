"""Calibration and post-selection as tables for the terminal."""

from collections.abc import Mapping, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

# A pipe or a log has no width of its own; this holds the tables without folding.
_WIDTH_OFF_TERMINAL = 150

CALIBRATION_NOTE = (
    "ECE: mean |observed - predicted| over bins of equal mass; in brackets 95 %; 'by chance': what it would be at "
    "most if the predictions were right."
)
POST_SELECTION_NOTE = (
    "Thresholds chosen on one half of the shots, figures from the other; block error of accepted shots, any "
    "observable wrong; intervals: Wilson, 95 %."
)


def print_calibration(records: Sequence[Mapping[str, object]]) -> None:
    """Print rows of calibration.csv."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1))
    for title in ("code", "basis", "p", "decoder", "of"):
        table.add_column(title, no_wrap=True)
    for title in ("shots", "ECE", "by chance", "Brier score", "log loss"):
        table.add_column(title, justify="right")
    for record in records:
        table.add_row(
            str(record["code"]),
            str(record["basis"]),
            _percent(record["p"]),
            str(record["decoder"]),
            str(record["of"]),
            f"{int(str(record['shots'])):,}",
            _with_interval(record, "ece"),
            _short(record["ece_if_calibrated"], 1),
            _with_interval(record, "brier"),
            _with_interval(record, "log_loss"),
        )
    _print(table, CALIBRATION_NOTE)


def print_post_selection(records: Sequence[Mapping[str, object]], discards: Sequence[float]) -> None:
    """Print rows of post_selection.csv at some discard rates, error against p at each, and BP+LSD's settings."""
    from cascade_qec.evaluation.reliability.cluster_norm import PARAMETERS, ClusterNorm

    table = Table(box=SIMPLE_HEAD, padding=(0, 1))
    for title in ("discard", "code", "basis", "p", "decoder", "by"):
        table.add_column(title, no_wrap=True)
    for title in ("accepted", "failures / accepted", "block error"):
        table.add_column(title, justify="right")
    for rate in sorted({0.0, *discards}):
        here = [record for record in records if float(str(record["discard"])) == rate]
        for record in here:
            table.add_row(
                _percent(rate),
                str(record["code"]),
                str(record["basis"]),
                _percent(record["p"]),
                str(record["decoder"]),
                str(record["method"]),
                f"{100 * float(str(record['accepted_fraction'])):.2f} %",
                f"{int(str(record['failures'])):,} / {int(str(record['accepted'])):,}",
                _with_interval(record, "block_error") if str(record["block_error"]) else "none accepted",
                end_section=record is here[-1],
            )
    _print(table, POST_SELECTION_NOTE)
    if any(record["decoder"] == ClusterNorm.name for record in records):
        print(f"{ClusterNorm.name}: {', '.join(f'{name}={value}' for name, value in PARAMETERS.items())}")


def _print(table: Table, note: str) -> None:
    console = Console()
    if not console.is_terminal:
        console = Console(width=_WIDTH_OFF_TERMINAL)
    console.print(table)
    console.print(note)


def _percent(value: object) -> str:
    return f"{100 * float(str(value)):.3g} %"


def _with_interval(record: Mapping[str, object], name: str) -> str:
    low, high = _short(record[f"{name}_low"], 1), _short(record[f"{name}_high"], 1)
    return f"{_short(record[name], 2)} [{low}, {high}]"


def _short(value: object, digits: int) -> str:
    """Like 1.06e-2: exponents here have one digit, and columns are narrow."""
    return f"{float(str(value)):.{digits}e}".replace("e-0", "e-").replace("e+00", "")
