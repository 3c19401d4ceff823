"""`cascade train`: a recipe to trained weights."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cascade_qec import limits
from cascade_qec.cli.options import Activations, Device, Kernels, Threads, Workers, known_model, there


def train(
    recipe: Annotated[Path, typer.Argument(help="Recipe, a TOML file (see recipes/).", callback=there)],
    out: Annotated[Path | None, typer.Option(help="Folder of the run.  [default: runs/<recipe's name>]")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the folder's checkpoint.")] = False,
    start_from: Annotated[
        str | None,
        typer.Option(help="Model, by name or file, whose weights a new run begins with.", callback=known_model),
    ] = None,
    minutes: Annotated[
        float | None, typer.Option(min=0.01, max=limits.SECONDS, help="Stop, resumable, after so many minutes.")
    ] = None,
    device: Device = "auto",
    precision: Activations = "auto",
    kernel_choice: Kernels = "auto",
    threads: Threads = None,
    workers: Workers = None,
) -> None:
    """Train a recipe.

    The folder of the run gets run.json, metrics.jsonl, checkpoint.pt and the model, NAME.safetensors.

    SIGTERM, Ctrl-C and --minutes stop the run after the step under way: checkpoint and model are written, the
    exit status is 0, and --resume goes on from there. A second Ctrl-C interrupts at once, exit status 130.

    On a CPU a resumed run equals an uninterrupted one bit for bit, given the same number of threads. Under
    torchrun several processes share each step: torchrun --nproc-per-node 8 -m cascade_qec train RECIPE
    """
    import torch

    from cascade_qec import kernels, zoo
    from cascade_qec.cli.progress import interruptible
    from cascade_qec.device import pick_device, pick_dtype
    from cascade_qec.native import set_threads
    from cascade_qec.training import Trainer, distributed, load_recipe

    loaded = load_recipe(recipe)
    if threads is not None:
        set_threads(threads)
    folder = out or Path("runs") / loaded.name
    with (
        interruptible(f"a checkpoint in {folder} stays as it was; --resume goes on from there"),
        kernels.use(kernel_choice),
        distributed.process_group(str(pick_device(device))) as chosen,
    ):
        kernels.backend(chosen)  # refuses, before the folder is made, kernels that the device cannot run
        dtype = pick_dtype(precision, torch.device(chosen))
        kernels.expect_precision(chosen, dtype)
        trainer = Trainer(
            loaded,
            folder,
            resume=resume,
            start_from=None if start_from is None else zoo.path(start_from),
            device=chosen,
            dtype=dtype,
            workers=workers,
        )
        complete = trainer.run(minutes=minutes)
        if distributed.is_main():
            state = "complete" if complete else "stopped, go on with --resume"
            steps = f"{trainer.step} of {loaded.optimizer.steps} steps"
            typer.echo(f"{loaded.name}: {steps} in {trainer.out}, {state}")
