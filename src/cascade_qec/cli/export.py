"""``cascade export``: a model and an experiment to one .onnx file."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from cascade_qec.cli.options import AllowUnmeasured, ErrorModel, Model, OwnBasis, OwnRounds, experiment_flags, there
from cascade_qec.cli.progress import NOTHING_KEPT, interruptible


def export(
    model: Model,
    out: Annotated[Path, typer.Option(help="File for the graph, as m.onnx.")],
    circuit: Annotated[Path | None, typer.Option(help="The Stim circuit to decode shots of.", callback=there)] = None,
    dem: ErrorModel = None,
    rounds: OwnRounds = None,
    basis: OwnBasis = None,
    precision: Annotated[
        Literal["float32", "float16", "int8"],
        typer.Option(help="Of the network's weights and activations; int8 in the lattice convolutions alone."),
    ] = "float32",
    layout: Annotated[
        Literal["decoder", "ising"],
        typer.Option(
            help="decoder: detection_events to observables and confidence. ising, for one observable: dets to "
            "L_and_residual_dets, with nothing left of the events."
        ),
    ] = "decoder",
    allow_unmeasured: AllowUnmeasured = False,
) -> None:
    """Write a whole decoder as one ONNX graph: from detection events to observables.

    It is for one experiment: detectors ignored or missing, observables and likely errors are in the graph. Of a local
    model the graph ends at the log-odds of the noise's components: matching is not in it. docs/onnx.md says more.
    """
    experiment_flags(circuit, dem, rounds, basis)

    from cascade_qec.export import export_onnx
    from cascade_qec.recognition import read_circuit, read_error_model

    with interruptible(NOTHING_KEPT):
        export_onnx(
            model,
            out,
            circuit=None if circuit is None else read_circuit(circuit),
            dem=None if dem is None else read_error_model(dem),
            rounds=rounds,
            basis=basis,
            precision=precision,
            layout=layout,
            allow_unmeasured=allow_unmeasured,
        )
    print(f"{precision} decoder: {out}")
