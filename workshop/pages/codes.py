"""Tables of docs/codes.md: from benchmarks/results and the cards of the models that ship."""

from cascade_qec.cli.code_rows import CodeRow, bound, distance
from cascade_qec.tables import read_rows
from cascade_qec.zoo.card import Card
from cascade_qec.zoo.ladder import pooled
from workshop import CHECKOUT, RESULTS
from workshop.pages.collections import COLLECTIONS, rivals
from workshop.pages.models import bundled_cards
from workshop.pages.text import filled, table

PAGE = CHECKOUT / "docs" / "codes.md"
RATES = (0.003, 0.005)

DEFAULTS = {"surface": "pymatching", "colour": "chromobius", "toric": "pymatching"}
"""What the field decodes the codes of a family by, as cards call it; BP+OSD those of others."""


def with_tables(text: str) -> str:
    """The page with its tables as results and cards have them."""
    text = filled(text, "decoders of colour codes", rivals(COLLECTIONS / "colour.csv"))
    return filled(text, "codes", codes())


def codes() -> list[str]:
    cards = bundled_cards()
    rows = []
    for row in read_rows(RESULTS / "codes.csv", CodeRow):
        sizes = [row.code, str(row.n), str(row.k), distance(row)]
        circuits = [row.x_checks, str(row.depth), bound(row.circuit_distance)]
        rows.append([*sizes, *circuits, *_decoded(row, [card for card in cards if card.code == row.code])])
    head = ["code", "n", "k", "d", "X checks", "depth", "circuit distance", "models"]
    return table([*head, *(f"P at {100 * p:g} %" for p in RATES)], rows, left=1)


def _decoded(row: CodeRow, cards: list[Card]) -> list[str]:
    """The models of a code, and at each noise rate the least block error of theirs, beside that of the default."""
    cells = []
    for p in RATES:
        ours = [one for card in cards if (one := pooled(card.measurements, p, card.own_rounds))]
        default = [
            one
            for card in cards
            if (
                one := pooled(
                    [r for r in card.rivals if r.decoder == DEFAULTS.get(row.family, "bposd-filtered")],
                    p,
                    card.own_rounds,
                )
            )
        ]
        most = max(default, key=lambda one: one.failures, default=None)
        beside = "" if most is None else f" / {most.block_error:.2e}"
        cells.append(f"{min(one.block_error for one in ours):.2e}{beside}" if ours else "")
    return [", ".join(card.name for card in cards), *cells]
