"""What escalation is worth, as a table for the terminal."""

from collections.abc import Sequence

from cascade_qec.cli.table import Column, counted, show, with_interval
from cascade_qec.evaluation.escalation.table import EscalationRow
from cascade_qec.evaluation.escalation.thresholds import CRITERION
from cascade_qec.statistics import wilson

_NAMES = {"network": "network alone", "curve": "", "chosen": "chosen", "fallback": "fallback alone"}


def print_escalation(rows: Sequence[EscalationRow]) -> None:
    """Print the rows of one measurement, and the threshold that it is about."""
    first = rows[0]
    chosen = next((row for row in rows if row.part == "chosen"), None)
    notes = [
        f"Network in batches of {first.batch}, fallback one shot at a time. Intervals 95 %; the difference is paired, "
        "on the same shots."
    ]
    if first.load_average is not None:
        notes.append(f"Load average of the machine: {first.load_average:.1f}.")
    notes.append(f"{first.fallback}: {first.parameters or 'no parameters'}.")
    columns: list[Column[EscalationRow]] = [
        Column("", lambda row: _NAMES[row.part]),
        Column("threshold", _threshold_of, right=True),
        Column("escalated", lambda row: _unless_alone(row, f"{100 * row.escalated_fraction:.3g} %"), right=True),
        Column("failures / shots", lambda row: counted(row.failures, row.shots), right=True, spare=2),
        Column("block error", lambda row: with_interval(row.block_error), right=True),
        Column("less the fallback's", lambda row: _unless_alone(row, with_interval(row.difference)), True, 1),
        Column("µs a shot", _time, right=True),
    ]
    show(
        sorted(rows, key=lambda row: row.part == "chosen"),
        columns,
        f"{first.decoder} and {first.fallback}: {first.code}, p = {first.p:g}, {first.rounds} rounds, "
        f"basis {first.basis}.",
        [*notes, *_verdict(chosen, rows[-1])],
        section=lambda row: row.part == "chosen",
    )


def _unless_alone(row: EscalationRow, text: str) -> str:
    return "" if row.part == "fallback" else text


def _time(row: EscalationRow) -> str:
    time = row.us_per_shot
    return f"{time.value:,.0f} ± {(time.high - time.low) / 2:,.0f}"


def _verdict(chosen: EscalationRow | None, fallback: EscalationRow) -> list[str]:
    if chosen is None:
        return [
            "No threshold was chosen: on the first half of the shots the network never failed, or it did so with "
            "confidence 1."
        ]
    same = wilson(chosen.fallback_failures, chosen.shots)
    return [
        f"Chosen: {CRITERION}. Tried on the second half.",
        f"The fallback alone on these shots: {counted(chosen.fallback_failures, chosen.shots)}, {with_interval(same)}.",
        f"The block error is {'within' if chosen.block_error.value <= same.high else 'above'} that interval, at "
        f"{chosen.us_per_shot.value / fallback.us_per_shot.value:.3g} of the fallback's time; "
        f"{100 * chosen.escalated_fraction:.3g} % of the shots are escalated:",
        f'cascade.load("{chosen.decoder.partition(":")[2]}", fallback="{chosen.fallback}", below={chosen.threshold})',
    ]


def _threshold_of(row: EscalationRow) -> str:
    """Eight digits, and all of them where those would say 1 of less."""
    if row.threshold is None or row.part == "network":
        return ""
    short = f"{row.threshold:.8g}"
    return str(row.threshold) if short == "1" else short
