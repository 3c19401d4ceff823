"""New weights against those on a card."""

import math

import pytest

from cascade_qec.evaluation.comparison import CASCADE
from cascade_qec.evaluation.tables import Row
from cascade_qec.zoo import registry
from workshop.cards.replacement import block_error_ratio


def rows(card, factor):
    """What weights do whose block errors are the card's times a factor; a rival beside them."""
    found = []
    for old in card.measurements:
        row = Row(
            code=card.code,
            p=old.p,
            rounds=old.rounds,
            bases="ZX",
            k=1,
            decoder=CASCADE,
            shots=10 * old.shots,
            failures=round(10 * factor * old.failures),
            microseconds_per_shot=1.0,
            seed=1,
        )
        found += [row, row.model_copy(update={"decoder": "pymatching", "failures": 1})]
    return found


@pytest.mark.parametrize("factor", [0.5, 1.0, 1.3])
def test_ratio(factor):
    card = registry.card("surface_d3")
    ratio, rates = block_error_ratio(rows(card, factor), card)
    assert ratio == pytest.approx(factor, rel=1e-3)
    assert rates == sorted({old.p for old in card.measurements})


def test_rates_with_few_failures_or_of_one_side_alone_say_nothing():
    card = registry.card("surface_d3")
    one, *others = rows(card, 0.5)[::2]
    few = one.model_copy(update={"failures": 9})
    elsewhere = one.model_copy(update={"p": 0.0123})
    assert block_error_ratio([few, elsewhere, *others], card)[1] == [row.p for row in others]
    ratio, rates = block_error_ratio([few, elsewhere], card)
    assert math.isnan(ratio)
    assert rates == []
