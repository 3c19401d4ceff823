"""The README's figures are those of the cards. What it shows to paste is run by test_blocks.py."""

import re
from pathlib import Path

from cascade_qec import codes, zoo
from cascade_qec.nn import load_network
from cascade_qec.zoo.card import Card

README = Path(__file__).parents[1] / "README.md"


def test_the_table_of_models_has_the_figures_of_the_cards() -> None:
    rows = re.findall(r"^\| (\w+) \| [^|]+ \| ([\d,]+) \| (\S+) \| ", README.read_text(), flags=re.MULTILINE)
    assert len(rows) >= 7
    for name, weights, block_error in rows:
        path = zoo.path(name)
        card = Card.read(path.with_suffix(".json"))
        network, description = load_network(path)
        assert sum(parameter.numel() for parameter in network.parameters()) == int(weights.replace(",", ""))
        measured = [m for m in card.measurements if m.p == 0.003 and m.rounds == codes.get(description.code).d]
        failures, shots = sum(m.failures for m in measured), sum(m.shots for m in measured)
        assert f"{failures / shots:.2e}" == block_error, name
