"""`python -m workshop bench-convolution`: the lattice convolution alone, beside stock PyTorch's ways to compute it."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from cascade_qec.cli.options import Activations, Device, Threads, printed_beside


def bench_convolution(
    recipes: Annotated[list[Path], typer.Argument(help="Recipes, TOML files: they give tables and channels.")],
    device: Device = "auto",
    precision: Activations = "auto",
    threads: Threads = None,
    shots: Annotated[
        int | None, typer.Option(min=1, help="Of each basis.  [default: a micro-batch of the recipe]")
    ] = None,
    variants: Annotated[
        str | None,
        typer.Option(
            help="Of triton, native, reference, stock, stock-sites, stock-compiled, conv3d; by comma.  [default: all "
            "that the recipe and the device have; compiled on a GPU only]"
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Table of results.  [default: benchmarks/results/convolution_<device>.csv]")
    ] = None,
) -> None:
    """Measure one block's convolution, forward and both gradients: ours, and those of stock PyTorch, in turns.

    Rows of the same recipe, device, precision and threads in the table of results are replaced, others stay.
    """
    import torch

    from cascade_qec.device import pick_device, pick_dtype
    from cascade_qec.tables import put_rows
    from cascade_qec.training import load_recipe
    from workshop.commands.speed_table import show_convolutions
    from workshop.speed import convolution_speeds, convolution_variants

    chosen = pick_device(device)
    if threads is not None:
        torch.set_num_threads(threads)
    table = out or Path("benchmarks/results") / f"convolution_{chosen.type}.csv"
    measured = []
    for recipe in map(load_recipe, recipes):
        print(f"{recipe.name}: convolution", file=sys.stderr, flush=True)
        rows = convolution_speeds(
            recipe,
            variants=variants.split(",") if variants else convolution_variants(recipe, chosen),
            device=chosen,
            dtype=pick_dtype(precision, chosen),
            shots=shots or recipe.batch.shots,
        )
        put_rows(table, rows, place=lambda row: row.place)
        measured += rows
    with printed_beside(table):
        show_convolutions(measured)
        print(f"Table: {table}")
