"""``cascade decode``: files of detection events to files of predicted observable flips."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cascade_qec.cli.progress import progress
from cascade_qec.errors import CascadeError

if TYPE_CHECKING:
    import stim

    from cascade_qec.decoders.file_decoding import FileDecoding

ReadFormat = Literal["01", "b8", "r8", "hits", "dets", "ptb64"]
WriteFormat = Literal["01", "b8", "r8", "hits", "dets"]


def decode(
    model: Annotated[str, typer.Option("--model", help="Name of a model, or path of a .safetensors file.")],
    shots_in: Annotated[Path, typer.Option("--in", help="File of detection events.")],
    predictions_out: Annotated[Path, typer.Option("--out", help="File for the predicted observable flips.")],
    circuit: Annotated[
        Path | None,
        typer.Option("--circuit", help="The Stim circuit, or its detector error model (.dem), behind the shots."),
    ] = None,
    rounds: Annotated[
        int | None,
        typer.Option("--rounds", help="Instead of --circuit: rounds of the model's own experiment [default: d]."),
    ] = None,
    basis: Annotated[
        Literal["X", "Z"] | None,
        typer.Option("--basis", help="Instead of --circuit: basis of the model's own experiment [default: Z]."),
    ] = None,
    in_format: Annotated[
        ReadFormat | None, typer.Option("--in_format", help="Format of --in [default: by the file's ending].")
    ] = None,
    out_format: Annotated[
        WriteFormat | None,
        typer.Option("--out_format", help="Format of --out [default: by the file's ending]."),
    ] = None,
    in_includes_appended_observables: Annotated[
        bool,
        typer.Option(
            "--in_includes_appended_observables",
            help="The true observable flips follow the detection events of each shot.",
        ),
    ] = False,
    obs_in: Annotated[
        Path | None, typer.Option("--obs_in", help="File of the true observable flips, to count failures.")
    ] = None,
    obs_in_format: Annotated[
        ReadFormat | None,
        typer.Option("--obs_in_format", help="Format of --obs_in [default: by the file's ending]."),
    ] = None,
    probabilities_out: Annotated[
        Path | None,
        typer.Option("--probabilities_out", help="File for P(observable flipped): .npy, float32 [shots, observables]."),
    ] = None,
    device: Annotated[str, typer.Option("--device", help="auto, cpu, cuda or cuda:N.")] = "auto",
    precision: Annotated[str, typer.Option("--precision", help="auto, float32 or bfloat16.")] = "auto",
) -> None:
    """Decode a file of shots. Formats are Stim's; with the truth at hand, failures are counted."""
    if circuit is not None and (rounds is not None or basis is not None):
        raise CascadeError("expected either --circuit or --rounds and --basis, got both")
    if obs_in is not None and in_includes_appended_observables:
        raise CascadeError("expected the truth once, got --obs_in and --in_includes_appended_observables")

    from cascade_qec.decoders.cascade import load
    from cascade_qec.decoders.file_decoding import decode_file
    from cascade_qec.decoders.shot_files import ShotFile, guess_format

    decoder = load(model, device=device, precision=precision)
    if circuit is None:
        # The noise rate does not matter here: only the detectors of the experiment do.
        experiment = decoder.experiment(p=0.001, rounds=rounds, basis=basis or "Z")
    else:
        experiment = _read_circuit(circuit)
    decoder = decoder.for_circuit(experiment)
    detectors, k = experiment.num_detectors, experiment.num_observables
    shots = ShotFile(
        shots_in,
        in_format or guess_format(shots_in, "--in_format"),
        detectors,
        k if in_includes_appended_observables else 0,
    )
    truth = None
    if obs_in is not None:
        truth = ShotFile(obs_in, obs_in_format or guess_format(obs_in, "--obs_in_format"), 0, k)
    with progress("decoding") as report:
        decoded = decode_file(
            decoder,
            shots,
            predictions_out,
            out_format or guess_format(predictions_out, "--out_format"),
            k=k,
            probabilities=probabilities_out,
            truth=truth,
            report=report,
        )
    _print_summary(decoded, predictions_out)


def _read_circuit(path: Path) -> "stim.Circuit | stim.DetectorErrorModel":
    import stim

    kind = stim.DetectorErrorModel if path.suffix == ".dem" else stim.Circuit
    try:
        return kind.from_file(path)
    except (OSError, ValueError, IndexError) as error:
        what = "a detector error model" if path.suffix == ".dem" else "a Stim circuit"
        raise CascadeError(f"{path}: expected {what}: {error}") from error


def _print_summary(decoded: "FileDecoding", predictions: Path) -> None:
    from cascade_qec.evaluation.rates import block_error

    print(f"shots: {decoded.shots}")
    if decoded.failures is not None and decoded.shots:
        rate = block_error(decoded.failures, decoded.shots)
        print(f"failures: {decoded.failures}")
        print(f"block error: {rate.value:.4g} [{rate.low:.4g}, {rate.high:.4g}] (95 %)")
    print(f"predictions: {predictions}")
