"""`python -m workshop calibrate`: how sure a model may call itself."""

from typing import Annotated

import typer

from cascade_qec import limits
from cascade_qec.cli.options import Activations, Device
from cascade_qec.cli.progress import progress
from cascade_qec.errors import CascadeError


def calibrate(
    model: Annotated[str, typer.Argument(help="Name of a model, or path of a .safetensors file with its card.")],
    p: Annotated[
        list[float] | None, typer.Option(help="Noise rate; repeat for several.  [default: 0.002, 0.003, 0.005]")
    ] = None,
    shots: Annotated[
        int, typer.Option(min=2, max=limits.SHOTS, help="Shots of each basis and noise rate; one half tries the other.")
    ] = 10_000,
    rounds: Annotated[
        list[int] | None,
        typer.Option(
            min=1,
            max=limits.ROUNDS,
            help="Numbers of rounds that one that learned a single number knows from now on; repeat for several.",
        ),
    ] = None,
    most_rounds: Annotated[
        int, typer.Option(min=1, max=limits.ROUNDS, help="Leave longer experiments out, of a logical head.")
    ] = limits.ROUNDS,
    device: Device = "auto",
    precision: Activations = "auto",
) -> None:
    """Fit what a model's log-odds are worth, and write it into its file; its card gets the guard of confidence.

    With --rounds its file and card say, too, which numbers of rounds it knows from now on.

    Weights and predictions stay as they are. Exit status 1 where the guard does not hold.
    """
    from cascade_qec import zoo
    from cascade_qec.decoders.loading import load
    from cascade_qec.device import pick_device, pick_dtype
    from cascade_qec.evaluation.verification import zero_syndrome
    from cascade_qec.model.calibration import FEWEST
    from workshop.cards import calibration

    path, card = zoo.path(model), zoo.card(model)
    rates, where = p or list(calibration.RATES), pick_device(device)
    total, done = len(rates) * len(card.bases) * shots, 0
    with progress(f"{card.name}, shots decoded") as report:

        def seen(batch: int) -> None:
            nonlocal done
            done += batch
            report(min(done, total), total)

        dtype = pick_dtype(precision, where)
        found = calibration.calibrate(
            path,
            ps=rates,
            shots=shots,
            device=where,
            dtype=dtype,
            rounds=rounds or (),
            most_rounds=most_rounds,
            report=seen,
        )
    if found is None:
        raise CascadeError(
            f"{card.name}: expected at least {FEWEST} failures to calibrate by, got fewer: take more shots"
        )
    guards = card.guards and card.guards.model_copy(update={"confidence": found})
    decoder = load(path, device=device, precision=precision)
    made = decoder.description
    update = {"guards": guards, "zero_syndrome": zero_syndrome(decoder)}
    update |= {"rounds": made.all_rounds, "network": made.network.model_dump()}
    card.model_copy(update=update).write(path.with_suffix(".json"))
    print(
        f"{card.name}: {found.failures:,} of {found.sure:,} sure shots fail at p = {found.p:g}, {found.claimed:.2g} are"
        f" claimed, P = {found.probability:.2g}"
    )
    if guards is not None and any(verdict.guard == "confidence" for verdict in guards.broken):
        raise typer.Exit(1)
