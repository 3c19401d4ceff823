"""Shots and failures of the strata, as they are counted and as they are stored."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from cascade_qec.errors import CascadeError
from cascade_qec.tables import read_rows, write_rows

Stage = Literal["all", "pilot", "main"]
"""How a stratum was decoded: all its sets; at random, to plan with; at random, to estimate from."""

STAGES: tuple[Stage, ...] = get_args(Stage)


class Run(BaseModel):
    """What must agree for counts to add up.

    Attributes
    ----------
    decoder, parameters
        Its name, and its settings (a model: the hash of its weights) as text.
    code, rounds, basis, noise
        The memory experiment.
    sampled_at
        Noise strength at which sets of faults are drawn, and for which the decoder was prepared.
    seed
        Of all draws.
    """

    model_config = ConfigDict(frozen=True)

    decoder: str
    parameters: str
    code: str
    rounds: int = Field(ge=1)
    basis: str
    noise: str
    sampled_at: float = Field(gt=0, lt=1)
    seed: int = Field(ge=0)

    @property
    def file_name(self) -> str:
        """Name of the run's own table."""
        decoder = self.decoder.replace(":", "-").replace("/", "-")
        return f"strata_{decoder}_{self.code}_r{self.rounds}_{self.basis}_p{self.sampled_at:g}.csv"


@dataclass
class Tally:
    """What was seen of one stratum in one stage.

    Attributes
    ----------
    shots, failures
        Sets of faults decoded, and those decoded wrongly.
    weights, squares : float64 [ps]
        Sums over the failures of their weights at each p and of the squares of these. The weight of a drawn set
        is :meth:`FaultModel.weights`; when all sets are decoded, it is their probability given W = w.
    seconds
        Time spent.
    """

    ps: int
    shots: int = 0
    failures: int = 0
    seconds: float = 0.0
    weights: NDArray[np.float64] = field(init=False)
    squares: NDArray[np.float64] = field(init=False)

    def __post_init__(self) -> None:
        self.weights = np.zeros(self.ps)
        self.squares = np.zeros(self.ps)

    def add(self, failed_weights: NDArray[np.float64], *, shots: int, seconds: float) -> None:
        """Count `shots` more, whose failures weigh `failed_weights` float64 [ps, failures]."""
        self.shots += shots
        self.failures += failed_weights.shape[1]
        self.seconds += seconds
        self.weights += failed_weights.sum(axis=1)
        self.squares += (failed_weights**2).sum(axis=1)


class Tallies:
    """The tallies of a run, by stage and number of faults; those not yet begun are empty."""

    def __init__(self, run: Run, ps: Sequence[float]) -> None:
        self.run = run
        self.ps = tuple(ps)
        self._tallies: dict[tuple[Stage, int], Tally] = {}

    def of(self, stage: Stage, faults: int) -> Tally:
        """The tally of a stratum, to read or to add to."""
        return self._tallies.setdefault((stage, faults), Tally(len(self.ps)))

    def faults(self, stage: Stage) -> list[int]:
        """Strata with shots in a stage, ascending."""
        return sorted(faults for (of, faults), tally in self._tallies.items() if of == stage and tally.shots)

    def __iter__(self) -> Iterator[tuple[Stage, int, Tally]]:
        for stage in STAGES:
            for faults in self.faults(stage):
                yield stage, faults, self.of(stage, faults)


class _Row(Run):
    stage: Stage
    faults: int = Field(ge=0)
    p: float
    shots: int = Field(ge=1)
    failures: int = Field(ge=0)
    weights: float
    squares: float
    seconds: float = Field(ge=0)


def write_tallies(path: Path, tallies: Tallies) -> None:
    """Write the counts as a table, one row for each stage, stratum and p; it appears whole or not at all.

    Raises
    ------
    CascadeError
        If the file cannot be written.
    """
    rows = [
        _Row(
            **tallies.run.model_dump(),
            stage=stage,
            faults=faults,
            p=p,
            shots=tally.shots,
            failures=tally.failures,
            weights=float(tally.weights[i]),
            squares=float(tally.squares[i]),
            seconds=tally.seconds,
        )
        for stage, faults, tally in tallies
        for i, p in enumerate(tallies.ps)
    ]
    write_rows(path, rows)


def read_tallies(path: Path, run: Run, ps: Sequence[float]) -> Tallies:
    """Read back what :func:`write_tallies` wrote, for more shots to be added; nothing yet if there is no file.

    Raises
    ------
    CascadeError
        If the file is damaged, or holds another run or other noise strengths.
    """
    tallies = Tallies(run, ps)
    if not path.exists():
        return tallies
    rows = read_rows(path, _Row)
    for row in rows:
        there = row.model_dump(include=set(Run.model_fields))
        for name, wanted in run.model_dump().items():
            if there[name] != wanted:
                raise CascadeError(
                    f"{path}: expected counts with {name} = {wanted} to add to, found {there[name]}; "
                    "continue with the same or take another folder"
                )
    strata: dict[tuple[Stage, int], dict[float, _Row]] = {}
    for row in rows:
        strata.setdefault((row.stage, row.faults), {})[row.p] = row
    for (stage, faults), by_p in strata.items():
        if tuple(sorted(by_p)) != tallies.ps:
            raise CascadeError(
                f"{path}: expected counts for p = {_listed(tallies.ps)} to add to, found p = {_listed(sorted(by_p))}; "
                "weights are taken while decoding: continue with the same p or take another folder"
            )
        tally, some = tallies.of(stage, faults), by_p[tallies.ps[0]]
        tally.shots, tally.failures, tally.seconds = some.shots, some.failures, some.seconds
        tally.weights[:] = [by_p[p].weights for p in tallies.ps]
        tally.squares[:] = [by_p[p].squares for p in tallies.ps]
    return tallies


def _listed(ps: Sequence[float]) -> str:
    return ", ".join(f"{p:g}" for p in ps)
