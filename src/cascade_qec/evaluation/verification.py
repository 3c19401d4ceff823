"""Whether a card holds: its measurements done anew on other shots, what it says of its weights, its own figures."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from cascade_qec.codes import BASES, Basis
from cascade_qec.decoders import classical
from cascade_qec.decoders.cascade import CascadeDecoder
from cascade_qec.decoders.protocol import Decoder
from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.comparison import CASCADE, Experiment
from cascade_qec.evaluation.shared_time import Task, decode_in
from cascade_qec.evaluation.tables import Row
from cascade_qec.evaluation.two_samples import equal_rates, visible_rate
from cascade_qec.model import NetworkSettings
from cascade_qec.statistics import per_logical_per_cycle, wilson
from cascade_qec.zoo.card import Card, Measurement, RivalMeasurement, ZeroSyndrome

POWER = 0.9
"""Probability with which a difference that is said to be visible would have been seen."""

_CHECKED = 2.0
"""A row counts as checked where so many times its failures would have been seen."""

_ENOUGH = 2
"""So many times the card's shots are enough: from there on its own are too few to see more."""

_LAST = 1e-3
"""Part of its share of the time that a row gets which no number of shots could check."""

_STREAM = 0x76657269
"""Stands in the seeds of these shots alone: a card's own shots never return, whatever the seed."""

_DIGITS = 0.01
"""Relative deviation of a figure that was rounded for the card."""

_CONFIDENCE = 0.01
"""Deviation of the confidence in other precision, on other hardware."""


@dataclass(frozen=True)
class RowCheck:
    """One row of a card beside the same experiment and decoder on fresh shots.

    It is refused wrongly with probability `level`.
    """

    card: Measurement
    fresh: Row
    level: float

    @property
    def p_value(self) -> float:
        """Probability of counts as far apart as these if both come from one rate."""
        return equal_rates(self.card.failures, self.card.shots, self.fresh.failures, self.fresh.shots)

    @property
    def visible_factor(self) -> float | None:
        """So many times the card's failures would have been seen with probability `POWER`; None if none would.

        Of a row without failures it is a multiple of the upper end of the interval.
        """
        return _visible_factor(self.card, self.fresh.shots, self.level)

    @property
    def verdict(self) -> Literal["holds", "does not hold", "not checked"]:
        """Not checked where a doubling of the failures could have been missed, and none was found."""
        if self.p_value < self.level:
            return "does not hold"
        return "holds" if _is_checked(self.visible_factor) else "not checked"


def rows_to_check(card: Card, *, ps: Sequence[float] = (), rivals: bool = False) -> list[Measurement]:
    """The rows of a card that were asked for, by noise rate, the model's first.

    Parameters
    ----------
    ps
        Noise rates; all of them if empty.
    rivals
        Whether rivals' rows are wanted as well.

    Raises
    ------
    CascadeError
        If the card has no measurement, or none at one of the rates.
    """
    rows: list[Measurement] = [*card.measurements, *(card.rivals if rivals else ())]
    if not rows:
        raise CascadeError(f"{card.name}: expected a card with measurements, got none")
    for p in ps:
        if not any(_is_at(row, p) for row in rows):
            known = ", ".join(f"{rate:g}" for rate in sorted({row.p for row in rows}))
            raise CascadeError(f"{card.name}: expected a noise rate that its card has ({known}), got {p:g}")
    wanted = [row for row in rows if not ps or any(_is_at(row, p) for p in ps)]
    return sorted(wanted, key=lambda row: row.p)


def verify_rows(
    decoder: CascadeDecoder,
    rows: Sequence[Measurement],
    *,
    seconds: float,
    seed: int,
    false_alarm: float = 1e-3,
    report: Callable[[float], None] = lambda done: None,
) -> list[RowCheck]:
    """Decode fresh shots for rows of a model's card, and compare.

    First come the shots that it takes to see a doubling, the quickest rows before the others. Then rows share the time
    in proportion to one over the square root of their block error, which makes the sum of the squared relative errors
    least; one that has twice the card's shots leaves the rest to the others. Rows that no number of shots could check,
    since the card has too few failures, get what nobody else needs.

    The card's numbers of shots are taken as given, although measuring may have stopped once there were enough failures;
    with hundreds of them that shifts a rate by much less than its interval.

    Parameters
    ----------
    rows
        See `rows_to_check`.
    seconds
        Time for all rows. Each decodes a few shots in any case.
    seed
        Seed of the shots, which are others than those of any card.
    false_alarm
        Probability that any row is refused wrongly; each has an equal share of it (Bonferroni).
    report
        Called with the fraction that is done.

    Returns
    -------
    list of RowCheck
        In the order of `rows`.

    Raises
    ------
    CascadeError
        Unless ``seconds > 0`` and ``0 < false_alarm < 1``; if a rival is unknown or not installed.
    """
    if not (seconds > 0 and 0 < false_alarm < 1):
        raise CascadeError(
            f"expected seconds > 0 and 0 < false_alarm < 1, got seconds = {seconds}, false_alarm = {false_alarm}"
        )
    level = false_alarm / len(rows)
    tasks = [_task(decoder, row, level) for row in rows]
    fresh = decode_in(seconds, tasks, seed=[seed, _STREAM], report=report)
    return [RowCheck(row, new, level) for row, new in zip(rows, fresh, strict=True)]


def _rate(row: Measurement) -> float:
    """Its block error, or the upper end of the interval where nothing failed."""
    return row.failures / row.shots or row.high


def _visible_factor(row: Measurement, shots: int, level: float) -> float | None:
    rate = visible_rate(row.failures, row.shots, shots, level=level, power=POWER)
    return None if rate is None else rate / _rate(row)


def _task(decoder: CascadeDecoder, row: Measurement, level: float) -> Task:
    most = _ENOUGH * row.shots
    wanted = _shots_to_check(row, most, level)
    weight = (1.0 if wanted else _LAST) / math.sqrt(_rate(row))
    who: tuple[str, Decoder] = (CASCADE, decoder)
    if isinstance(row, RivalMeasurement):
        who = (row.decoder, classical.get(row.decoder))
    return Task(_experiment(decoder, row), *who, most, weight, wanted or 0)


def _shots_to_check(row: Measurement, most: int, level: float) -> int | None:
    """Fewest shots that check a row, None if `most` do not."""
    if not _is_checked(_visible_factor(row, most, level)):
        return None
    few, enough = 0, most
    while enough - few > 1 + enough // 100:
        middle = (few + enough) // 2
        if _is_checked(_visible_factor(row, middle, level)):
            enough = middle
        else:
            few = middle
    return enough


def _is_checked(factor: float | None) -> bool:
    return factor is not None and factor <= _CHECKED


def _is_at(row: Measurement, p: float) -> bool:
    return math.isclose(row.p, p, rel_tol=1e-6)


def _experiment(decoder: CascadeDecoder, row: Measurement) -> Experiment:
    bases: list[Basis] = [basis for basis in BASES if row.basis in (basis, "both")]
    code = row.code or decoder.code.name
    return Experiment.memory(code, row.p, row.rounds, bases, decoder.description.noise_model)


@dataclass(frozen=True)
class Fact:
    """One thing that a card, or its recipe where that says otherwise, states beside its measurements.

    It holds where it is what is found in the weights, or computed.
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
    mixed = recipe["mixture"].get("rounds") if isinstance(recipe.get("mixture"), dict) else None
    network = made.network.model_dump()
    # what files leave out where it is the default, a card or recipe without it says, too
    left_out = {name: of.default for name, of in NetworkSettings.model_fields.items() if of.exclude_if}
    usual = {name: left_out.get(name, value) for name, value in network.items()}
    learned = mixed or ([recipe["rounds"]] if "rounds" in recipe else None)
    if isinstance(trained, dict):
        trained = usual | trained
    if made.network.segment_rounds is not None and learned == [made.rounds]:  # a recipe knows nothing of that
        learned = made.all_rounds
        if isinstance(trained, dict):
            trained |= {"segment_rounds": made.rounds}
    parameters = decoder.description.parameters()
    zero, found_zero = card.zero_syndrome, zero_syndrome(decoder)
    return [
        _same("name", made.name, card.name, recipe.get("name")),
        _same("code", made.code, card.code, recipe.get("code")),
        _same("rounds", made.all_rounds, card.rounds, learned),
        _same(
            "bases",
            sorted(made.bases),
            sorted(card.bases),
            sorted(map(str, bases)) if isinstance(bases, list) else bases,
        ),
        _same("network", network, usual | card.network, trained),
        _same("noise model", made.noise_model, noise.get("model") if isinstance(noise, dict) else noise),
        _same("noise", made.noise_p, noise.get("p") if isinstance(noise, dict) else noise),
        _same("parameters", parameters, card.parameters),
        Fact(
            "no event",
            str(zero),
            str(found_zero),
            _alike(zero, found_zero),
        ),
        _figures([*card.measurements, *card.rivals], decoder.code.k),
    ]


def zero_syndrome(decoder: CascadeDecoder) -> ZeroSyndrome:
    """What the model makes of shots without any detection event, over its bases."""
    flipped, confidence = 0, 1.0
    for basis in decoder.description.bases:
        bound = decoder.bind(basis=basis)
        result = bound.decode_batch(np.zeros((1, bound.num_detectors), dtype=bool))
        flipped += int(result.observables.sum())
        if result.confidence is not None:
            confidence = min(confidence, float(result.confidence[0]))
    confidence = None if decoder.description.calibration is None else confidence
    return ZeroSyndrome(observables_flipped=flipped, min_confidence=confidence)


def _alike(one: ZeroSyndrome, other: ZeroSyndrome) -> bool:
    sure, other_sure = one.min_confidence, other.min_confidence
    near = sure == other_sure or (sure is not None and other_sure is not None and abs(sure - other_sure) <= _CONFIDENCE)
    return one.observables_flipped == other.observables_flipped and near


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
