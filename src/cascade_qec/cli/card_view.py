"""Cards as tables for the terminal."""

import json
from collections.abc import Mapping

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from cascade_qec.guards import Guards
from cascade_qec.statistics import CONVENTION
from cascade_qec.zoo import registry
from cascade_qec.zoo.card import Card, Measurement, RivalMeasurement
from cascade_qec.zoo.ladder import percent, standing

# A pipe or a log has no width of its own; this holds the tables without folding.
_WIDTH_OFF_TERMINAL = 120


def console() -> Console:
    """The terminal, or a plain stream wide enough for the tables."""
    # Without markup: a name such as "tesseract [beam 15]" is text.
    found = Console(markup=False, highlight=False)
    return found if found.is_terminal else Console(markup=False, highlight=False, width=_WIDTH_OFF_TERMINAL)


def models_table() -> Table:
    """One row for each shipped model."""
    table = Table("model", "code", "parameters", "shots seen", "block error, 95 % interval", "rung", title="Models")
    for name in registry.names():
        card = registry.card(name)
        table.add_row(name, card.code, f"{card.parameters:,}", f"{card.shots:,}", _headline(card), _rung(card))
    return table


def _rung(card: Card) -> str:
    found = standing(card)
    return "-" if found is None else found.reached


def suppression_line() -> str:
    """Lambda over the distances of the surface codes' models, which is a rung of them together."""
    from cascade_qec.evaluation.fits.cards import LAMBDA_RATE, LAMBDA_WANTED, cards_suppression

    found = cards_suppression(map(registry.card, registry.names()))
    if found is None:
        return "Rung 3 of surface codes: Lambda needs models of two distances."
    factor = found.factor
    return (
        f"Rung 3 of surface codes: Lambda {factor.value:.2f} [{factor.low:.2f}, {factor.high:.2f}] over "
        f"d = {_listed(list(found.distances))} at p = {percent([LAMBDA_RATE])}; "
        f"{'holds' if factor.value > LAMBDA_WANTED else 'does not hold'}, above {LAMBDA_WANTED:g} is asked for."
    )


def _headline(card: Card) -> str:
    """The measurement nearest to 0.3 %, the middle of the range that models are compared at."""
    if not card.measurements:
        return "not measured"
    row = min(card.measurements, key=lambda row: (abs(row.p - 0.003), row.basis != "both"))
    return f"{with_interval(row)} at p = {100 * row.p:.3g} %"


def card_view(card: Card) -> Group:
    """Everything the card says."""
    facts = Table.grid(padding=(0, 2))
    zero = card.zero_syndrome
    for title, value in [
        ("code", f"{card.code}, bases {' and '.join(card.bases)}, trained on {_listed(card.rounds)} rounds"),
        ("network", f"{card.parameters:,} parameters: {_settings(card.network)}"),
        ("training", f"{card.shots:,} shots in {card.hours:.3g} h on {card.hardware}, seed {card.seed}"),
        ("made", f"{card.date}, commit {card.commit}, {_settings(card.versions)}"),
        ("ladder", _ladder(card)),
        ("no event", f"{zero.observables_flipped} observables flipped, confidence {zero.min_confidence:.5f}"),
        ("guards", "" if card.guards is None else guards_text(card.guards)),
        ("notes", card.notes),
    ]:
        if value:
            facts.add_row(Text(title, style="bold"), Text(value))
    recipe = Text(json.dumps(card.recipe, indent=2))
    title = Text(card.name, style="bold underline")
    return Group(title, facts, _measurements(card), Text("Recipe", style="bold"), recipe)


def guards_text(guards: Guards) -> str:
    """Whether all guards hold, or which do not; then the figures of each."""
    broken = ", ".join(verdict.guard for verdict in guards.broken)
    figures = [f"{verdict.guard}: {verdict.figures}" for verdict in guards.verdicts]
    return "\n".join([f"broken: {broken}" if broken else "all hold", *figures])


def _ladder(card: Card) -> str:
    """The rung, and why it is not the next; then the rungs one by one."""
    found = standing(card)
    return "" if found is None else "\n".join(map(str, (found, *found.rungs)))


def _measurements(card: Card) -> Table:
    columns = ("p", "basis", "rounds", "decoder", "failures / shots", "block error", "per cycle")
    table = Table(*columns, box=SIMPLE_HEAD, caption=CONVENTION, caption_justify="left")
    rows: list[Measurement] = [*card.measurements, *card.rivals]
    for row in sorted(rows, key=lambda row: (row.p, row.basis, row.rounds)):
        table.add_row(
            f"{100 * row.p:.3g} %",
            row.basis,
            str(row.rounds),
            row.decoder if isinstance(row, RivalMeasurement) else "Cascade",
            f"{row.failures:,} / {row.shots:,}",
            with_interval(row),
            "-" if row.per_logical_per_cycle is None else f"{row.per_logical_per_cycle:.2e}",
        )
    return table


def with_interval(row: Measurement) -> str:
    """Its block error and 95 % interval."""
    return f"{row.block_error:.2e} [{row.low:.1e}, {row.high:.1e}]"


def _listed(numbers: list[int]) -> str:
    return ", ".join(map(str, numbers))


def _settings(settings: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in settings.items())
