"""The tables of docs/local.md: each local model on every code that it was measured on, beside rivals, from its card."""

from cascade_qec import zoo
from cascade_qec.zoo.card import Card
from workshop import CHECKOUT
from workshop.pages.text import filled, table

PAGE = CHECKOUT / "docs" / "local.md"


def with_tables(text: str) -> str:
    """The page with its tables as the cards have them."""
    for card in map(zoo.card, zoo.names()):
        if card.local:
            text = filled(text, card.name, rates(card))
    return text


def rates(card: Card) -> list[str]:
    """A row for each code and noise rate: failures, shots and block error of each decoder."""
    found = {
        (row.rounds, row.code or card.code, row.p, row.who): f"{row.failures:,} / {row.shots:,} = {row.block_error:.2e}"
        for row in [*card.measurements, *card.rivals]
    }
    decoders = list(dict.fromkeys(who for *_, who in found))
    rows = [
        [f"{code}, {rounds}", f"{100 * p:g} %", *(found.get((rounds, code, p, who), "") for who in decoders)]
        for rounds, code, p in sorted({key[:3] for key in found})
    ]
    return table(["code, rounds", "p", *decoders], rows, left=2)
