"""The table of models in docs/models.md, with their rungs on the ladder, from the models' cards."""

from cascade_qec import codes, zoo
from cascade_qec.zoo.card import Card, Measurement
from cascade_qec.zoo.ladder import pooled, standing
from workshop import CHECKOUT
from workshop.pages.text import filled, table

PAGE = CHECKOUT / "docs" / "models.md"
RATES = (0.002, 0.003, 0.005)
TITLES = {
    "pymatching": "PyMatching",
    "pymatching-correlated": "correlated PyMatching",
    "chromobius": "Chromobius",
    "tesseract": "Tesseract (short beam)",
    "tesseract-long-beam": "Tesseract (long beam)",
    "tesseract-filtered": "Tesseract, the basis' own detectors",
    "relay-bp-filtered": "Relay-BP, the basis' own detectors",
    "bposd-filtered": "BP+OSD, the basis' own detectors",
    "bposd": "BP+OSD",
}


def with_tables(text: str) -> str:
    """The page with its table as the cards have it."""
    return filled(text, "models", models())


def models() -> list[str]:
    """Models by code, the largest last, and below them the rivals that the cards have measured most."""
    cards, rows = bundled_cards(), []
    for code in dict.fromkeys(card.code for card in cards):
        of_code = [card for card in cards if card.code == code]
        rows += [_model(card) for card in of_code]
        rows += _rivals(of_code)
    head = ["model or rival", "parameters", "shots seen", "rung", *(f"{100 * p:g} %" for p in RATES)]
    return table(head, rows, left=1)


def bundled() -> list[str]:
    return [name for name, source in zoo.sources().items() if source == "bundled"]


def bundled_cards() -> list[Card]:
    """Cards of the models that come with the package, by code, the largest last."""
    return sorted(map(zoo.card, bundled()), key=lambda card: (_size(card), card.parameters))


def _size(card: Card) -> tuple[int, int]:
    code = codes.get(card.code)
    return [family.name for family in codes.families()].index(code.family), code.n


def _model(card: Card) -> list[str]:
    stands = standing(card)
    rung = "" if stands is None else stands.reached
    cells = [_cell(pooled(card.measurements, p, card.own_rounds)) for p in RATES]
    return [f"**{card.name}**", f"{card.parameters:,}", f"{card.shots:,}", rung, *cells]


def _rivals(cards: list[Card]) -> list[list[str]]:
    """Of each rival the row of the card with the most failures, as figures are those of one run."""
    found = []
    for name, title in TITLES.items():
        cells = []
        for p in RATES:
            rows = [[row for row in card.rivals if row.decoder == name] for card in cards]
            seen = [pooled(rivals, p, card.own_rounds) for rivals, card in zip(rows, cards, strict=True)]
            measured = [row for row in seen if row is not None]
            cells.append(_cell(max(measured, key=lambda row: row.failures, default=None)))
        if any(cells):
            found.append([title, "", "", "", *cells])
    return found


def _cell(row: Measurement | None) -> str:
    return "" if row is None else f"{row.block_error:.2e} [{row.low:.1e}, {row.high:.1e}]"
