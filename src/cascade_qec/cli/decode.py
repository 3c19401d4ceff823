"""``cascade decode``: files of detection events to files of predicted observable flips."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from cascade_qec.cli.options import (
    AllowUnmeasured,
    Device,
    ErrorModel,
    OwnBasis,
    OwnRounds,
    Precision,
    experiment_flags,
    is_exported,
    known_decoder,
    printed_beside,
    there,
)
from cascade_qec.cli.progress import NOTHING_KEPT, interruptible, progress
from cascade_qec.errors import CascadeError
from cascade_qec.files import STANDARD

if TYPE_CHECKING:
    from cascade_qec.decoders.shots import FileDecoding

Format = Literal["01", "b8", "r8", "hits", "dets", "ptb64"]


def decode(
    model: Annotated[
        str,
        typer.Option(
            help="Name of a model, or path of a .safetensors file; or of an .onnx file of cascade export, which knows "
            "its experiment.",
            callback=known_decoder,
        ),
    ],
    shots_in: Annotated[
        Path, typer.Option("--in", "--dets", help="File of detection events; - is standard input.", callback=there)
    ],
    predictions_out: Annotated[
        Path, typer.Option("--out", "--obs_out", help="File for the predicted observable flips; - is standard output.")
    ],
    circuit: Annotated[Path | None, typer.Option(help="The Stim circuit behind the shots.", callback=there)] = None,
    dem: ErrorModel = None,
    rounds: OwnRounds = None,
    basis: OwnBasis = None,
    in_format: Annotated[
        Format | None,
        typer.Option("--in_format", "--dets_format", help="Format of --in [default: by the file's ending]."),
    ] = None,
    out_format: Annotated[
        Format | None,
        typer.Option("--out_format", "--obs_out_format", help="Format of --out [default: by the file's ending]."),
    ] = None,
    in_includes_appended_observables: Annotated[
        bool,
        typer.Option(
            "--in_includes_appended_observables",
            help="The true observable flips follow the detection events of each shot.",
        ),
    ] = False,
    obs_in: Annotated[
        Path | None,
        typer.Option("--obs_in", help="File of the true observable flips, to count failures.", callback=there),
    ] = None,
    obs_in_format: Annotated[
        Format | None, typer.Option("--obs_in_format", help="Format of --obs_in [default: by the file's ending].")
    ] = None,
    probabilities_out: Annotated[
        Path | None,
        typer.Option(
            "--probabilities_out",
            help="File for P(observable flipped): .npy, float32 [shots, observables]; - is standard output.",
        ),
    ] = None,
    confidence_out: Annotated[
        Path | None,
        typer.Option(
            "--confidence_out", help="File for P(no observable wrong): .npy, float32 [shots]; - is standard output."
        ),
    ] = None,
    fallback: Annotated[
        str | None, typer.Option(help="Classical decoder for doubtful shots, such as bposd-lowest or relay.")
    ] = None,
    below: Annotated[
        float | None,
        typer.Option(
            help="With --fallback: the confidence below which a shot is doubtful, up to 1 [default: 0.99].",
            show_default=False,
        ),
    ] = None,
    allow_unmeasured: AllowUnmeasured = False,
    device: Device = "auto",
    precision: Precision = "auto",
) -> None:
    """Decode a file of shots. Formats are Stim's; with the truth at hand, failures are counted.

    The flags of `sinter predict` work as well, with --model in the place of --decoder. As a file, - is standard input
    or output. With --fallback, shots in which the model is less sure than --below go to a classical decoder;
    probabilities and confidence stay the model's.
    """
    flags = experiment_flags(circuit, dem, rounds, basis)
    if [str(path) for path in (circuit, dem, shots_in, obs_in)].count("-") > 1:
        raise CascadeError("expected standard input (-) for one file, got it for several")
    if obs_in is not None and in_includes_appended_observables:
        raise CascadeError("expected the truth once, got --obs_in and --in_includes_appended_observables")
    if fallback is None and below is not None:
        raise CascadeError("expected --fallback with --below, got --below alone")
    if is_exported(model):
        settled = {"--device": device not in ("auto", "cpu"), "--precision": precision != "auto"}
        settled |= {"--fallback": fallback is not None, "--allow_unmeasured": allow_unmeasured}
        flags += [flag for flag, asked in settled.items() if asked]
        if flags:
            raise CascadeError(
                f"{model}: expected an exported decoder without {' and '.join(flags)}: its experiment, precision and "
                "runtime were settled by cascade export"
            )
    if fallback is not None and circuit is None and dem is None:
        raise CascadeError(f"expected --circuit or --dem, to tell {fallback} how likely errors are, got neither")

    from cascade_qec.decoders.loading import load
    from cascade_qec.decoders.onnx import load_onnx
    from cascade_qec.decoders.shots import ShotFile, decode_file, guess_format
    from cascade_qec.recognition import read_circuit, read_error_model

    experiment = read_circuit(circuit) if circuit is not None else read_error_model(dem) if dem is not None else None
    how: Any = {"device": device, "precision": precision, "allow_unmeasured": allow_unmeasured}
    if is_exported(model):
        decoder = load_onnx(model)
    elif experiment is None:
        decoder = load(model, **how).bind(rounds=rounds, basis=basis or "Z")
    elif fallback is None:
        decoder = load(model, circuit=experiment, **how)
    else:
        decoder = load(model, circuit=experiment, fallback=fallback, below=below, **how)
    k = decoder.num_observables
    shots = ShotFile(
        shots_in,
        in_format or guess_format(shots_in, "--in_format"),
        decoder.num_detectors,
        k if in_includes_appended_observables else 0,
    )
    truth = obs_in and ShotFile(obs_in, obs_in_format or guess_format(obs_in, "--obs_in_format"), 0, k)
    with interruptible(NOTHING_KEPT), progress("decoding") as report:
        decoded = decode_file(
            decoder,
            shots,
            predictions_out,
            out_format or guess_format(predictions_out, "--out_format"),
            k=k,
            probabilities=probabilities_out,
            confidence=confidence_out,
            truth=truth,
            report=report,
        )
    outputs = (predictions_out, probabilities_out, confidence_out)
    with printed_beside(STANDARD if STANDARD in outputs else None):
        for line in _summary(decoded, predictions_out, fallback):
            print(line)


def _summary(decoded: "FileDecoding", predictions: Path, fallback: str | None) -> Iterator[str]:
    from cascade_qec.statistics import wilson

    yield f"shots: {decoded.shots}"
    if fallback is not None:
        share = f" ({decoded.escalated / decoded.shots:.2%})" if decoded.shots else ""
        yield f"escalated to {fallback}: {decoded.escalated}{share}"
    if decoded.failures is not None and decoded.shots:
        rate = wilson(decoded.failures, decoded.shots)
        yield f"failures: {decoded.failures}"
        yield f"block error: {rate.value:.4g} [{rate.low:.4g}, {rate.high:.4g}] (95 %)"
    yield f"predictions: {predictions}"
