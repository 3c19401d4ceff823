"""Measured latencies as rows, and rows as a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ConfigDict, Field

from cascade_qec.evaluation.latency.quantiles import Quantile, quantile
from cascade_qec.provenance import load_average
from cascade_qec.tables import Circumstances, circumstances, put_rows

if TYPE_CHECKING:  # readers of the table need no PyTorch
    from cascade_qec.evaluation.latency.timing import Timing


class LatencyRow(Circumstances):
    """What one decoder took for calls of one batch size.

    Times are wall times in microseconds of one shot: of a call, divided by its shots. Percentiles are over calls;
    p99.9, and the ends of all 95 % intervals, are empty where the samples are too few for them (`Quantile.known`): of
    few calls p99.9 is the largest, which a reader sees from their number.

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
    us_per_shot_p50: Quantile
    us_per_shot_p99: Quantile
    us_per_shot_p999: Quantile | None
    us_per_shot_mean: float
    cpu_us_per_shot_mean: float
    us_per_cycle_p50: float
    failures: int = Field(ge=0)
    seed: int
    parameters: str
    load_average: float | None


def latency_row(timing: Timing, *, code: str, p: float, rounds: int, basis: str, seed: int) -> LatencyRow:
    """State a timing with its circumstances."""
    times, entrant = timing.microseconds_per_shot, timing.entrant
    p50, p99, p999 = (quantile(times, fraction) for fraction in (0.5, 0.99, 0.999))
    return LatencyRow(
        decoder=entrant.name,
        code=code,
        p=p,
        rounds=rounds,
        basis=basis,
        device=entrant.device,
        precision=entrant.precision,
        threads=entrant.threads,
        batch=timing.batch,
        samples=len(times),
        shots=timing.shots,
        us_per_shot_p50=p50,
        us_per_shot_p99=p99,
        us_per_shot_p999=p999 if p999.known else None,
        us_per_shot_mean=float(times.mean()),
        cpu_us_per_shot_mean=timing.cpu_microseconds_per_shot,
        us_per_cycle_p50=p50.value / rounds,
        failures=timing.failures,
        seed=seed,
        parameters=entrant.parameters,
        load_average=load_average(),
        **circumstances(),
    )


def write_latencies(rows: Sequence[LatencyRow], path: Path) -> None:
    """Put the rows of a run into a CSV file, in place of all rows of the same experiment: one run is one comparison.

    Raises
    ------
    CascadeError
        If there are no rows, the file cannot be written, or stands there already with other columns.
    """
    put_rows(path, rows, place=lambda row: (row.code, row.p, row.rounds, row.basis))
