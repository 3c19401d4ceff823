"""From strata to failure rates, P = sum_w P(W = w) f(w): the tables spectrum.csv and rare.csv."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field
from scipy.special import gammaincinv

from cascade_qec.evaluation.rare_events.fault_model import FaultModel
from cascade_qec.evaluation.rare_events.tallies import Tallies
from cascade_qec.statistics import Interval, wilson
from cascade_qec.tables import put_rows

METHOD = (
    "P = sum_w P(W = w) f(w) over the number W of faults; interval: Fay-Feuer gamma, 95 %, "
    "its upper end raised by the probability of strata not decoded"
)


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True)

    decoder: str
    code: str
    rounds: int = Field(ge=1)
    basis: str


class SpectrumRow(_Row):
    """What is known of f(w), the fraction of shots with w faults that fail, at ``sampled_at``; and the run.

    Attributes
    ----------
    faults
        w.
    shots, failures
        Sets decoded, and those decoded wrongly.
    fraction
        f(w), with its Wilson interval, 95 %; exact, with both ends equal to it, if all sets were decoded.
    exact
        Whether they were.
    """

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
    """Block error at one noise strength, and the run.

    Attributes
    ----------
    p
        Noise strength.
    block_error
        The estimate with its interval, 95 %. Its expectation is the block error less at most ``unknown``.
    shots, failures
        Of the strata that were sampled.
    effective_failures
        The number of equally weighted failures with the same relative variance.
    exact_part
        Part of the estimate that comes from strata all of whose sets were decoded.
    unknown
        Probability of the strata that were not decoded; the upper end has it in full, as f <= 1.
    """

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


def completed(model: FaultModel, tallies: Tallies) -> list[int]:
    """Strata all of whose sets have been decoded."""
    mechanisms = len(model.faults.probabilities)
    return [w for w in tallies.faults("all") if tallies.of("all", w).shots == math.comb(mechanisms, w)]


def spectrum(model: FaultModel, tallies: Tallies) -> list[SpectrumRow]:
    """The failure spectrum f(w) as far as it is known, by ascending w."""
    exact = completed(model, tallies)
    rows = []
    for w in sorted({*exact, *tallies.faults("main")}):
        tally = tallies.of("all" if w in exact else "main", w)
        known = float(tally.weights[-1])
        rows.append(
            SpectrumRow(
                **tallies.run.model_dump(),
                faults=w,
                shots=tally.shots,
                failures=tally.failures,
                fraction=Interval(known, known, known) if w in exact else wilson(tally.failures, tally.shots),
                exact=w in exact,
            )
        )
    return rows


def rare_rates(model: FaultModel, tallies: Tallies) -> list[RareRow]:
    """Block error at each strength of the model, by ascending p.

    Shots of the pilot are not used: they decided how many shots the strata got, and would bias the estimate.
    The others are drawn in numbers that do not depend on their own failures.
    """
    exact = completed(model, tallies)
    sampled = [w for w in tallies.faults("main") if w not in exact]
    largest_weights = model.largest_weights()
    rows = []
    for i, p in enumerate(model.ps):
        known = sum(model.numbers[i, w] * tallies.of("all", w).weights[i] for w in exact)
        total = squares = largest = 0.0
        for w in sampled:
            tally = tallies.of("main", w)
            share = model.numbers[i, w] / tally.shots
            total += share * tally.weights[i]
            squares += share**2 * tally.squares[i]
            largest = max(largest, share * largest_weights[i, w])
        missing = np.setdiff1d(np.arange(model.most + 1), [*exact, *sampled])
        unknown = min(1.0, model.numbers[i, missing].sum() + model.tails[i])
        low, high = gamma_interval(total, squares, largest)
        rows.append(
            RareRow(
                **tallies.run.model_dump(),
                p=p,
                block_error=Interval(known + total, known + low, min(1.0, known + high + unknown)),
                method=METHOD,
                shots=sum(tallies.of("main", w).shots for w in sampled),
                failures=sum(tallies.of("main", w).failures for w in sampled),
                effective_failures=total**2 / squares if squares else 0.0,
                exact_part=float(known),
                unknown=float(unknown),
            )
        )
    return rows


def replace_rows(path: Path, rows: Sequence[_Result]) -> None:
    """Put rows into a table in place of those of the same runs; rows of other runs stay.

    Raises
    ------
    CascadeError
        If there are no rows, or the file cannot be read or written, or has other columns.
    """
    put_rows(path, rows, place=lambda row: (row.decoder, row.code, row.rounds, row.basis, row.sampled_at))


def gamma_interval(total: float, squares: float, largest: float) -> tuple[float, float]:
    """95 % interval of the expectation of a sum of independent, weighted Poisson counts.

    The gamma interval of M. P. Fay and E. J. Feuer, "Confidence intervals for directly standardized rates",
    Statistics in Medicine 16, 791 (1997). With one weight it is the exact (Garwood) interval of a Poisson count;
    with several it covers at least as often as it says in all cases that they and others simulated. It allows
    for failures not yet seen: nothing failed gives [0, 3.69 largest]. Counts of failures among a given number of
    shots vary less than Poisson counts, by a factor 1 - f in variance, so where most shots fail it is wider than
    it need be.

    Parameters
    ----------
    total, squares
        Sums over the failures seen of their weights, and of the squares of these.
    largest
        The largest weight that a failure could have had, seen or not; at least every weight seen.
    """

    def quantile(level: float, mean: float, variance: float) -> float:
        return variance / mean * float(gammaincinv(mean**2 / variance, level)) if mean else 0.0

    return quantile(0.025, total, squares), quantile(0.975, total + largest, squares + largest**2)
