"""What verifying a card found, on the terminal."""

from collections.abc import Sequence

from cascade_qec.cli.table import Column, counted, percent, show, with_interval
from cascade_qec.evaluation.tables import Row
from cascade_qec.evaluation.verification import Fact, RowCheck
from cascade_qec.statistics import Interval
from cascade_qec.zoo.card import Measurement


def show_facts_of_card(facts: Sequence[Fact]) -> None:
    """Print a row for each fact; what was found in the card's place stands beside it."""
    columns = [
        Column[Fact]("fact", lambda fact: fact.subject),
        Column[Fact]("card", lambda fact: fact.stated),
        Column[Fact]("found", lambda fact: "" if fact.holds else fact.found),
        Column[Fact]("verdict", lambda fact: "holds" if fact.holds else "does not hold"),
    ]
    show(facts, columns)


def show_checks(checks: Sequence[RowCheck], notes: Sequence[str]) -> None:
    """Print a row for each row of the card, beside the new shots."""
    columns = [
        Column[RowCheck]("row", _row),
        Column[RowCheck]("card", lambda check: _measured(check.card, check.card.interval)),
        Column[RowCheck]("new", lambda check: _measured(check.fresh, check.fresh.block_error)),
        Column[RowCheck]("P", lambda check: f"{check.p_value:.2g}", right=True, spare=1),
        Column[RowCheck]("seen", _seen, right=True, spare=1),
        Column[RowCheck]("verdict", lambda check: check.verdict),
    ]
    show(checks, columns, notes=notes)


def _row(check: RowCheck) -> str:
    card = check.card
    return f"{percent(card.p)}\n{card.who}{'' if card.basis == 'both' else f' in {card.basis}'}"


def _measured(row: Measurement | Row, rate: Interval) -> str:
    return f"{counted(row.failures, row.shots)}\n{with_interval(rate)}"


def _seen(check: RowCheck) -> str:
    return "-" if check.visible_factor is None else f"{check.visible_factor:.3g}x"
