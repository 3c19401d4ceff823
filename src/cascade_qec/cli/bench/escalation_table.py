"""What escalation is worth, as a table for the terminal."""

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from cascade_qec.evaluation.escalation.table import EscalationRow
from cascade_qec.evaluation.escalation.thresholds import CRITERION
from cascade_qec.statistics import wilson

# A pipe or a log has no width of its own; this holds the table without folding.
_WIDTH_OFF_TERMINAL = 155


def print_escalation(rows: Sequence[EscalationRow]) -> None:
    """Print the rows of one measurement, and the threshold that it is about."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1))
    table.add_column("", no_wrap=True)
    for title in (
        "threshold",
        "escalated",
        "failures / shots",
        "block error",
        "less the fallback's",
        "µs a shot",
    ):
        table.add_column(title, justify="right", no_wrap=True)
    chosen = next((row for row in rows if row.part == "chosen"), None)
    for row in rows:
        if row.part != "chosen":
            table.add_row(*_cells(row))
    if chosen:
        table.add_section()
        table.add_row(*_cells(chosen))
        same = wilson(chosen.fallback_failures, chosen.shots)
        table.add_row(
            "fallback, same shots",
            "",
            "",
            f"{chosen.fallback_failures:,} / {chosen.shots:,}",
            _interval(same.value, same.low, same.high),
        )
    console = Console()
    if not console.is_terminal:
        console = Console(width=_WIDTH_OFF_TERMINAL)
    first = rows[0]
    console.print(
        f"{first.decoder} and {first.fallback}: {first.code}, p = {first.p:g}, {first.rounds} rounds, "
        f"basis {first.basis}.",
        highlight=False,
    )
    console.print(table)
    console.print(
        f"Network in batches of {first.batch}, fallback one shot at a time. Intervals 95 %; the difference is paired, "
        "on the same shots.",
        highlight=False,
    )
    if first.load_average is not None:
        console.print(f"Load average of the machine: {first.load_average:.1f}.", highlight=False)
    console.print(f"{first.fallback}: {first.parameters or 'no parameters'}.", highlight=False)
    for line in _verdict(chosen, rows[-1]):
        console.print(line, highlight=False)


def _cells(row: EscalationRow) -> list[str]:
    names = {"network": "network alone", "curve": "", "chosen": "chosen", "fallback": "fallback alone"}
    alone = row.part == "fallback"
    return [
        names[row.part],
        "" if row.threshold is None or row.part == "network" else _threshold(row.threshold),
        "" if alone else f"{100 * row.escalated_fraction:.3g} %",
        f"{row.failures:,} / {row.shots:,}",
        _interval(row.block_error, row.block_error_low, row.block_error_high),
        "" if alone else _interval(row.difference, row.difference_low, row.difference_high),
        f"{row.us_per_shot:,.0f} ± {(row.us_per_shot_high - row.us_per_shot_low) / 2:,.0f}",
    ]


def _verdict(chosen: EscalationRow | None, fallback: EscalationRow) -> list[str]:
    if chosen is None:
        return [
            "No threshold was chosen: on the first half of the shots the network never failed, or it did so with "
            "confidence 1."
        ]
    assert chosen.threshold is not None  # only the fallback alone has none
    within = chosen.block_error <= wilson(chosen.fallback_failures, chosen.shots).high
    return [
        f"Chosen: {CRITERION}. Tried on the second half.",
        f"Its block error is {'within' if within else 'above'} the interval of the fallback's on the same shots, at "
        f"{chosen.us_per_shot / fallback.us_per_shot:.3g} of its time; "
        f"{100 * chosen.escalated_fraction:.3g} % of the shots are escalated:",
        f'cascade.load("{chosen.decoder.partition(":")[2]}", fallback="{chosen.fallback}", '
        f"below={_threshold(chosen.threshold)})",
    ]


def _threshold(value: float) -> str:
    """Digits enough to tell confidences near 1 apart."""
    return f"{value:.8g}"


def _interval(value: float, low: float, high: float) -> str:
    return f"{_short(value, 2)} [{_short(low, 1)}, {_short(high, 1)}]"


def _short(value: float, digits: int) -> str:
    """Like 1.06e-2: exponents here have one digit, and columns are narrow."""
    return f"{value:.{digits}e}".replace("e-0", "e-").replace("e+00", "")
