"""``cascade estimate``: the rates of a circuit's or error model's errors, from files of detection events."""

from pathlib import Path
from typing import Annotated

import typer

from cascade_qec.cli.decode import Format
from cascade_qec.cli.options import ErrorModel, printed_beside, there
from cascade_qec.cli.progress import NOTHING_KEPT, interruptible
from cascade_qec.errors import CascadeError

_BATCH = 1 << 16


def estimate(
    shots_in: Annotated[
        Path, typer.Option("--in", "--dets", help="File of detection events; - is standard input.", callback=there)
    ],
    out: Annotated[
        Path, typer.Option(help="File for the learnt model: .dem, or of a circuit .stim; - is standard output, a .dem.")
    ],
    circuit: Annotated[
        Path | None,
        typer.Option(help="The Stim circuit behind the shots: each channel has a strength to learn.", callback=there),
    ] = None,
    dem: ErrorModel = None,
    in_format: Annotated[
        Format | None,
        typer.Option("--in_format", "--dets_format", help="Format of --in [default: by the file's ending]."),
    ] = None,
    in_includes_appended_observables: Annotated[
        bool,
        typer.Option(
            "--in_includes_appended_observables",
            help="Observable flips follow the detection events of each shot. They are not looked at.",
        ),
    ] = False,
    decompose_errors: Annotated[
        bool,
        typer.Option("--decompose_errors", help="Of a circuit's error model: part errors into pairs of detectors."),
    ] = False,
    within: Annotated[
        float, typer.Option(help="Factor by which two of three rates are off from the model at the most.")
    ] = 2.0,
    rates_out: Annotated[
        Path | None, typer.Option("--rates_out", help="Table of what was learnt, with 95 % intervals: .csv.")
    ] = None,
) -> None:
    """Learn how likely errors are from detection events alone, and say whether the shots fit the model at all.

    Of a circuit, each noise channel has a strength on each of its targets; of a detector error model, each mechanism
    has a probability. What the shots do not tell stays as the model has it. Decode with the model that is written.
    """
    import numpy as np
    import stim

    from cascade_qec import estimation
    from cascade_qec.decoders.shots import ShotFile, guess_format
    from cascade_qec.error_models import error_model
    from cascade_qec.files import check_distinct, written_whole
    from cascade_qec.recognition import read_circuit, read_error_model
    from cascade_qec.tables import write_rows

    if (circuit is None) == (dem is None):
        raise CascadeError(f"expected either --circuit or --dem, got {'neither' if dem is None else 'both'}")
    if str(shots_in) == "-" and "-" in (str(circuit), str(dem)):
        raise CascadeError("expected standard input (-) for one file, got it for several")
    if dem is not None and (decompose_errors or out.suffix == ".stim"):
        asked = "--decompose_errors" if decompose_errors else f"--out {out}"
        raise CascadeError(f"expected --circuit with {asked}, got --dem, whose form is kept")
    check_distinct([shots_in, circuit, dem], [out, rates_out])
    for path in (out, rates_out):
        if path is not None and not path.absolute().parent.is_dir():
            raise CascadeError(f"{path}: cannot be written: there is no folder {path.parent}")
    model = read_circuit(circuit) if circuit is not None else read_error_model(dem or Path())
    observables = model.num_observables if in_includes_appended_observables else 0
    shots = ShotFile(shots_in, in_format or guess_format(shots_in, "--in_format"), model.num_detectors, observables)
    with interruptible(NOTHING_KEPT):
        found = estimation.estimate(model, map(shots.events, shots.batches(_BATCH)), within=within)
        learnt = found.model
        if isinstance(learnt, stim.Circuit) and out.suffix != ".stim":
            learnt = error_model(learnt, decomposed=decompose_errors)
    with written_whole(out) as file:
        file.write(f"{learnt}\n".encode())
    if rates_out is not None:
        write_rows(rates_out, found.rows())
    with printed_beside(out):
        print(f"shots: {found.shots}")
        print(f"fit: chi squared {found.chi_squared:.0f}, {found.freedom:.0f} expected")
        print(f"rates: {len(found.factor)}, known to {np.median(found.spread):.0%} in the median")
        print(f"model: {out}")
