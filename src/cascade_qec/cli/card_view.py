"""Models and their cards on the terminal."""

import json
from collections.abc import Iterable, Mapping

from rich.text import Text

from cascade_qec.cli.table import Column, console, counted, percent, short, show, show_facts, with_interval
from cascade_qec.guards import Guards
from cascade_qec.statistics import CONVENTION
from cascade_qec.zoo import registry
from cascade_qec.zoo.card import Card, Measurement
from cascade_qec.zoo.home import home
from cascade_qec.zoo.ladder import standing

_SOURCES = {
    "bundled": "Come with the package",
    "fetched": "Fetched",
    "released": "Released, fetched on first use",
}


def show_models() -> None:
    """Print a row for each model at hand."""
    columns = [
        Column[Card]("model", lambda card: card.name),
        Column[Card]("code", lambda card: card.code, spare=2),
        Column[Card]("parameters", lambda card: f"{card.parameters:,}", right=True, spare=2),
        Column[Card]("shots seen", lambda card: f"{card.shots:,}", right=True, spare=2),
        Column[Card]("block error, 95 % interval", _headline),
        Column[Card]("rung", _rung, spare=1),
    ]
    show(map(registry.card, registry.names()), columns, title="Models")


def suppression_line() -> str:
    """Lambda over the distances of the surface codes' models, which is a rung of them together."""
    from cascade_qec.evaluation.fits.cards import LAMBDA_RATE, LAMBDA_WANTED, cards_suppression

    found = cards_suppression(map(registry.card, registry.names()))
    if found is None:
        return "Rung 3 of surface codes: Lambda needs models of two distances."
    factor = found.factor
    return (
        f"Rung 3 of surface codes: Lambda {factor.value:.2f} [{factor.low:.2f}, {factor.high:.2f}] over "
        f"d = {_listed(found.distances)} at p = {percent(LAMBDA_RATE)}; "
        f"{'holds' if factor.value > LAMBDA_WANTED else 'does not hold'}, above {LAMBDA_WANTED:g} is asked for."
    )


def sources_view() -> str:
    """A line for each source of models that there is, with the names of its models."""
    sources = registry.sources()
    lines = []
    for source, title in _SOURCES.items():
        names = [name for name, found in sources.items() if found == source]
        if names:
            where = f" into {home() / 'models'}" if source == "fetched" else ""
            lines.append(f"{title}{where}: {', '.join(names)}")
    return "\n".join(lines)


def show_card(card: Card) -> None:
    """Print everything the card says."""
    found = standing(card)
    console().print(Text(card.name, style="bold underline"))
    show_facts(
        [
            ("code", f"{card.code}, bases {' and '.join(card.bases)}, {_listed(card.rounds)} rounds"),
            ("network", f"{card.parameters:,} parameters: {_settings(card.network)}"),
            ("training", f"{card.shots:,} shots in {card.hours:.3g} h on {card.hardware}, seed {card.seed}"),
            ("made", f"{card.date}, commit {card.commit}, {_settings(card.versions)}"),
            ("ladder", "" if found is None else "\n".join(map(str, (found, *found.rungs)))),
            ("no event", str(card.zero_syndrome)),
            ("guards", "" if card.guards is None else guards_text(card.guards)),
            ("notes", card.notes),
        ]
    )
    columns = [
        Column[Measurement]("code", lambda row: row.code or card.code),
        Column[Measurement]("p", lambda row: percent(row.p)),
        Column[Measurement]("basis", lambda row: row.basis, spare=1),
        Column[Measurement]("rounds", lambda row: str(row.rounds), right=True, spare=1),
        Column[Measurement]("decoder", lambda row: row.who),
        Column[Measurement]("failures / shots", lambda row: counted(row.failures, row.shots), right=True, spare=1),
        Column[Measurement]("block error", lambda row: with_interval(row.interval)),
        Column[Measurement]("per cycle", _per_cycle, right=True, spare=1),
    ]
    rows = sorted([*card.measurements, *card.rivals], key=lambda row: (row.p, row.rounds, row.basis))
    show(rows, columns, notes=[CONVENTION])
    console().print(Text("Recipe", style="bold"))
    console().print(json.dumps(card.recipe, indent=2))


def guards_text(guards: Guards) -> str:
    """Whether all guards hold, or which do not; then the figures of each."""
    broken = ", ".join(verdict.guard for verdict in guards.broken)
    figures = [f"{verdict.guard}: {verdict.figures}" for verdict in guards.verdicts]
    return "\n".join([f"broken: {broken}" if broken else "all hold", *figures])


def _headline(card: Card) -> str:
    """The measurement nearest to 0.3 %, the middle of the range that models are compared at."""
    rows = card.measured_on(card.code)
    if not rows:
        return "not measured"
    row = min(rows, key=lambda row: (abs(row.p - 0.003), row.basis != "both"))
    return f"{with_interval(row.interval)} at p = {percent(row.p)}"


def _rung(card: Card) -> str:
    found = standing(card)
    return "-" if found is None else found.reached


def _per_cycle(row: Measurement) -> str:
    return "-" if row.per_logical_per_cycle is None else short(row.per_logical_per_cycle)


def _listed(numbers: Iterable[int]) -> str:
    return ", ".join(map(str, numbers))


def _settings(settings: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in settings.items())
