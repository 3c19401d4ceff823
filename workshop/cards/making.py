"""What a trained model is worth, measured beside its rivals on the same shots, as the card that ships with it."""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from cascade_qec.codes import BASES, CSSCode
from cascade_qec.decoders import classical
from cascade_qec.decoders.cascade import CascadeDecoder
from cascade_qec.decoders.protocol import Decoder
from cascade_qec.evaluation.comparison import CASCADE, Experiment, compare
from cascade_qec.evaluation.model_guards import see_guards, with_floor
from cascade_qec.evaluation.tables import Row
from cascade_qec.evaluation.verification import zero_syndrome
from cascade_qec.files import written_whole
from cascade_qec.guards import Guards
from cascade_qec.tables import read_rows, write_rows
from cascade_qec.zoo.card import Card, Measurement, RivalMeasurement
from workshop.queue.record import read_run

RATES = (0.001, 0.002, 0.003, 0.004, 0.005, 0.006)
"""Noise rates that a model is measured at unless others are asked for."""

_SHOTS_FOR_A_FAILURE = 1_000
"""So many shots for each failure asked for are enough where failures are rare: 200,000 for 200."""

_FIRST_SHOTS = 4_000

_LEAST_SECONDS = 0.01

_WORTH_A_BATCH = 0.1
"""Time for so small a share of the shots decoded so far is not worth preparing decoders for another batch."""


def measure(
    decoder: CascadeDecoder,
    rivals: Mapping[str, float],
    *,
    ps: Sequence[float],
    code: CSSCode | None = None,
    failures: int,
    seed: int,
    seconds: float = math.inf,
    report: Callable[[float], None] = lambda done: None,
) -> list[Row]:
    """Measure a model and its rivals on memory experiments with the model's rounds, all its bases pooled.

    Of a local model's other codes it is d rounds.

    The model decodes until it has seen enough failures, or 1000 shots for each of them, at each noise rate, or until
    its time is used up. A rival decodes the same shots until its own time is.

    Parameters
    ----------
    decoder
        The model.
    rivals
        Seconds of decoding at each noise rate by name (see `cascade_qec.decoders.classical.names`).
    ps
        Noise rates.
    code
        By default the model's.
    failures
        Failures of the model that are enough.
    seed
        Seed of the shots; every rate has a stream of its own.
    seconds
        For the model at all noise rates, each of which gets an even share of what is left, sampling included; a few
        shots are decoded at each however short it is.
    report
        Called with the fraction that is done.

    Returns
    -------
    list of Row
        By noise rate, the model first.
    """
    rows = []
    made = decoder.description
    name, rounds = (made.code, made.rounds) if code is None else (code.name, code.d or made.rounds)
    end = time.monotonic() + seconds
    for index, p in enumerate(ps):
        begun = time.monotonic()
        share = max(0.0, (end - begun) / (len(ps) - index))
        experiment = Experiment.memory(name, p, rounds, made.bases, made.noise_model)
        totals: dict[str, Row] = {}
        wanted, batch = _FIRST_SHOTS, 0
        while wanted > 0:
            left = {who: s - totals[who].seconds if who in totals else s for who, s in rivals.items()}
            mine = max(_LEAST_SECONDS, begun + share - time.monotonic())
            limits = {CASCADE: mine} | {who: limit for who, limit in left.items() if limit > 0}
            decoders: dict[str, Decoder] = {who: decoder if who == CASCADE else classical.get(who) for who in limits}
            stream = int(np.random.SeedSequence([seed, index, batch]).generate_state(1)[0])
            for row in compare(experiment, decoders, shots=wanted, seed=stream, seconds=limits):
                before = totals.get(row.decoder)
                totals[row.decoder] = before + row if before else row.model_copy(update={"seed": seed})
            batch += 1
            speed = totals[CASCADE].shots / (time.monotonic() - begun)
            affordable = speed * (begun + share - time.monotonic())
            wanted = int(min(_shots_wanted(totals[CASCADE], failures), affordable))
            if affordable < _WORTH_A_BATCH * totals[CASCADE].shots:
                wanted = 0
            report((index + min(1.0, totals[CASCADE].failures / failures)) / len(ps))
        rows += totals.values()
    report(1.0)
    return rows


def rivals_rows(table: Path) -> list[Row]:
    """Rows of a table of results but for the model's own; none if there is no such file."""
    return [row for row in read_rows(table, Row) if row.decoder != CASCADE] if table.exists() else []


def _shots_wanted(row: Row, failures: int) -> int:
    """Shots of the next batch: as many as are likely to be missing, at most four times those decoded so far."""
    most = _SHOTS_FOR_A_FAILURE * failures - row.shots
    if row.failures >= failures or most <= 0:
        return 0
    missing = 1.1 * row.shots * (failures / max(1, row.failures) - 1)
    return int(max(_FIRST_SHOTS, min(missing, 4 * row.shots, most)))


def training_facts(run: Path) -> dict[str, Any]:
    """What a training run's folder says of the model, as fields of its card; shots and hours of all its stretches.

    Raises
    ------
    CascadeError
        If the folder lacks `run.json` or `metrics.jsonl`, or they cannot be read.
    """
    record, rows = read_run(run)
    earlier = record.get("earlier", [])
    sessions = [session for stretch in (*earlier, record) for session in stretch["sessions"]]
    seconds = [*(stretch["seconds"] for stretch in earlier), max(row.get("seconds", 0.0) for row in rows)]
    return {
        "recipe": record["recipe"],
        "seed": record["recipe"]["seed"],
        "shots": sum(stretch["shots"] for stretch in earlier) + max(row["shots"] for row in rows),
        "hardware": "; ".join(_distinct(session["hardware"] for session in sessions)),
        "hours": round(sum(seconds) / 3600, 3),
        "commit": ", ".join(_distinct(session["commit"] or "unknown" for session in sessions)),
        "versions": sessions[-1]["versions"],
    }


def make_card(
    decoder: CascadeDecoder,
    facts: Mapping[str, Any],
    rows: Sequence[Row],
    notes: str = "",
    guards: Guards | None = None,
) -> Card:
    """The card of a model, from `training_facts` and `measure`, and the guards where `see_guards` saw them already."""
    own, made = [row for row in rows if row.decoder == CASCADE], decoder.description
    return Card(
        name=made.name,
        code=made.code,
        bases=[b for b in BASES if b in made.bases],
        rounds=made.all_rounds,
        network=made.network.model_dump(),
        parameters=made.parameters(),
        **facts,
        date=date.today(),
        measurements=[Measurement(**_figures(row, made.code)) for row in own],
        rivals=[
            RivalMeasurement(decoder=row.decoder, **_figures(row, made.code)) for row in rows if row.decoder != CASCADE
        ],
        zero_syndrome=zero_syndrome(decoder),
        guards=with_floor(guards or see_guards(decoder), decoder, own),
        notes=notes,
    )


def put_into_zoo(model: Path, card: Card, rows: Sequence[Row], *, models: Path, table: Path) -> None:
    """Write a model's table of results, its weights and its card, in place of those that there are.

    Parameters
    ----------
    model
        The model file.
    card
        As `make_card` gives it.
    rows
        The table.
    models
        Folder for weights and card.
    table
        File for the rows.
    """
    for folder in (models, table.parent):
        folder.mkdir(parents=True, exist_ok=True)
    write_rows(table, rows)
    with model.open("rb") as source, written_whole(models / f"{card.name}.safetensors") as target:
        shutil.copyfileobj(source, target)
    card.write(models / f"{card.name}.json")


def _distinct(texts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(texts))


def _figures(row: Row, code: str) -> dict:
    """As fields of a measurement on the card of a model of a code."""
    rate = row.block_error
    return {
        "code": None if row.code == code else row.code,
        "p": row.p,
        "basis": "both" if len(row.bases) == 2 else row.bases,
        "rounds": row.rounds,
        "shots": row.shots,
        "failures": row.failures,
        "block_error": rate.value,
        "low": rate.low,
        "high": rate.high,
        "per_logical_per_cycle": row.per_logical_per_cycle.value,
    }
