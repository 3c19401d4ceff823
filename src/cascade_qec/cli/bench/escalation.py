"""``cascade bench escalation``: accuracy and time of sending doubtful shots to a classical decoder."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from cascade_qec import limits
from cascade_qec.cli.options import Model, Seed, printed_beside
from cascade_qec.cli.progress import NOTHING_KEPT, interruptible, percent


def escalation(
    model: Model,
    fallback: Annotated[
        str, typer.Option(help="A classical decoder, such as relay, tesseract, bposd-filtered or pymatching.")
    ] = "relay",
    p: Annotated[float, typer.Option(min=0.0, max=1.0, help="Noise rate of the shots.")] = 0.003,
    rounds: Annotated[int | None, typer.Option(min=1, max=limits.ROUNDS, help="[default: those of training]")] = None,
    basis: Annotated[Literal["Z", "X"], typer.Option(help="Basis of the experiment.")] = "Z",
    shots: Annotated[int, typer.Option(min=4, max=limits.KEPT, help="Shots at most.")] = 100_000,
    failures: Annotated[
        int | None,
        typer.Option(min=1, max=limits.KEPT, help="Stop after so many failures of the fallback.  [default: go on]"),
    ] = None,
    seconds: Annotated[
        float, typer.Option(min=0.001, max=limits.SECONDS, help="Stop after so much time; Ctrl-C does so too.")
    ] = 300.0,
    device: Annotated[str, typer.Option(help="Of the model: auto, cpu, cuda or cuda:N.")] = "auto",
    precision: Annotated[
        str, typer.Option(help="Of the model: auto, float32, bfloat16, float16, fp8 or int8.")
    ] = "auto",
    threads: Annotated[
        int | None,
        typer.Option(
            min=1, max=limits.PROCESSES, help="CPU threads of the model; the fallback has one.  [default: all cores]"
        ),
    ] = None,
    seed: Seed = 2026,
    out: Annotated[Path, typer.Option(help="Table of results; - is standard output.")] = Path(
        "benchmarks/results/escalation.csv"
    ),
) -> None:
    """Decode the same shots with a model and a fallback, and see what each threshold of escalation is worth.

    Every shot is decoded by both, so that all thresholds are judged on the same shots and against the fallback. A
    threshold is chosen on the first half of the shots, the cheapest one that is surely no worse than the fallback, and
    tried on the second. Rows of the same decoders and experiment in the table of results are replaced.
    """
    from cascade_qec.cli.bench.escalation_table import print_escalation
    from cascade_qec.decoders.escalation import fallback_decoder
    from cascade_qec.decoders.loading import load
    from cascade_qec.decoders.protocol import settings
    from cascade_qec.evaluation.escalation.table import escalation_rows, write_escalations
    from cascade_qec.evaluation.escalation.thresholds import BATCH, choose, decode_both, escalate, trade_off
    from cascade_qec.native import set_threads

    if threads is not None:
        set_threads(threads)
    network = load(model, device=device, precision=precision)
    classical = fallback_decoder(fallback, network.code)
    rounds = network.description.rounds if rounds is None else rounds
    circuit = network.experiment(p, rounds=rounds, basis=basis)
    with interruptible(NOTHING_KEPT), percent("escalation") as report:
        decoded = decode_both(
            network,
            classical,
            circuit,
            shots=shots,
            failures=failures,
            seconds=seconds,
            seed=seed,
            report=report,
        )
    about = {
        "decoder": network.name,
        "fallback": classical.name,
        "code": network.description.code,
        "p": p,
        "rounds": rounds,
        "basis": basis,
        "batch": min(BATCH, shots),
        "device": network.runtime.device,
        "precision": network.runtime.precision,
        "threads": network.runtime.threads,
        "seed": seed,
        "parameters": settings(classical),
    }
    rows = escalation_rows(trade_off(decoded), choose(decoded), escalate(decoded, None), about)
    write_escalations(rows, out)
    with printed_beside(out):
        print_escalation(rows)
        print(f"Table: {out}")
