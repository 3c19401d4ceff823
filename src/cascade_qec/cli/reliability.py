"""``cascade reliability``: whether a model's confidence comes true, and what discarding its doubts is worth."""

from pathlib import Path
from typing import Annotated

import typer

from cascade_qec import limits
from cascade_qec.cli.options import Device, Model, Precision, Seed
from cascade_qec.cli.progress import interruptible, progress


def reliability(
    model: Model,
    out: Annotated[Path, typer.Option(help="Folder for the tables.")],
    p: Annotated[
        list[float] | None, typer.Option(help="Noise rate; repeat for several.  [default: 0.003, 0.005]")
    ] = None,
    rounds: Annotated[
        int | None, typer.Option(min=1, max=limits.ROUNDS, help="Rounds of the experiment.  [default: the model's]")
    ] = None,
    basis: Annotated[
        list[str] | None, typer.Option(help="X or Z; repeat for both, which stay apart.  [default: Z]")
    ] = None,
    shots: Annotated[
        int, typer.Option(min=2, max=limits.KEPT, help="Shots at each noise rate and basis, made even.")
    ] = 20_000,
    rival: Annotated[
        list[str] | None,
        typer.Option(
            help="gap (complementary gap of matching), correlated-gap (of correlated matching) or lsd (clusters of "
            "BP+LSD); repeat for several."
        ),
    ] = None,
    discard: Annotated[
        list[float] | None, typer.Option(help="Discard rate to print; repeat for several.  [default: 0.01, 0.05]")
    ] = None,
    bins: Annotated[
        int, typer.Option(min=1, max=limits.KEPT, help="Bins of equal mass of the calibration error.")
    ] = 15,
    seed: Seed = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the folder's tables.")] = False,
    device: Device = "auto",
    precision: Precision = "auto",
) -> None:
    """Measure calibration and post-selection of a model, beside rivals on the same shots.

    Writes reliability.csv (predicted and observed frequencies), calibration.csv (calibration error, Brier score,
    log loss) and post_selection.csv (error against acceptance: thresholds are chosen on the first half of the
    shots and reported on the second) after each noise rate and basis; --resume goes on after the last of them.
    """
    from cascade_qec.cli.reliability_table import print_calibration, print_post_selection
    from cascade_qec.decoders.loading import load
    from cascade_qec.evaluation.reliability.run import run
    from cascade_qec.evaluation.reliability.tables import KINDS, CalibrationRow, PostSelectionRow
    from cascade_qec.tables import read_rows

    decoder = load(model, device=device, precision=precision)
    printed = discard or [0.01, 0.05]
    kept = f"noise rates and bases that are done are in {out}; the same command with --resume goes on after them"
    with interruptible(kept), progress("shots decoded") as report:
        run(
            decoder,
            rival or [],
            out,
            resume=resume,
            ps=p or [0.003, 0.005],
            bases=basis or ["Z"],
            rounds=rounds,
            shots=shots,
            discards=printed,
            bins=bins,
            seed=seed,
            report=report,
        )
    print_calibration(read_rows(out / "calibration.csv", CalibrationRow))
    print_post_selection(read_rows(out / "post_selection.csv", PostSelectionRow), printed)
    for name in KINDS:
        print(f"Table: {out / name}")
