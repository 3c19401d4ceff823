"""`python -m workshop bench-training`: shots a second, beside stock PyTorch and beside what the device could do."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from cascade_qec import limits
from cascade_qec.cli.options import Activations, Device, Threads, printed_beside
from cascade_qec.errors import CascadeError


def bench_training(
    recipes: Annotated[
        list[Path] | None, typer.Argument(help="Recipes, TOML files.  [default: those in recipes/]")
    ] = None,
    device: Device = "auto",
    precision: Activations = "auto",
    threads: Threads = None,
    shots: Annotated[
        int | None,
        typer.Option(min=4, help="One micro-batch of so many shots of each basis a step.  [default: the recipe's]"),
    ] = None,
    seconds: Annotated[
        float, typer.Option(min=0.01, max=limits.SECONDS, help="For each recipe and variant, once warm.")
    ] = 10.0,
    variants: Annotated[
        str | None,
        typer.Option(
            help="Of triton, native, reference, stock, stock-sites, stock-compiled; by comma.  "
            "[default: ours, both stock]"
        ),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=0, help="Processes that sample shots.  [default: as cascade train]")
    ] = None,
    profile: Annotated[bool, typer.Option("--profile", help="Write where the time goes beside the results.")] = False,
    out: Annotated[
        Path | None, typer.Option(help="Table of results.  [default: benchmarks/results/training_<device>.csv]")
    ] = None,
) -> None:
    """Measure the training step of recipes: ours and the same network in stock PyTorch, in turns.

    Rows of the same recipe, device, precision and threads in the table of results are replaced, others stay.

    Without recipes, those of recipes/ are measured, but for any whose step takes longer than --seconds by its
    operations alone.
    """
    import torch

    from cascade_qec import kernels
    from cascade_qec.device import pick_device, pick_dtype
    from cascade_qec.tables import put_rows
    from cascade_qec.training import load_recipe
    from cascade_qec.training.data import default_workers
    from workshop.commands.speed_table import show_training
    from workshop.speed import (
        STOCK,
        check_variants,
        floor,
        measure_rates,
        training_speeds,
        with_shots,
    )

    chosen = pick_device(device)
    dtype = pick_dtype(precision, chosen)
    if threads is not None:
        torch.set_num_threads(threads)
    table = out or Path("benchmarks/results") / f"training_{chosen.type}.csv"
    loaded = [with_shots(load_recipe(path), shots) for path in recipes or _all_recipes()]
    names = variants.split(",") if variants else [kernels.backend(chosen), *STOCK]
    check_variants(names, chosen)  # before anything takes time
    rates = measure_rates(chosen, dtype)
    if not recipes:
        limit = seconds * rates.matrix
        loaded, long = (
            [r for r in loaded if (floor(r).operations * r.shots_per_step > limit) == is_long] for is_long in (0, 1)
        )
        for recipe in long:
            _tell(f"{recipe.name}: left out, a step takes more than {seconds:g} s; name its file to measure it")
    measured = []
    for recipe in loaded:
        rows = training_speeds(
            recipe,
            variants=names,
            device=chosen,
            dtype=dtype,
            rates=rates,
            seconds=seconds,
            workers=default_workers(str(chosen)) if workers is None else workers,
            profile=table.parent / f"{table.stem}_profiles" if profile else None,
            report=_tell,
        )
        # after each, so that what is measured stays whatever comes
        put_rows(table, rows, place=lambda row: row.place)
        measured += rows
    with printed_beside(table):
        show_training(measured)
        print(f"Table: {table}")


def _all_recipes() -> list[Path]:
    found = sorted(Path("recipes").glob("*.toml"))
    if not found:
        raise CascadeError("expected recipes, or a folder recipes/ with TOML files here, found none")
    return found


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
