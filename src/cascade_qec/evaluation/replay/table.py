"""Replays as rows: what a decoder in windows does at one pace of rounds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from pydantic import Field, field_validator

from cascade_qec.decoders.protocol import settings
from cascade_qec.evaluation.latency.table import Quantile, quantile
from cascade_qec.evaluation.replay.playing import Played
from cascade_qec.provenance import load_average
from cascade_qec.statistics import failures
from cascade_qec.tables import Circumstances, circumstances, put_rows

_POINTS = 21


class ReplayRow(Circumstances):
    """What one decoder does at one pace.

    Attributes
    ----------
    decoder, parameters
        Its name and settings.
    code, p, rounds, basis, seed
        The experiment, and the seed of its shots. A circuit from a file is called as that is, and has no rate or basis
        that is known; recorded shots have no seed.
    server
        Whether it ran on a server, which was played to in real time.
    decided, ahead
        Rounds that a window decides, and that it looks ahead.
    cadence_us
        Microseconds from round to round.
    shots, failures
        Shots played, and those with any observable wrong.
    whole_failures
        Those that the same decoder fails in one piece.
    differ
        Those in which both say something else.
    us_per_round_mean
        What a round takes on average; less than the cadence, or it falls behind. Empty for a server.
    latency_us_p50, latency_us_p99, latency_us_p999
        From the readout to the answer; the last one where the shots are enough for it.
    most_waiting
        Rounds that waited at once, at most. Of a server: since its next window could have been decided.
    waiting
        Mean number of rounds that wait, at `_POINTS` moments from the first round to the readout, as text.
    processor_time
        Whether times are the processor's, as if the machine did nothing else.
    load_average
        Processes that wanted a core of the machine meanwhile; empty where the system does not tell.
    """

    decoder: str
    code: str
    p: float | None = Field(ge=0, le=1)
    rounds: int = Field(ge=1)
    basis: str
    decided: int = Field(ge=1)
    ahead: int = Field(ge=1)
    cadence_us: float = Field(gt=0)
    shots: int = Field(ge=1)
    failures: int = Field(ge=0)
    whole_failures: int = Field(ge=0)
    differ: int = Field(ge=0)
    us_per_round_mean: float | None
    latency_us_p50: Quantile
    latency_us_p99: Quantile
    latency_us_p999: Quantile | None
    most_waiting: int
    waiting: str
    seed: int | None
    parameters: str
    load_average: float | None
    server: bool = False
    processor_time: bool = False

    @field_validator("waiting")
    @classmethod
    def _numbers(cls, text: str) -> str:
        if not text.split() or any(float(number) < 0 for number in text.split()):
            raise ValueError("expected numbers of rounds")
        return text

    @property
    def backlog(self) -> list[float]:
        """`waiting` as numbers."""
        return [float(number) for number in self.waiting.split()]


def replay_rows(
    played: Sequence[Played],
    *,
    code: str,
    p: float | None,
    basis: str,
    seed: int | None,
    processor_time: bool = False,
) -> list[ReplayRow]:
    """A row for each decoder and pace."""
    found: list[ReplayRow] = []
    for one in played:
        for cadence, (latency, waiting) in one.queues.items():
            p50, p99, p999 = (quantile(1e6 * latency, fraction) for fraction in (0.5, 0.99, 0.999))
            moments = np.linspace(0, waiting.shape[1] - 1, _POINTS).round().astype(int)
            found.append(
                ReplayRow(
                    decoder=one.decoder.name,
                    code=code,
                    p=p,
                    rounds=waiting.shape[1] - 1,
                    basis=basis,
                    decided=one.commit,
                    ahead=one.buffer,
                    cadence_us=cadence,
                    shots=len(latency),
                    failures=failures(one.observables, one.truth),
                    whole_failures=failures(one.whole, one.truth),
                    differ=failures(one.observables, one.whole),
                    us_per_round_mean=None if one.seconds is None else float(1e6 * one.seconds.mean()),
                    latency_us_p50=p50,
                    latency_us_p99=p99,
                    latency_us_p999=p999 if p999.known else None,
                    most_waiting=int(waiting.max()),
                    waiting=" ".join(f"{mean:.4g}" for mean in waiting.mean(axis=0)[moments]),
                    seed=seed,
                    parameters=settings(one.decoder),
                    load_average=load_average(),
                    server=one.seconds is None,
                    processor_time=processor_time,
                    **circumstances(),
                )
            )
    return found


def write_replays(rows: Sequence[ReplayRow], path: Path) -> None:
    """Put the rows of a run into a CSV file, in place of all rows of the same experiment, here or on a server: one run
    is one comparison.

    It is refused as `put_rows` refuses it.
    """
    put_rows(path, rows, place=lambda row: (row.code, row.p, row.rounds, row.basis, row.server))
