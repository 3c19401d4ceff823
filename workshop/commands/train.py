"""`python -m workshop train`: the next stretch of work on the queue, in the minutes that there are."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cascade_qec import limits
from cascade_qec.cli.options import Activations, Device, Kernels, Threads, Workers
from cascade_qec.cli.progress import percent
from cascade_qec.errors import CascadeError
from cascade_qec.files import check_folder

if TYPE_CHECKING:
    from workshop.queue.models import QueuedModel
    from workshop.queue.stretch import Stretch

_RESERVE = 0.02
_MOST_RESERVE_SECONDS = 10.0
"""Share of the time, and most of it, that is left for statistics, checkpoints and the end of the process."""

_FAILURES = 200
"""Of the model at each noise rate that are enough for a card, as for `python -m workshop card`."""

_CALIBRATION = 1000
"""Shots of each basis and noise rate that calibrate a model whose run was stopped before a validation did."""


def train(
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="Model of the queue.  [default: the next, see `queue`]"),
    ] = None,
    minutes: Annotated[
        float, typer.Option(min=0.01, max=limits.SECONDS, help="For everything, measuring included.")
    ] = 9.0,
    measuring: Annotated[
        float | None,
        typer.Option("--measure", min=0, help="Minutes of them for measuring.  [default: a tenth; 0: no card]"),
    ] = None,
    queue: Annotated[Path, typer.Option(help="List of models, a TOML file.")] = Path("recipes/queue.toml"),
    checkpoints: Annotated[Path, typer.Option(help="Folder of the models' checkpoints.")] = Path("checkpoints"),
    runs: Annotated[Path, typer.Option(help="Folder of the training runs.")] = Path("runs"),
    out: Annotated[Path, typer.Option(help="Folder for weights and card.")] = Path("src/cascade_qec/zoo/models"),
    results: Annotated[Path, typer.Option(help="Folder for the table of results.")] = Path("benchmarks/results"),
    device: Device = "auto",
    precision: Activations = "auto",
    kernel_choice: Kernels = "auto",
    threads: Threads = None,
    workers: Workers = None,
) -> None:
    """Train the next stretch of the queue, or of one of its models.

    Goes on from CHECKPOINTS/NAME, or from RUNS/NAME where that is further, and begins the next recipe where one is
    complete. At the end the checkpoint is written to CHECKPOINTS/NAME, and the model is measured; its weights and its
    card replace those that there are unless these have lower block errors or a guard of the new ones does not hold (see
    `python -m workshop guards`). Rivals' rows of the table of results are kept.

    The minutes are for the whole command; only a validation that has begun is finished. SIGTERM and Ctrl-C stop the
    training after the step under way: the checkpoint is written, and no card.
    """
    end = time.monotonic() + 60 * minutes
    measuring = minutes / 10 if measuring is None else measuring
    if measuring >= minutes:
        raise CascadeError(f"--measure: expected less than the {minutes:g} minutes of --minutes, got {measuring:g}")

    import torch

    from cascade_qec import kernels
    from cascade_qec.device import pick_device, pick_dtype
    from cascade_qec.training import Trainer, distributed
    from cascade_qec.training.run_files import run_lock
    from workshop.queue.models import load_queue
    from workshop.queue.stretch import Folders, keep, next_stretch

    queued = load_queue(queue)
    for folder in (checkpoints, runs, out, results):
        check_folder(folder)
    folders = Folders(runs, checkpoints, out)
    model = _chosen(queued, name, checkpoints)
    if distributed.local_processes() > 1:
        raise CascadeError("expected one process, got several: the queue is trained on one device")
    if threads is not None:
        torch.set_num_threads(threads)
    with (
        kernels.use(kernel_choice),
        distributed.process_group(str(pick_device(device))) as chosen,
        run_lock(runs / model.name),
    ):
        stretch = next_stretch(model, queued, folders)
        trainer = Trainer(
            stretch.recipe,
            stretch.run,
            resume=stretch.resume,
            start_from=stretch.start_from,
            device=chosen,
            dtype=pick_dtype(precision, torch.device(chosen)),
            workers=workers,
        )
        steps = stretch.recipe.optimizer.steps
        typer.echo(f"{model.name}: {_progress(model, stretch, trainer.step)}, in {stretch.run}")
        until = end - 60 * measuring - min(_MOST_RESERVE_SECONDS, _RESERVE * 60 * minutes)
        stopped = False
        if trainer.step < steps:
            complete = trainer.run(minutes=max(0.0, until - time.monotonic()) / 60)
            stopped = not complete and time.monotonic() < until  # before its time: by a signal
        keep(stretch, folders)
        told = _progress(model, stretch, trainer.step)
        typer.echo(f"{model.name}: {told}, kept in {checkpoints / model.name}")
        if measuring and not stopped:
            measured_by = end - min(1.0, 0.1 * 60 * measuring)
            if time.monotonic() < measured_by:
                _measure(stretch, f"{told}.", measured_by, trainer.step, out, results, device, precision)
            else:
                typer.echo(f"{model.name}: not measured, no time was left; weights and card stay as they are")


def _chosen(queued: list[QueuedModel], name: str | None, checkpoints: Path) -> QueuedModel:
    from workshop.queue.standing import next_of, standing

    if name is not None:
        found = next((model for model in queued if model.name == name), None)
        if found is None:
            raise CascadeError(f"expected a model of the queue ({', '.join(m.name for m in queued)}), got {name}")
        return found
    standings = [standing(model, checkpoints) for model in queued]
    for passed_over in standings:
        if passed_over.problem:
            typer.echo(f"{passed_over.model.name}: passed over: {passed_over.problem}", err=True)
    following = next_of(standings)
    if following is None:
        raise CascadeError("nothing to train: every model of the queue has met its targets or used up its steps")
    return following.model


def _progress(model: QueuedModel, stretch: Stretch, step: int) -> str:
    of = stretch.recipe.optimizer.steps
    return f"stretch {stretch.number + 1} of {len(model.recipes)}, step {step:,} of {of:,}"


def _measure(
    stretch: Stretch, notes: str, until: float, seed: int, models: Path, results: Path, device: str, precision: str
) -> None:
    """Measure the run's model and put it into the zoo, unless what is there is better."""
    import math

    from cascade_qec.decoders.loading import load
    from cascade_qec.device import pick_device, pick_dtype
    from cascade_qec.evaluation.model_guards import see_guards, with_floor
    from cascade_qec.evaluation.tables import pool
    from cascade_qec.model import load_model
    from cascade_qec.zoo.card import Card
    from workshop.cards.calibration import calibrate
    from workshop.cards.making import (
        RATES,
        make_card,
        measure,
        put_into_zoo,
        rivals_rows,
        training_facts,
    )
    from workshop.cards.replacement import block_error_ratio

    name = stretch.recipe.name
    weights = stretch.run / f"{name}.safetensors"
    if load_model(weights)[1].calibration is None:  # the time ended before the last step
        where = pick_device(device)
        calibrate(weights, shots=_CALIBRATION, device=where, dtype=pick_dtype(precision, where))
    decoder = load(weights, device=device, precision=precision)
    before, table = models / f"{name}.json", results / f"{name}.csv"
    old = Card.read(before) if before.exists() else None
    # Shots by the step, so that no step's weights are measured, and chosen, by the shots of those before.
    guards = see_guards(decoder, seed=seed)
    with percent("measuring") as report:
        measured = measure(
            decoder,
            {},
            ps=RATES if old is None else sorted({row.p for row in old.measurements}),
            failures=_FAILURES,
            seed=seed,
            seconds=max(0.0, until - time.monotonic()),  # what loading the model and its guards have left
            report=report,
        )
    broken = with_floor(guards, decoder, measured).broken
    for verdict in broken:
        typer.echo(f"{name}: guard does not hold: {verdict.guard}: {verdict.figures}")
    if old is not None:
        if broken:
            typer.echo(f"{name}: weights and card stay as they are")
            return
        ratio, rates = block_error_ratio(measured, old)
        if math.isnan(ratio):
            typer.echo(f"{name}: too few failures to compare with the card; weights and card stay as they are")
            return
        at = ", ".join(f"{100 * p:.3g}" for p in rates)
        typer.echo(f"{name}: block error {ratio:.3f} times that on the card, geometric mean at {at} %")
        if ratio > 1:
            typer.echo(f"{name}: weights and card stay as they are")
            return
    rows = pool([*measured, *rivals_rows(table)])
    card = make_card(decoder, training_facts(stretch.run), rows, notes, guards)
    put_into_zoo(weights, card, rows, models=models, table=table)
    typer.echo(f"Model and card: {models / name}.*  Table: {table}")
