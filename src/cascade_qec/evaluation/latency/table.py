"""Measured latencies as rows, with quantiles and what the samples can say of them, and rows as a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike
from pydantic import ConfigDict, Field
from scipy.special import bdtr

from cascade_qec.errors import CascadeError
from cascade_qec.provenance import load_average
from cascade_qec.tables import Circumstances, circumstances, put_rows

if TYPE_CHECKING:  # readers of the table need no PyTorch
    from cascade_qec.evaluation.latency.timing import Timing


@dataclass(frozen=True)
class Quantile:
    """A quantile and its 95 % interval.

    Attributes
    ----------
    value
    low, high
        None, both, where the samples do not reach beyond one of them: p50 needs 6 samples, p99 368, p99.9 3688.
    """

    value: float
    low: float | None
    high: float | None

    @property
    def known(self) -> bool:
        """Whether the samples are enough for the interval."""
        return self.low is not None


def quantile(samples: ArrayLike, fraction: float) -> Quantile:
    """A quantile of independent samples, with an interval that holds for any distribution.

    The interval's ends are order statistics. How many of n samples lie below the true quantile q is binomial (n, q),
    so that ranks beyond the 2.5 % and 97.5 % quantiles of that enclose it with probability 95 % or more. Where the
    largest sample has not this rank, there is no interval. Times on a busy machine come in bursts, not
    independently, so that their intervals are too narrow.

    Parameters
    ----------
    samples : float [n]
    fraction
        0 < fraction < 1; 0.5 is the median.

    Raises
    ------
    CascadeError
        If there are no samples, or the fraction is out of range.
    """
    ordered = np.sort(np.asarray(samples, dtype=np.float64).ravel())
    n = len(ordered)
    if n == 0 or not 0 < fraction < 1:
        raise CascadeError(f"expected samples and a fraction between 0 and 1, got {n} samples and {fraction}")
    cumulative = bdtr(np.arange(n), n, fraction)  # binomial; of n itself it is 1
    lower, upper = (int(rank) for rank in np.searchsorted(cumulative, [0.025, 0.975]))
    upper += 1  # ranks are counted from 1 on
    value = float(np.quantile(ordered, fraction))
    if not 1 <= lower <= upper <= n:
        return Quantile(value, None, None)
    return Quantile(value, float(ordered[lower - 1]), float(ordered[upper - 1]))


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

    It is refused as `put_rows` refuses it.
    """
    put_rows(path, rows, place=lambda row: (row.code, row.p, row.rounds, row.basis))
