"""What a card says of its weights, and of itself."""

from pathlib import Path

import pytest

from cascade_qec import zoo
from cascade_qec.decoders.loading import load
from cascade_qec.evaluation.verification import card_facts
from cascade_qec.zoo.card import ZeroSyndrome


@pytest.mark.parametrize("name", zoo.names())
def test_shipped_cards_describe_their_weights(name: str) -> None:
    facts = card_facts(load(name, device="cpu"), zoo.card(name))
    assert [fact for fact in facts if not fact.holds] == []


@pytest.mark.parametrize(
    ("change", "subject"),
    [
        ({"name": "other"}, "name"),
        ({"code": "surface_d5"}, "code"),
        ({"recipe": {"code": "surface_d5"}}, "code"),
        ({"rounds": [5]}, "rounds"),
        ({"recipe": {"rounds": 4}}, "rounds"),
        ({"bases": ["Z"]}, "bases"),
        ({"network": {"width": 64}}, "network"),
        ({"recipe": {"network": {"depth": 9}}}, "network"),
        ({"recipe": {"noise": {"model": "si1000"}}}, "noise model"),
        ({"recipe": {"noise": {"p": 0.1}}}, "noise"),
        ({"recipe": {"bases": "Z"}}, "bases"),
        ({"recipe": {"bases": [1, "X"]}}, "bases"),
        ({"recipe": {"network": [1]}}, "network"),
        ({"parameters": 12}, "parameters"),
        ({"zero_syndrome": ZeroSyndrome(observables_flipped=2, min_confidence=0.9)}, "no event"),
    ],
)
def test_whatever_is_wrong_is_found(change: dict, subject: str, measured_model: Path) -> None:
    card = zoo.card(measured_model)
    facts = card_facts(load(measured_model, device="cpu"), card.model_copy(update=change))
    (wrong,) = [fact for fact in facts if not fact.holds]
    assert wrong.subject == subject
    assert wrong.stated != wrong.found


def test_a_card_of_sums_is_not_that_of_weights_that_read_segments(measured_model: Path) -> None:
    """Its file leaves out what is usual: that says as much as if it were there."""
    decoder = load(measured_model, device="cpu")
    network = decoder.description.network.model_copy(update={"segment_rounds": 3})
    decoder.description = decoder.description.model_copy(update={"network": network})
    wrong = [fact for fact in card_facts(decoder, zoo.card(measured_model)) if not fact.holds]
    assert "network" in [fact.subject for fact in wrong]


@pytest.mark.parametrize("field", ["low", "high", "per_logical_per_cycle"])
def test_figures_must_follow_from_the_counts(field: str, measured_model: Path) -> None:
    card = zoo.card(measured_model)
    row = card.rivals[0]
    bad = row.model_copy(update={field: 1.1 * getattr(row, field)})
    facts = card_facts(load(measured_model, device="cpu"), card.model_copy(update={"rivals": [bad, card.rivals[1]]}))
    (wrong,) = [fact for fact in facts if not fact.holds]
    assert (wrong.subject, wrong.found) == ("figures", f"{getattr(row, field):.3e} by the counts")
    assert "pymatching at p = 0.008" in wrong.stated


def test_a_confidence_may_differ_by_the_precision(measured_model: Path) -> None:
    card = zoo.card(measured_model)
    zero = card.zero_syndrome
    near = zero.model_copy(update={"min_confidence": zero.min_confidence - 0.001})
    facts = card_facts(load(measured_model, device="cpu"), card.model_copy(update={"zero_syndrome": near}))
    assert all(fact.holds for fact in facts)


def test_a_recipe_whose_noise_is_none(measured_model: Path) -> None:
    card = zoo.card(measured_model).model_copy(update={"recipe": {"noise": 3}})
    facts = card_facts(load(measured_model, device="cpu"), card)
    assert [(fact.subject, fact.stated) for fact in facts if not fact.holds] == [("noise model", "3"), ("noise", "3")]
