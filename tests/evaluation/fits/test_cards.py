"""Lambda over the distances of models, from their cards."""

import pytest

from cascade_qec import zoo
from cascade_qec.evaluation.fits.cards import cards_suppression
from cascade_qec.statistics import wilson
from cascade_qec.zoo.card import Card, Measurement


def _card(code: str, rounds: int, failures: int, p: float = 0.002) -> Card:
    rate = wilson(failures, 10_000_000)
    row = Measurement(
        p=p,
        basis="both",
        rounds=rounds,
        shots=10_000_000,
        failures=failures,
        block_error=rate.value,
        low=rate.low,
        high=rate.high,
        per_logical_per_cycle=None,
    )
    return zoo.card("surface_d3").model_copy(update={"code": code, "measurements": [row]})


def test_lambda_of_the_best_model_of_each_distance() -> None:
    # Errors per cycle fall by 8 from each distance to the next.
    cards = [
        _card("surface_d3", 3, 3 * 6400),
        _card("surface_d5", 5, 5 * 800),
        _card("surface_d5", 5, 5 * 900),
        _card("surface_d7", 7, 7 * 100),
        _card("surface_d9", 5, 1),  # rounds are not d
        _card("surface_d9", 9, 0),  # no failure
        _card("bb72", 6, 6),
    ]
    found = cards_suppression(cards)
    assert found is not None
    assert found.distances == (3, 5, 7)
    assert found.factor.value == pytest.approx(8, rel=0.01)
    assert found.factor.low < 8 < found.factor.high


def test_one_distance_has_none() -> None:
    assert cards_suppression([]) is None
    assert cards_suppression([_card("surface_d3", 3, 100), _card("surface_d5", 5, 10, p=0.003)]) is None
