"""The recorded shots on which decoders disagree: what they say of them today."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import numpy as np
import pytest

import cascade_qec as cascade
from cascade_qec.decoders import get
from cascade_qec.error_models import Mechanisms, error_model
from cascade_qec.page.model_file import BASIS, MODELS

TABLE = Path(__file__).parents[2] / "benchmarks/results/disagreements.csv"


def recorded() -> Iterator[tuple[str, list[dict[str, str]]]]:
    with TABLE.open(newline="") as file:
        for model, rows in groupby(csv.DictReader(file), key=lambda row: row["model"]):
            yield model, list(rows)


def test_every_model_has_shots_of_every_kind() -> None:
    known = dict(recorded())
    assert set(known) == set(MODELS)
    for rows in known.values():
        kinds = {(row["network"] == row["truth"], row["rival_says"] == row["truth"]) for row in rows}
        assert len(kinds) == 3


@pytest.mark.parametrize(("model", "rows"), list(recorded()), ids=lambda each: each if isinstance(each, str) else "")
def test_decoders_still_say_what_was_recorded(model: str, rows: list[dict[str, str]]) -> None:
    """If the weights are newer: python -m workshop.studies.disagreements, and python -m workshop pages."""
    decoder = cascade.load(model, device="cpu")
    circuit = decoder.experiment(float(rows[0]["p"]), basis=BASIS)
    mechanisms = Mechanisms.of(error_model(circuit))
    happened = np.zeros((len(rows), len(mechanisms.probability)), dtype=np.uint8)
    for shot, row in enumerate(rows):
        happened[shot, list(map(int, row["mechanisms"].split()))] = 1
    flips = np.zeros((len(mechanisms.probability), mechanisms.detectors), dtype=np.uint8)
    flips[mechanisms.owner, mechanisms.detector] = 1
    events, truth = happened @ flips % 2 > 0, happened @ mechanisms.observables % 2
    said = {"truth": truth, "network": decoder.bind(basis=BASIS).decode_chosen(events).observables}
    if rows[0]["rival"].startswith("pymatching"):  # the page's dependencies have it
        said["rival_says"] = get(rows[0]["rival"]).bind(circuit).decode_batch(events).observables
    for who, observables in said.items():
        masks = observables.astype(int) @ (1 << np.arange(decoder.code.k))
        assert masks.tolist() == [int(row[who]) for row in rows], who
