"""A page for each model that comes with the package, from its card, its table and its training's record."""

import json
from collections.abc import Iterator
from pathlib import Path

from cascade_qec import codes
from cascade_qec.plotting import draw, save
from cascade_qec.zoo.card import Card, Measurement
from cascade_qec.zoo.ladder import standing
from workshop import RESULTS
from workshop.pages.learning_curves import CHECKPOINTS, learning_curve
from workshop.pages.models import bundled_cards
from workshop.pages.text import table

_ABOUT = """
Rates are block errors: a shot fails when any observable is predicted wrongly. Intervals are Wilson's, 95 %. Noise is
uniform depolarizing of strength p, and both bases are pooled.
"""


def card_pages() -> Iterator[tuple[str, str]]:
    """Pages in Markdown, as (name, text), the index first."""
    cards = bundled_cards()
    rows = [
        [f"[{card.name}]({card.name}.md)", str(codes.get(card.code)), f"{card.parameters:,}", f"{card.date}"]
        for card in cards
    ]
    listed = "\n".join(table(["model", "code", "parameters", "trained"], rows, left=2))
    tree = "\n".join(["```{toctree}", ":hidden:", "", *(card.name for card in cards), "```"])
    yield "index", f"# Model cards\n\nWhat is known of each model that comes with the package.\n\n{listed}\n\n{tree}\n"
    for card in cards:
        yield card.name, _page(card)


def draw_rates(folder: Path) -> None:
    """A figure for each card, of the model beside its rivals."""
    for card in bundled_cards():
        save(draw("rates", [RESULTS / f"{card.name}.csv"]), folder / f"{card.name}.png")


def _page(card: Card) -> str:
    stands = standing(card)
    settings = ", ".join(f"{name} {value}" for name, value in card.network.items())
    facts = [
        ["code", str(codes.get(card.code))],
        ["experiments", f"bases {' and '.join(card.bases)}; trained on {', '.join(map(str, card.rounds))} rounds"],
        ["network", f"{card.parameters:,} parameters: {settings}"],
        ["training", f"{card.shots:,} shots in {card.hours:.3g} h on {card.hardware}, seed {card.seed}"],
        ["made", f"{card.date}, of commit {card.commit}"],
        ["without an event", str(card.zero_syndrome)],
        *([] if stands is None else [["ladder", "<br>".join(map(str, (stands, *stands.rungs)))]]),
    ]
    rows = sorted([*card.measurements, *card.rivals], key=lambda row: (row.code or "", row.rounds, row.basis, row.p))
    verdicts = [] if card.guards is None else card.guards.verdicts
    guards = [[verdict.guard, "yes" if verdict.holds else "**no**", verdict.figures] for verdict in verdicts]
    rates = ["code", "rounds", "p", "decoder", "failures / shots", "block error", "per cycle"]
    parts = [
        f"# {card.name}",
        "\n".join(table(["", ""], facts, left=2)),
        card.notes,
        f'```python\nimport cascade_qec as cascade\n\ndecoder = cascade.load("{card.name}")\n```',
        "## Rates",
        _ABOUT.strip(),
        f"![Block error of {card.name} and other decoders against noise]({card.name}.png)",
        "\n".join(table(rates, (_rate(row, card) for row in rows), left=4)),
        "## Guards",
        "[What no decoder may do](../models.md#guards), whatever its block error.",
        "\n".join(table(["guard", "holds", "figures"], guards, left=3)),
        *_history(card.name),
        "## Recipe",
        f"Of the last stretch.\n\n```json\n{json.dumps(card.recipe, indent=2)}\n```",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _history(model: str) -> list[str]:
    """Validations of its training, if its checkpoint is kept."""
    if not (CHECKPOINTS / model).exists():
        return []
    about = "Validations of the averaged weights during training; a stretch begins where the one before it ended."
    return ["## History", about, "\n".join(learning_curve(model))]


def _rate(row: Measurement, card: Card) -> list[str]:
    per_cycle = "" if row.per_logical_per_cycle is None else f"{row.per_logical_per_cycle:.2e}"
    return [
        row.code or card.code,
        str(row.rounds),
        f"{100 * row.p:g} %".replace(" ", "\N{NO-BREAK SPACE}"),
        f"**{card.name}**" if row.who == "Cascade" else row.who,
        f"{row.failures:,} / {row.shots:,}",
        f"{row.block_error:.2e} [{row.low:.1e}, {row.high:.1e}]",
        per_cycle,
    ]
