"""``cascade bench latency``: microseconds per shot and cycle, ours beside the decoders in use today."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cascade_qec import limits
from cascade_qec.cli.options import Seed, known_model, printed_beside
from cascade_qec.errors import CascadeError

if TYPE_CHECKING:
    from cascade_qec.decoders.cascade import CascadeDecoder
    from cascade_qec.evaluation.latency.table import LatencyRow


def latency(
    models: Annotated[
        list[str],
        typer.Argument(
            help="Names in the zoo, or .safetensors files. Those of one code are measured together.",
            callback=known_model,
        ),
    ],
    rival: Annotated[
        list[str] | None, typer.Option(help="A classical decoder, such as pymatching or bposd-filtered; repeat.")
    ] = None,
    p: Annotated[float, typer.Option(min=0.0, max=1.0, help="Noise rate of the shots.")] = 0.003,
    rounds: Annotated[int | None, typer.Option(min=1, max=limits.ROUNDS, help="[default: those of training]")] = None,
    basis: Annotated[Literal["Z", "X"], typer.Option(help="Basis of the experiment.")] = "Z",
    shots: Annotated[int, typer.Option(min=1, max=limits.KEPT, help="Single shots to decode, one at a time.")] = 5000,
    batch: Annotated[
        list[int] | None,
        typer.Option(min=1, max=limits.BATCH, help="Shots in a call; repeat.  [default: 1, 8, 64, 512, 4096]"),
    ] = None,
    seconds: Annotated[
        float,
        typer.Option(
            min=0.001, max=limits.SECONDS, help="For each decoder and batch; a batch that takes longer is left out."
        ),
    ] = 10.0,
    turns: Annotated[
        int, typer.Option(min=1, max=limits.KEPT, help="Turns in which the decoders share the time.")
    ] = 10,
    device: Annotated[str, typer.Option(help="Of the models: auto, cpu, cuda or cuda:N.")] = "auto",
    precision: Annotated[
        str, typer.Option(help="Of the models: auto, float32, bfloat16, float16, fp8 or int8.")
    ] = "auto",
    runtime: Annotated[
        list[str] | None, typer.Option(help="Of the models: auto, native, torch or numpy; repeat.  [default: auto]")
    ] = None,
    threads: Annotated[
        int | None,
        typer.Option(
            min=1, max=limits.PROCESSES, help="CPU threads of the models; rivals have one.  [default: all cores]"
        ),
    ] = None,
    seed: Seed = 2026,
    out: Annotated[
        Path | None, typer.Option(help="Table of results.  [default: benchmarks/results/latency_<device>.csv]")
    ] = None,
) -> None:
    """Measure how long decoders take for a shot, single and in batches, on the same shots and in turns.

    A rival that cannot decode a model's code, or whose package is missing, is named and left out. Rows of the same
    experiment (code, p, rounds, basis) in the table of results are replaced, others stay.
    """
    from cascade_qec import load
    from cascade_qec.cli.progress import interruptible, progress, tell
    from cascade_qec.decoders import classical
    from cascade_qec.decoders.runtime import choose
    from cascade_qec.evaluation.latency.sweep import latency_sweep, ready_entrants
    from cascade_qec.evaluation.latency.table import latency_row, write_latencies
    from cascade_qec.evaluation.latency.timing import sample_shots
    from cascade_qec.native import set_threads

    runtimes = list(dict.fromkeys(runtime or ["auto"]))
    chosen = choose(runtimes[0], device, precision)
    rivals = [classical.get(name) for name in dict.fromkeys(rival or [])]
    batches = sorted(set(batch or (1, 8, 64, 512, 4096)))
    if threads is not None:
        set_threads(threads)
    table = out or Path("benchmarks/results") / f"latency_{chosen.device.partition(':')[0]}.csv"
    # the time that a shot takes can be measured at any number of rounds
    loaded = [
        load(model, device=device, precision=precision, runtime=by, allow_unmeasured=True)
        for model in dict.fromkeys(models)
        for by in runtimes
    ]
    by_code = _by_code(loaded)
    measured = []
    for code, ours in by_code.items():
        cycles = ours[0].description.rounds if rounds is None else rounds
        circuit = ours[0].experiment(p, rounds=cycles, basis=basis)
        entrants = ready_entrants(ours, rivals, circuit, skipped=tell)
        if len(runtimes) > 1:
            for number, by in enumerate(ours):
                entrants[number] = replace(entrants[number], name=f"{by.name} ({by.runtime.name})")
        sampled = sample_shots(circuit, max(shots, *batches), seed=seed)
        kept = f"codes that are done are in {table}; {code} is to be measured again"
        with interruptible(kept), progress(f"{code}, turns") as report:
            timings = latency_sweep(
                entrants, sampled, single_shots=shots, batches=batches, seconds=seconds, turns=turns, report=report
            )
        rows = [latency_row(timing, code=code, p=p, rounds=cycles, basis=basis, seed=seed) for timing in timings]
        write_latencies(rows, table)  # after each code, so that what is measured stays whatever comes
        measured += rows
    with printed_beside(table):
        _print_latencies(measured)
        print(f"Table: {table}")


def _by_code(decoders: Sequence[CascadeDecoder]) -> dict[str, list[CascadeDecoder]]:
    found: dict[str, list[CascadeDecoder]] = {}
    for decoder in decoders:
        same = found.setdefault(decoder.description.code, [])
        if (decoder.name, decoder.runtime) in {(other.name, other.runtime) for other in same}:
            raise CascadeError(f"expected models of different names, got two of {decoder.description.name}")
        same.append(decoder)
    return found


def _print_latencies(rows: Sequence[LatencyRow]) -> None:
    from cascade_qec.cli.table import Column, number, show

    experiments = dict.fromkeys((row.code, row.p, row.rounds, row.basis) for row in rows)
    notes = [f"{code}: p = {p:g}, {rounds} rounds, basis {basis}." for code, p, rounds, basis in experiments]
    if loads := [row.load_average for row in rows if row.load_average is not None]:
        notes.append(f"Load average of the machine: {max(loads):.1f}.")
    columns: list[Column[LatencyRow]] = [
        Column("code", lambda row: row.code),
        Column("decoder", lambda row: row.decoder),
        Column("on", lambda row: " ".join(filter(None, (row.device, row.precision, f"x{row.threads}"))), spare=1),
        Column("batch", lambda row: str(row.batch), right=True),
        Column("calls", lambda row: str(row.samples), right=True, spare=2),
        Column("p50\nus/shot", lambda row: number(row.us_per_shot_p50.value), right=True),
        Column("p99\nus/shot", lambda row: number(row.us_per_shot_p99.value), right=True),
        Column("p99.9\nus/shot", lambda row: number(row.us_per_shot_p999 and row.us_per_shot_p999.value), True, 2),
        Column("p50\nus/cycle", lambda row: number(row.us_per_cycle_p50), right=True, spare=1),
        Column("CPU\nus/shot", lambda row: number(row.cpu_us_per_shot_mean), right=True, spare=1),
        Column("failures", lambda row: f"{row.failures}/{row.shots}", right=True, spare=1),
    ]
    show(rows, columns, notes=notes, section=lambda row: (row.code, row.batch))
