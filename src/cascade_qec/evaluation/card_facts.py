"""Whether a card describes the weights beside it, and its figures follow from its counts."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from cascade_qec.decoders.cascade import CascadeDecoder
from cascade_qec.statistics import per_logical_per_cycle, wilson
from cascade_qec.zoo.card import Card, Measurement, RivalMeasurement, ZeroSyndrome

_DIGITS = 0.01
"""Relative deviation of a figure that was rounded for the card."""

_CONFIDENCE = 0.01
"""Deviation of the confidence in other precision, on other hardware."""


@dataclass(frozen=True)
class Fact:
    """One thing that a card says beside its measurements.

    Attributes
    ----------
    subject
        What it is about.
    stated
        What the card says, and its recipe where that says otherwise.
    found
        What is found in the weights, or computed.
    holds
        Whether they agree.
    """

    subject: str
    stated: str
    found: str
    holds: bool


def card_facts(decoder: CascadeDecoder, card: Card) -> list[Fact]:
    """Compare a card with the description of its model's weights, its recipe and itself.

    Recipes say nothing of what they leave to the defaults; that is not compared.
    """
    made = decoder.description
    recipe = card.recipe
    noise, trained, bases = recipe.get("noise"), recipe.get("network"), recipe.get("bases")
    network = made.network.model_dump()
    parameters = sum(parameter.numel() for parameter in decoder.network.parameters())
    zero, found_zero = card.zero_syndrome, zero_syndrome(decoder)
    return [
        _same("name", made.name, card.name, recipe.get("name")),
        _same("code", made.code, card.code, recipe.get("code")),
        _same("rounds", [made.rounds], card.rounds, [recipe["rounds"]] if "rounds" in recipe else None),
        _same(
            "bases",
            sorted(made.bases),
            sorted(card.bases),
            sorted(map(str, bases)) if isinstance(bases, list) else bases,
        ),
        _same("network", network, network | card.network, network | trained if isinstance(trained, dict) else trained),
        _same("noise model", made.noise_model, noise.get("model") if isinstance(noise, dict) else noise),
        _same("noise", made.noise_p, noise.get("p") if isinstance(noise, dict) else noise),
        _same("parameters", parameters, card.parameters),
        Fact(
            "no event",
            f"{zero.observables_flipped} flipped, confidence {zero.min_confidence:.5f}",
            f"{found_zero.observables_flipped} flipped, confidence {found_zero.min_confidence:.5f}",
            zero.observables_flipped == found_zero.observables_flipped
            and abs(zero.min_confidence - found_zero.min_confidence) <= _CONFIDENCE,
        ),
        _figures([*card.measurements, *card.rivals], decoder.code.k),
    ]


def zero_syndrome(decoder: CascadeDecoder) -> ZeroSyndrome:
    """What the model makes of shots without any detection event, over its bases."""
    flipped, confidence = 0, 1.0
    for basis in decoder.description.bases:
        circuit = decoder.experiment(decoder.description.noise_p, basis=basis)
        result = decoder.bind(circuit).decode_batch(np.zeros((1, circuit.num_detectors), dtype=bool))
        flipped += int(result.observables.sum())
        confidence = min(confidence, float(result.confidence[0]))
    return ZeroSyndrome(observables_flipped=flipped, min_confidence=confidence)


def _same(subject: str, found: object, *stated: object) -> Fact:
    told = [value for value in stated if value is not None]
    other = [value for value in told if value != found]
    return Fact(subject, _text((other or told or ["nothing"])[0]), _text(found), not other)


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {part}" for name, part in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else f"{value}"


def _figures(rows: Iterable[Measurement], k: int) -> Fact:
    """Whether rates and intervals are those of the counts."""
    rows = list(rows)
    for row in rows:
        rate = wilson(row.failures, row.shots)
        cycle = per_logical_per_cycle(rate, k=k, rounds=row.rounds).value
        stated = [row.block_error, row.low, row.high]
        computed = [rate.value, rate.low, rate.high]
        if row.per_logical_per_cycle is not None:
            stated.append(row.per_logical_per_cycle)
            computed.append(cycle)
        for said, is_so in zip(stated, computed, strict=True):
            if not math.isclose(said, is_so, rel_tol=_DIGITS):
                who = row.decoder if isinstance(row, RivalMeasurement) else "the model"
                return Fact("figures", f"{said:.3e} of {who} at p = {row.p:g}", f"{is_so:.3e} by the counts", False)
    return Fact("figures", f"of {len(rows)} rows", "follow from the counts", True)
