"""Measured latencies as rows, and rows as a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from cascade_qec.evaluation.latency.quantiles import quantile
from cascade_qec.evaluation.latency.timing import Timing
from cascade_qec.provenance import load_average
from cascade_qec.tables import circumstances, put_rows, read_rows


class LatencyRow(BaseModel):
    """What one decoder took for calls of one batch size.

    Times are wall times in microseconds of one shot: of a call, divided by its shots. Percentiles are over calls;
    p99.9, and the ends of all 95 % intervals, are empty where the samples are too few for them (`Quantile.known`).

    Attributes
    ----------
    decoder, parameters
        Its name, "cascade:MODEL" or a classical one's, and its settings.
    code, p, rounds, basis, seed
        The experiment and the seed of its shots.
    device, precision, threads
        What the decoder ran on; the precision is empty where it is the decoder's own affair.
    batch
        Shots in a call.
    samples
        Calls timed, after the warm-up.
    shots, failures
        Different shots decoded, and those of them with any observable wrong.
    cpu_us_per_shot_mean
        CPU time over all threads, which other processes on the same cores lengthen less than wall time.
    us_per_cycle_p50
        The median of wall time over the rounds.
    load_average
        Processes that wanted a core of the machine in the last minute of the measurement, ourselves included; empty
        where the system does not tell.
    hardware, versions, commit
        Machine, packages and checkout.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    decoder: str
    code: str
    p: float = Field(ge=0, le=1)
    rounds: int = Field(ge=1)
    basis: str
    device: str
    precision: str
    threads: int = Field(ge=1)
    batch: int = Field(ge=1)
    samples: int = Field(ge=1)
    shots: int = Field(ge=1)
    us_per_shot_p50: float
    us_per_shot_p50_low: float | None
    us_per_shot_p50_high: float | None
    us_per_shot_p99: float
    us_per_shot_p99_low: float | None
    us_per_shot_p99_high: float | None
    us_per_shot_p999: float | None
    us_per_shot_p999_low: float | None
    us_per_shot_p999_high: float | None
    us_per_shot_mean: float
    cpu_us_per_shot_mean: float
    us_per_cycle_p50: float
    failures: int = Field(ge=0)
    seed: int
    parameters: str
    load_average: float | None
    hardware: str
    versions: str
    commit: str


def latency_row(timing: Timing, *, code: str, p: float, rounds: int, basis: str, seed: int) -> LatencyRow:
    """State a timing with its circumstances."""
    times = timing.microseconds_per_shot
    columns: dict[str, float | None] = {}
    for name, fraction in (("p50", 0.5), ("p99", 0.99), ("p999", 0.999)):
        found = quantile(times, fraction)
        given = found.known or name != "p999"  # of few calls the largest, which a reader sees from their number
        columns[f"us_per_shot_{name}"] = found.value if given else None
        columns[f"us_per_shot_{name}_low"] = found.low if found.known else None
        columns[f"us_per_shot_{name}_high"] = found.high if found.known else None
    entrant = timing.entrant
    return LatencyRow.model_validate(
        {
            "decoder": entrant.name,
            "code": code,
            "p": p,
            "rounds": rounds,
            "basis": basis,
            "device": entrant.device,
            "precision": entrant.precision,
            "threads": entrant.threads,
            "batch": timing.batch,
            "samples": len(times),
            "shots": timing.shots,
            "us_per_shot_mean": float(times.mean()),
            "cpu_us_per_shot_mean": timing.cpu_microseconds_per_shot,
            "us_per_cycle_p50": quantile(times, 0.5).value / rounds,
            "failures": timing.failures,
            "seed": seed,
            "parameters": entrant.parameters,
            "load_average": load_average(),
            **columns,
            **circumstances(),
        }
    )


def write_latencies(rows: Sequence[LatencyRow], path: Path) -> None:
    """Put the rows of a run into a CSV file, in place of all rows of the same experiment: one run is one comparison.

    Raises
    ------
    CascadeError
        If there are no rows, the file cannot be written, or stands there already with other columns.
    """
    put_rows(path, rows, place=lambda row: (row.code, row.p, row.rounds, row.basis))


def read_latencies(path: Path) -> list[LatencyRow]:
    """Read back what `write_latencies` wrote.

    Raises
    ------
    CascadeError
        If the file cannot be read or holds something else.
    """
    return read_rows(path, LatencyRow)
