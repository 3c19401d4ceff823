"""``cascade spectrum``: failures by the number of faults, and the failure rates at low noise that follow."""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cascade_qec import limits
from cascade_qec.cli.options import AllowUnmeasured, known_model
from cascade_qec.cli.progress import interruptible, progress
from cascade_qec.errors import CascadeError

if TYPE_CHECKING:
    from cascade_qec.evaluation.rare_events.subjects import Subject


def spectrum(
    p: Annotated[list[float], typer.Option("--p", help="Noise strength; may be given several times.")],
    out: Annotated[Path, typer.Option(help="Folder for the tables; counts that are there are added to.")],
    model: Annotated[
        str | None, typer.Option(help="Name of a model, or path of a .safetensors file.", callback=known_model)
    ] = None,
    decoder: Annotated[str | None, typer.Option(help="Instead of --model: name of a classical decoder.")] = None,
    code: Annotated[str | None, typer.Option(help="With --decoder: name of the code.")] = None,
    noise: Annotated[str | None, typer.Option(help="With --decoder: noise model [default: uniform].")] = None,
    rounds: Annotated[
        int | None,
        typer.Option(help="Rounds of syndrome extraction [default: the model's, or d].", min=1, max=limits.ROUNDS),
    ] = None,
    basis: Annotated[Literal["X", "Z"], typer.Option(help="Basis of the experiment.")] = "Z",
    seconds: Annotated[float, typer.Option(help="Time to decode in.", min=0.1, max=limits.SECONDS)] = 60.0,
    enumerate_up_to: Annotated[
        int, typer.Option("--enumerate", help="Decode all sets of up to this many faults.", min=0, max=limits.KEPT)
    ] = 1,
    separate: Annotated[
        bool,
        typer.Option(
            "--separate",
            help="Draw faults and prepare the decoder at each p by itself, not once at the largest; time is shared.",
        ),
    ] = False,
    seed: Annotated[int, typer.Option(help="Seed of the faults.", min=0, max=limits.SEED)] = 0,
    allow_unmeasured: AllowUnmeasured = False,
    device: Annotated[str, typer.Option(help="With --model: auto, cpu, cuda or cuda:N.")] = "auto",
    precision: Annotated[
        str, typer.Option(help="With --model: auto, float32, bfloat16, float16, fp8 or int8.")
    ] = "auto",
) -> None:
    """Find the failure rate at low noise from shots with a given number of faults, and the failure spectrum.

    Writes spectrum.csv and rare.csv, and beside them the counts. Run it again to add to these.
    """
    if (model is None) == (decoder is None):
        raise CascadeError("expected either --model or --decoder")
    if decoder is not None and code is None:
        raise CascadeError(f"expected --code with --decoder {decoder}")
    if model is not None and (code is not None or noise is not None):
        raise CascadeError("expected --code and --noise with --decoder only: a model has its own")
    if out.exists() and not out.is_dir():
        raise CascadeError(f"--out: expected a folder, {out} is a file")

    from cascade_qec import decoders
    from cascade_qec.decoders.protocol import settings
    from cascade_qec.evaluation.rare_events.subjects import make_subject

    if model is not None:
        from cascade_qec.decoders.loading import load
        from cascade_qec.zoo import registry

        subject = load(model, device=device, precision=precision, allow_unmeasured=allow_unmeasured)
        made, digest = subject.description, hashlib.sha256(registry.path(model).read_bytes()).hexdigest()
        code, noise, rounds = made.code, made.noise_model, rounds or made.rounds
        parameters = f"weights=sha256:{digest[:16]}, dtype={subject.runtime.precision}"
    else:
        assert decoder is not None  # checked above
        subject = decoders.get(decoder, device=device, precision=precision, allow_unmeasured=allow_unmeasured)
        parameters = settings(subject)
    assert code is not None  # checked above, or the model's
    strengths = sorted(set(p))
    groups = [[strength] for strength in strengths] if separate else [strengths]
    for ps in groups:
        of_group = make_subject(
            subject,
            code,
            ps,
            rounds=rounds,
            basis=basis,
            noise=noise or "uniform",
            seed=seed,
            parameters=parameters,
        )
        _collect(of_group, out, seconds=seconds / len(groups), enumerate_up_to=enumerate_up_to)


def _collect(subject: "Subject", out: Path, *, seconds: float, enumerate_up_to: int) -> None:
    from cascade_qec.cli.table import Column, counted, short, show, with_interval
    from cascade_qec.evaluation.rare_events.collection import Collector
    from cascade_qec.evaluation.rare_events.results import (
        METHOD,
        RareRow,
        SpectrumRow,
        rare_rates,
        replace_rows,
        spectrum,
    )
    from cascade_qec.evaluation.rare_events.tallies import read_tallies, write_tallies

    run, model, bound = subject
    counts = out / run.file_name
    tallies = read_tallies(counts, run, model.ps)
    out.mkdir(parents=True, exist_ok=True)
    kept = f"counts up to the last pass are in {counts}; the same command adds to them"
    with interruptible(kept), progress(f"{run.decoder} {run.code}, seconds") as report:
        Collector(
            model,
            bound,
            tallies,
            enumerate_up_to=enumerate_up_to,
            save=lambda: write_tallies(counts, tallies),
            report=report,
        ).collect(seconds)
    strata, rates = spectrum(model, tallies), rare_rates(model, tallies)
    replace_rows(out / "spectrum.csv", strata)
    replace_rows(out / "rare.csv", rates)
    print(f"{run.decoder} on {run.code}, {run.rounds} rounds, basis {run.basis}, {run.noise} noise ({run.parameters})")
    of_strata: list[Column[SpectrumRow]] = [
        Column("faults", lambda row: str(row.faults), right=True),
        Column("failures / shots", lambda row: counted(row.failures, row.shots), right=True),
        Column(
            f"f(w) at p = {run.sampled_at:g}",
            lambda row: short(row.fraction.value) if row.exact else with_interval(row.fraction),
        ),
        Column("", lambda row: "exact, all sets decoded" if row.exact else ""),
    ]
    show(strata, of_strata)
    of_rates: list[Column[RareRow]] = [
        Column("p", lambda row: f"{row.p:g}"),
        Column("block error, 95 % interval", lambda row: with_interval(row.block_error)),
        Column("effective failures", lambda row: f"{row.effective_failures:.1f}", right=True),
    ]
    show(rates, of_rates, notes=[METHOD])
    print(f"Tables: {out / 'spectrum.csv'}, {out / 'rare.csv'}; counts: {counts}")
