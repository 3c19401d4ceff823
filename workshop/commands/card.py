"""`python -m workshop card`: a training run's model, measured beside its rivals, into the zoo."""

import math
from pathlib import Path
from typing import Annotated

import typer

from cascade_qec.cli.options import Seed
from cascade_qec.cli.progress import percent
from cascade_qec.errors import CascadeError
from cascade_qec.files import check_folder


def card(
    run: Annotated[Path, typer.Argument(help="Folder of a training run.")],
    out: Annotated[Path, typer.Option(help="Folder for weights and card.")] = Path("src/cascade_qec/zoo/models"),
    results: Annotated[Path, typer.Option(help="Folder for the table of results.")] = Path("benchmarks/results"),
    code: Annotated[
        list[str] | None, typer.Option(help="Code that a local model is measured on; repeat.  [default: the model's]")
    ] = None,
    p: Annotated[
        list[float] | None, typer.Option(help="Noise rate; repeat for several.  [default: 0.001 to 0.006]")
    ] = None,
    rival: Annotated[
        list[str] | None, typer.Option(help="NAME=SECONDS for each noise rate, such as pymatching=5; repeat.")
    ] = None,
    keep_rivals: Annotated[
        bool, typer.Option("--keep_rivals", help="Add to the rivals' rows that the table of results has already.")
    ] = False,
    collection: Annotated[
        Path | None,
        typer.Option(help="CSV of `cascade collect`, whose rivals stand where they have more shots."),
    ] = None,
    failures: Annotated[
        int, typer.Option(min=1, help="Failures at each noise rate that are enough; so are 1000 times as many shots.")
    ] = 200,
    seconds: Annotated[
        float, typer.Option(min=0.01, help="Time of the model for each code, shared out among the noise rates.")
    ] = math.inf,
    seed: Seed = 2026,
    notes: Annotated[str, typer.Option(help="Anything else that users should know.")] = "",
) -> None:
    """Measure the model of a training run beside its rivals, and put it into the zoo with its card."""
    from cascade_qec import codes
    from cascade_qec.decoders.loading import load
    from cascade_qec.evaluation.tables import pool
    from workshop.cards.collected import larger_samples, rivals_of
    from workshop.cards.making import (
        RATES,
        make_card,
        measure,
        put_into_zoo,
        rivals_rows,
        training_facts,
    )

    for folder in (out, results):
        check_folder(folder)
    if any(rate <= 0 for rate in p or ()):
        raise CascadeError(f"--p: expected noise rates above 0, got {', '.join(f'{rate:g}' for rate in p or ())}")
    models = sorted(run.glob("*.safetensors"))
    if len(models) != 1:
        raise CascadeError(f"{run}: expected the folder of a training run with one model, found {len(models)}")
    facts = training_facts(run)
    rivals = dict(_name_and_seconds(text) for text in rival or [])
    decoder = load(models[0])
    made = decoder.description
    name = made.name
    collected = []
    if collection is not None:
        collected = rivals_of(collection, code=made.code, rounds=made.rounds, noise=made.noise_model, bases=made.bases)
    table = results / f"{name}.csv"
    kept = rivals_rows(table) if keep_rivals else []
    if any(row.decoder in rivals and row.seed == seed for row in kept):
        raise CascadeError(f"{table}: expected another --seed to add shots to it, got {seed}, which it has already")
    others = [codes.get(each) for each in code or ()]
    for other in others:
        if not made.serves(other):
            raise CascadeError(f"--code: {name} decodes {made.code} alone, got {other.name}")
    measured = []
    for other in others or [None]:
        with percent(f"measuring {made.code if other is None else other.name}") as report:
            measured += measure(
                decoder,
                rivals,
                ps=p or RATES,
                code=other,
                failures=failures,
                seconds=seconds,
                seed=seed,
                report=report,
            )
    rows = larger_samples([*pool([*measured, *kept]), *collected])
    put_into_zoo(models[0], make_card(decoder, facts, rows, notes), rows, models=out, table=table)
    print(f"Model and card: {out / name}.*  Table: {table}")


def _name_and_seconds(text: str) -> tuple[str, float]:
    name, _, seconds = text.partition("=")
    try:
        return name, float(seconds)
    except ValueError as error:
        raise CascadeError(f"--rival: expected NAME=SECONDS, such as pymatching=5, got {text!r}") from error
