"""What notebooks show of results, models and comparisons."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any

import numpy as np

import cascade_qec as cascade
from cascade_qec.decoders import DecodeResult, get
from cascade_qec.evaluation import Experiment, compare


def table(shown: Any) -> tuple[str, list[list[str]]]:
    """Caption and cells; a table that is not well formed is none."""
    root = ET.fromstring(shown._repr_html_())
    rows = [[cell.text or "" for cell in row] for row in root.findall("tr")]
    return root.findtext("caption") or "", rows


def test_a_result_shows_its_first_shots() -> None:
    log_odds, escalated = np.linspace(0, 6, 12, dtype=np.float32), np.arange(12) == 1
    result = DecodeResult(np.eye(12, 3, dtype=bool), log_odds=log_odds, escalated=escalated)
    caption, rows = table(result)
    assert caption.startswith("DecodeResult: 12 shots, 3 observables")
    assert rows[0] == ["shot", "flipped", "log-odds of no error", "escalated"]
    assert rows[2] == ["1", "1", "0.545", "yes"]
    assert rows[4][1] == "none"
    assert (len(rows), rows[-1][0]) == (12, "…")
    bound = cascade.load("surface_d3", device="cpu").bind(basis="Z")
    assert table(bound.decode_batch(np.zeros((2, 24), dtype=bool)))[1][0][2] == "P(flipped)"


def test_models_and_cards_show_what_they_are() -> None:
    caption, rows = table(cascade.load("surface_d3", device="cpu"))
    assert caption == "cascade:surface_d3"
    assert dict(rows)["weights"] == "111,233"
    card = cascade.zoo.card("surface_d3")
    caption, rows = table(card)
    assert caption.startswith("surface_d3: surface_d3, 111,233 weights")
    assert len(rows) == 1 + len(card.measurements) + len(card.rivals)


def test_a_comparison_shows_rates_with_intervals() -> None:
    experiment = Experiment.memory("surface_d3", 0.01, 3, "ZX", "uniform")
    found = compare(experiment, {"<m>": get("pymatching")}, shots=100, seed=1)
    _, rows = table(found)
    row = dict(zip(rows[0], rows[1], strict=True))
    assert row["decoder"] == "<m>"
    assert row["failures"] == f"{found[0].failures} / 100"
    assert float(row["block error"]) == found[0].failures / 100
