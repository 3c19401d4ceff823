"""The table of docs/local.md: a local model at every distance, beside matching on the same shots, from its card."""

from cascade_qec import zoo
from workshop import CHECKOUT
from workshop.pages.text import filled, table

PAGE = CHECKOUT / "docs" / "local.md"
MODEL = "local_surface"


def with_tables(text: str) -> str:
    """The page with its table as the card has it."""
    return filled(text, MODEL, distances())


def distances() -> list[str]:
    """A row for each code and noise rate: failures, shots and block error of each decoder."""
    card = zoo.card(MODEL)
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
