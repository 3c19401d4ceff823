"""What escalation is worth, as rows, and rows as a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import NormalDist
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from cascade_qec.evaluation.escalation.thresholds import Escalation
from cascade_qec.provenance import load_average
from cascade_qec.tables import circumstances, put_rows

Part = Literal["network", "curve", "chosen", "fallback"]

_Z95 = NormalDist().inv_cdf(0.975)


class EscalationRow(BaseModel):
    """What a threshold did to shots of one experiment.

    Intervals are 95 %: Wilson's of rates, Agresti and Min's of the paired difference, of the mean time the normal one
    by the scatter of the shots.

    Attributes
    ----------
    decoder, fallback, parameters
        The model, "cascade:MODEL", the classical decoder, and the latter's settings.
    code, p, rounds, basis, seed
        The experiment and the seed of its shots.
    part
        "network" alone, a threshold of the "curve", the threshold "chosen" on the first half of the shots and tried
        on the second, the "fallback" alone.
    threshold
        Shots of lower confidence were escalated; empty for the fallback alone.
    shots, escalated, failures, fallback_failures
        Shots; those escalated; those with any observable wrong, with escalation and by the fallback alone.
    worse, better
        Shots on which escalation alone failed, and on which the fallback alone did.
    difference
        Block error less that of the fallback on the same shots.
    us_per_shot
        Mean wall time: of the network, in batches of `batch`, and of the fallback for escalated shots, one at a time.
    device, precision, threads
        What the network ran on; the fallback has one CPU thread.
    load_average
        Processes that wanted a core of the machine in the last minute, ourselves included; empty where the system
        does not tell.
    hardware, versions, commit
        Machine, packages and checkout.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    decoder: str
    fallback: str
    code: str
    p: float = Field(ge=0, le=1)
    rounds: int = Field(ge=1)
    basis: str
    part: Part
    threshold: float | None
    shots: int = Field(ge=1)
    escalated: int = Field(ge=0)
    escalated_fraction: float
    failures: int = Field(ge=0)
    block_error: float
    block_error_low: float
    block_error_high: float
    fallback_failures: int = Field(ge=0)
    worse: int = Field(ge=0)
    better: int = Field(ge=0)
    difference: float
    difference_low: float
    difference_high: float
    us_per_shot: float
    us_per_shot_low: float
    us_per_shot_high: float
    batch: int
    device: str
    precision: str
    threads: int = Field(ge=1)
    seed: int
    parameters: str
    load_average: float | None
    hardware: str
    versions: str
    commit: str


def escalation_rows(
    curve: Sequence[Escalation],
    chosen: Escalation | None,
    fallback: Escalation,
    about: Mapping[str, object],
) -> list[EscalationRow]:
    """State a measurement: the network alone, the curve, what was chosen, the fallback alone.

    Parameters
    ----------
    curve
        By rising threshold; the first escalates nothing.
    chosen
        None if nothing was.
    fallback
        Alone.
    about
        The columns that all rows share, but for `circumstances` and the load average.
    """
    parts: list[tuple[Part, Escalation]] = [("network", curve[0])]
    parts.extend(("curve", point) for point in curve[1:])
    if chosen:
        parts.append(("chosen", chosen))
    parts.append(("fallback", fallback))
    shared = {**about, **circumstances(), "load_average": load_average()}
    return [EscalationRow.model_validate({"part": part, **_columns(point), **shared}) for part, point in parts]


def write_escalations(rows: Sequence[EscalationRow], path: Path) -> None:
    """Put the rows of a measurement into a CSV file, in place of those of the same decoders and experiment.

    Raises
    ------
    CascadeError
        If there are no rows, the file cannot be written, or stands there already with other columns.
    """
    put_rows(path, rows, place=lambda row: (row.decoder, row.fallback, row.code, row.p, row.rounds, row.basis))


def _columns(point: Escalation) -> dict[str, object]:
    error, difference = point.block_error, point.difference
    mean, half = 1e6 * point.seconds, 1e6 * _Z95 * point.spread
    return {
        "threshold": point.threshold,
        "shots": point.shots,
        "escalated": point.escalated,
        "escalated_fraction": point.escalated_fraction,
        "failures": point.failures,
        "block_error": error.value,
        "block_error_low": error.low,
        "block_error_high": error.high,
        "fallback_failures": point.fallback_failures,
        "worse": point.worse,
        "better": point.better,
        "difference": difference.value,
        "difference_low": difference.low,
        "difference_high": difference.high,
        "us_per_shot": mean,
        "us_per_shot_low": max(0.0, mean - half),
        "us_per_shot_high": mean + half,
    }
