"""What escalation is worth, as rows, and rows as a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import ConfigDict, Field

from cascade_qec.provenance import load_average
from cascade_qec.statistics import Interval
from cascade_qec.tables import Circumstances, circumstances, put_rows

if TYPE_CHECKING:  # readers of the table need no decoder
    from cascade_qec.evaluation.escalation.thresholds import Escalation

Part = Literal["network", "curve", "chosen", "fallback"]


class EscalationRow(Circumstances):
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
    block_error: Interval
    fallback_failures: int = Field(ge=0)
    worse: int = Field(ge=0)
    better: int = Field(ge=0)
    difference: Interval
    us_per_shot: Interval
    batch: int
    device: str
    precision: str
    threads: int = Field(ge=1)
    seed: int
    parameters: str
    load_average: float | None


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
    about
        The columns that all rows share, but for `circumstances` and the load average.
    """
    parts: list[tuple[Part, Escalation]] = [("network", curve[0])]
    parts.extend(("curve", point) for point in curve[1:])
    if chosen:
        parts.append(("chosen", chosen))
    parts.append(("fallback", fallback))
    shared = {**about, **circumstances(), "load_average": load_average()}
    return [
        EscalationRow.model_validate(
            {**vars(point), **shared, "part": part}
            | {name: getattr(point, name) for name in ("escalated_fraction", "block_error", "difference")}
        )
        for part, point in parts
    ]


def write_escalations(rows: Sequence[EscalationRow], path: Path) -> None:
    """Put the rows of a measurement into a CSV file, in place of those of the same decoders and experiment.

    It is refused as `put_rows` refuses it.
    """
    put_rows(path, rows, place=lambda row: (row.decoder, row.fallback, row.code, row.p, row.rounds, row.basis))
