"""`python -m workshop equal-predictions`: whether this checkout predicts what another commit does."""

from pathlib import Path
from typing import Annotated

import typer

from cascade_qec.cli.options import Device, Precision, Seed, Threads
from cascade_qec.cli.progress import progress
from cascade_qec.errors import CascadeError


def equal_predictions(
    models: Annotated[
        list[str] | None, typer.Argument(metavar="[MODEL]...", help="Models of that commit.  [default: all]")
    ] = None,
    against: Annotated[str, typer.Option(help="The other commit.")] = "d2de56d",
    shots: Annotated[int, typer.Option(min=1, help="Of each basis at each noise rate.")] = 20_000,
    seed: Seed = 2026,
    device: Device = "cpu",
    precision: Precision = "float32",
    threads: Threads = None,
    work: Annotated[Path, typer.Option(help="Folder for the other tree, shots and predictions.")] = Path(
        "runs/equality"
    ),
) -> None:
    """Decode the same shots with this checkout and with another commit, by that commit's weights, and compare.

    A line for each model: shots whose observables differ, and the largest differences of probabilities and confidence.
    Exit status 1 where observables or circuits differ, or anything else by more than 1e-5. What is decoded is kept in
    the folder, for the code that it was decoded with, so the command can be stopped and begun again.
    """
    from workshop import CHECKOUT
    from workshop.equality.predictions import NOISE_RATES, TOLERANCE, Settings, model_difference
    from workshop.equality.trees import Source, at_commit

    old, new = at_commit(against, work), Source(CHECKOUT)
    known = sorted(path.stem for path in old.models.glob("*.safetensors"))
    unknown = sorted(set(models or ()) - set(known))
    if unknown:
        raise CascadeError(f"expected models of {against} ({', '.join(known)}), got {', '.join(unknown)}")
    settings = Settings(shots, seed, device, precision, threads)
    rates = " and ".join(f"{p:g}" for p in NOISE_RATES)
    print(f"This checkout (code {new.key}) against {against} (code {old.key}), {device}, {precision}, seed {seed}:")
    print(f"{shots:,} shots of each basis at p = {rates}. Up to {TOLERANCE:g} is rounding.")
    different = []
    for model in models or known:
        with progress(f"{model}, shots") as report:
            found = model_difference(model, old, new, work, settings, report)
        print(found, flush=True)
        if not found.equal:
            different.append(model)
    if different:
        print(f"Different: {', '.join(different)}.")
        raise typer.Exit(1)
