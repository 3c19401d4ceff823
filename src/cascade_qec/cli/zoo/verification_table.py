"""What verifying a card found, as tables for the terminal."""

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table

from cascade_qec.evaluation.card_facts import Fact
from cascade_qec.evaluation.verification import RowCheck
from cascade_qec.zoo.card import Measurement, RivalMeasurement


def facts_table(facts: Sequence[Fact]) -> Table:
    """One row for each fact; what was found in the card's place stands beside it."""
    table = Table("fact", "card", "found", "verdict", box=SIMPLE_HEAD)
    for fact in facts:
        found, verdict = ("", "holds") if fact.holds else (fact.found, "does not hold")
        table.add_row(fact.subject, fact.stated, found, verdict)
    return table


def checks_table(checks: Sequence[RowCheck]) -> Table:
    """One row for each row of the card, beside the new shots."""
    columns = ("row", "card", "new", "P", "seen", "verdict")
    table = Table(*columns, box=SIMPLE_HEAD)
    for check in checks:
        card, fresh, factor = check.card, check.fresh, check.visible_factor
        rate = fresh.block_error
        table.add_row(
            f"{100 * card.p:.3g} %\n{_decoder(card)}",
            _measured(card.failures, card.shots, card.block_error, card.low, card.high),
            _measured(fresh.failures, fresh.shots, rate.value, rate.low, rate.high),
            f"{check.p_value:.2g}",
            "-" if factor is None else f"{factor:.3g}x",
            check.verdict,
        )
    return table


def _decoder(card: Measurement) -> str:
    name = card.decoder if isinstance(card, RivalMeasurement) else "Cascade"
    return name if card.basis == "both" else f"{name} in {card.basis}"


def _measured(failures: int, shots: int, value: float, low: float, high: float) -> str:
    return f"{failures:,} / {shots:,}\n{value:.2e} [{low:.1e}, {high:.1e}]"
