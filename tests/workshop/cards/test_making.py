"""Measuring for a card within a time."""

from types import SimpleNamespace

import pytest

from cascade_qec.decoders.loading import load
from cascade_qec.evaluation.comparison import CASCADE
from cascade_qec.evaluation.tables import Row
from workshop.cards import making
from workshop.cards.making import measure

RATES = [0.005, 0.008]


def test_each_rate_gets_shots_however_short_the_time(tiny_model):
    rows = measure(load(tiny_model, device="cpu"), {}, ps=RATES, failures=10**6, seed=1, seconds=0.0)
    assert [row.p for row in rows] == RATES
    assert all(row.shots >= 2 for row in rows)


@pytest.mark.parametrize("seconds", [10.0, 60.0])
def test_the_time_is_shared_by_the_rates_and_used(seconds, tiny_model, monkeypatch):
    now = 0.0

    def compare(experiment, decoders, *, shots, seed, seconds):
        """A thousand shots a second, and a tenth of one to prepare."""
        nonlocal now
        now += 0.1 + shots / 1000
        row = {"code": experiment.code, "p": experiment.p, "rounds": 3, "bases": "ZX", "k": 1, "decoder": CASCADE}
        return [Row(**row, shots=shots, failures=1, microseconds_per_shot=1000, seed=seed)]

    monkeypatch.setattr(making, "time", SimpleNamespace(monotonic=lambda: now))
    monkeypatch.setattr(making, "compare", compare)
    rows = measure(load(tiny_model, device="cpu"), {}, ps=RATES, failures=10**6, seed=1, seconds=seconds)
    assert all(0.8 * 500 * seconds < row.shots < 500 * seconds for row in rows)
    assert 0.8 * seconds < now < seconds + 0.2
