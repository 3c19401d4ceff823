"""``cascade bench stream``: rounds at a fixed pace, and how far decoders fall behind."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cascade_qec import limits
from cascade_qec.cli.options import Seed, printed_beside, there
from cascade_qec.cli.serve import token_of
from cascade_qec.errors import CascadeError

if TYPE_CHECKING:
    import stim

    from cascade_qec.evaluation.replay import ReplayRow
    from cascade_qec.serving import Client


def stream(
    decoders: Annotated[
        list[str], typer.Argument(help="As collect takes them: cascade:local_surface, pymatching-correlated, relay-bp.")
    ],
    code: Annotated[str | None, typer.Option(help="Code of the memory experiment, such as surface_d5.")] = None,
    p: Annotated[float, typer.Option(min=0.0, max=1.0, help="Noise rate of the shots.")] = 0.003,
    rounds: Annotated[
        int | None, typer.Option(min=2, max=limits.ROUNDS, help="[default: ten times the distance]")
    ] = None,
    basis: Annotated[Literal["Z", "X"], typer.Option(help="Basis of the experiment.")] = "Z",
    noise: Annotated[str, typer.Option(help="Noise model.")] = "uniform",
    circuit: Annotated[
        Path | None, typer.Option(help="Instead of a code: a circuit, whose shots are sampled.", callback=there)
    ] = None,
    recorded: Annotated[
        Path | None,
        typer.Option(
            "--in", help="With --circuit: recorded shots with their observables, in b8 of Stim.", callback=there
        ),
    ] = None,
    commit: Annotated[
        int | None, typer.Option(min=1, max=limits.ROUNDS, help="Rounds that a window decides. [default: the distance]")
    ] = None,
    buffer: Annotated[
        int | None,
        typer.Option(min=1, max=limits.ROUNDS, help="Rounds that it looks ahead. [default: the distance]"),
    ] = None,
    cadence_us: Annotated[
        list[float] | None,
        typer.Option("--cadence_us", help="Microseconds from round to round; repeat.  [default: 1, 10, 100, 1000]"),
    ] = None,
    shots: Annotated[int, typer.Option(min=1, max=limits.KEPT, help="Shots to play.")] = 500,
    server: Annotated[
        str | None, typer.Option(help="Play in real time to `cascade serve` at this address, host:port.")
    ] = None,
    certificate: Annotated[
        Path | None, typer.Option(help="With --server: file of its certificate, PEM.", callback=there)
    ] = None,
    token_file: Annotated[
        Path | None,
        typer.Option(
            "--token_file", help="With --server: file of the token that it wants to be shown.", callback=there
        ),
    ] = None,
    processor_time: Annotated[
        bool,
        typer.Option(
            "--processor_time", help="Count the processor's time instead of the clock's, where others use it, too."
        ),
    ] = False,
    threads: Annotated[
        int, typer.Option(min=1, max=limits.PROCESSES, help="CPU threads of models; others have one.")
    ] = 1,
    seed: Seed = 2026,
    out: Annotated[Path, typer.Option(help="Table of results.")] = Path("benchmarks/results/replay.csv"),
) -> None:
    """Play syndromes round by round, and see how far decoders fall behind at a given pace.

    Every decoder gets the same shots, in windows. What each round takes is measured; the time from the readout to the
    answer, and the rounds that wait, follow for every pace. With --server both are measured, as a client sees them.
    Each is also compared with itself in one piece. Rows of the same experiment in the table of results are replaced.
    """
    import time

    from cascade_qec.cli.progress import NOTHING_KEPT, interruptible, progress
    from cascade_qec.decoders import get
    from cascade_qec.decoders.events import unpacked
    from cascade_qec.decoders.named import NamedModel
    from cascade_qec.decoders.shots.files import ShotFile
    from cascade_qec.evaluation.replay import play, play_live, replay_rows, write_replays
    from cascade_qec.native import set_threads
    from cascade_qec.recognition import read_circuit

    if (code is None) == (circuit is None):
        raise CascadeError("expected the experiment once, by --code or by --circuit")
    if recorded is not None and circuit is None:
        raise CascadeError("expected --circuit with --in, to know what the shots are of")
    if processor_time and server is not None:
        raise CascadeError("expected --processor_time without --server, which is played to in real time")
    set_threads(threads)
    chosen = [get(name, allow_unmeasured=True) for name in dict.fromkeys(decoders)]
    chosen = [one.loaded() if isinstance(one, NamedModel) else one for one in chosen]
    experiment = read_circuit(circuit) if circuit is not None else _memory(code or "", rounds, p, basis, noise)
    if recorded is None:
        sampler = experiment.compile_detector_sampler(seed=seed)
        events, observables = sampler.sample(shots, separate_observables=True)
    else:
        file = ShotFile(recorded, "b8", experiment.num_detectors, experiment.num_observables)
        batch = next(file.batches(shots), None)
        if batch is None:
            raise CascadeError(f"{recorded}: expected at least one shot, found none")
        events, observables = unpacked(file.events(batch), experiment.num_detectors), file.flips(batch)
    shown = (experiment, events, observables, cadence_us or [1, 10, 100, 1000])
    with interruptible(NOTHING_KEPT), progress("replay, shots") as report:
        if server is None:
            clock = time.process_time_ns if processor_time else time.perf_counter_ns
            played = play(chosen, *shown, commit=commit, buffer=buffer, clock=clock, report=report)
        else:
            with _client(server, certificate, token_file) as client:
                played = play_live(
                    lambda decoder: client.open(experiment, decoder.name, commit=commit, buffer=buffer),
                    chosen,
                    *shown,
                    report=report,
                )
    about = (
        {"code": code, "p": p, "basis": basis} if code else {"code": Path(circuit or "").stem, "p": None, "basis": ""}
    )
    rows = replay_rows(played, **about, seed=None if recorded else seed, processor_time=processor_time)
    write_replays(rows, out)
    with printed_beside(out):
        _print(rows)
        print(f"Table: {out}")


def _client(address: str, certificate: Path | None, token_file: Path | None) -> Client:
    from cascade_qec.serving import Client

    token = None if token_file is None else token_of(token_file)
    return Client(address, certificate=certificate, token=token)


def _memory(code: str, rounds: int | None, p: float, basis: Literal["Z", "X"], noise: str) -> stim.Circuit:
    from cascade_qec import circuits, codes

    found = codes.get(code)
    if rounds is None and found.d is None:
        raise CascadeError(f"expected --rounds for {code}, whose distance is unknown")
    chosen = 10 * (found.d or 0) if rounds is None else rounds
    return circuits.memory(found, rounds=chosen, basis=basis, noise=circuits.noise_model(noise, p))


def _print(rows: Sequence[ReplayRow]) -> None:
    from cascade_qec.cli.table import Column, number, show

    columns: list[Column[ReplayRow]] = [
        Column("decoder", lambda row: row.decoder),
        Column("window", lambda row: f"{row.decided}+{row.ahead}", spare=1),
        Column("cadence\nus", lambda row: number(row.cadence_us), right=True),
        Column("us/round", lambda row: number(row.us_per_round_mean), right=True, spare=3),
        Column("p50\nus", lambda row: number(row.latency_us_p50.value), right=True),
        Column("p99\nus", lambda row: number(row.latency_us_p99.value), right=True),
        Column("p99.9\nus", lambda row: number(row.latency_us_p999 and row.latency_us_p999.value), True, 2),
        Column("waiting\nat the end", lambda row: number(row.backlog[-1]), right=True),
        Column("failures", lambda row: f"{row.failures}/{row.shots}", right=True),
        Column("in one\npiece", lambda row: str(row.whole_failures), right=True, spare=1),
    ]
    notes = ["Times from the readout to the answer; rounds that wait, on average, when the readout comes."]
    show(sorted(rows, key=lambda row: row.cadence_us), columns, notes=notes, section=lambda row: row.cadence_us)
