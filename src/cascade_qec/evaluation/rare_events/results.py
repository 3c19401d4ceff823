"""The tables that plots and fits read: spectrum.csv and rare.csv."""

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field

from cascade_qec.evaluation.rare_events.estimate import METHOD, RareRate, StratumRate
from cascade_qec.evaluation.rare_events.tallies import Run
from cascade_qec.statistics import Interval
from cascade_qec.tables import put_rows


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True)

    decoder: str
    code: str
    rounds: int = Field(ge=1)
    basis: str


class SpectrumRow(_Row):
    """f(w) at ``sampled_at``, as `StratumRate` has it, and the run."""

    faults: int = Field(ge=0)
    shots: int
    failures: int
    fraction: Interval
    seed: int
    sampled_at: float
    exact: bool
    noise: str
    parameters: str


class RareRow(_Row):
    """The block error at one noise strength, as `RareRate` has it, and the run."""

    p: float = Field(ge=0, le=1)
    block_error: Interval
    method: str
    seed: int
    shots: int
    failures: int
    effective_failures: float
    exact_part: float
    unknown: float
    sampled_at: float
    noise: str
    parameters: str


_Result = TypeVar("_Result", SpectrumRow, RareRow)


def spectrum_rows(run: Run, rates: Sequence[StratumRate]) -> list[SpectrumRow]:
    """Rows of spectrum.csv."""
    return [SpectrumRow(**run.model_dump(), **vars(rate)) for rate in rates]


def rare_rows(run: Run, rates: Sequence[RareRate]) -> list[RareRow]:
    """Rows of rare.csv."""
    return [RareRow(**run.model_dump(), **vars(rate), method=METHOD) for rate in rates]


def replace_rows(path: Path, rows: Sequence[_Result]) -> None:
    """Put rows into a table in place of those of the same runs; rows of other runs stay.

    Raises
    ------
    CascadeError
        If there are no rows, or the file cannot be read or written, or has other columns.
    """
    put_rows(path, rows, place=lambda row: (row.decoder, row.code, row.rounds, row.basis, row.sampled_at))
