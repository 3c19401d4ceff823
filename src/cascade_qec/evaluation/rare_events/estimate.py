"""From strata to failure rates: P = sum_w P(W = w) f(w)."""

import math
from dataclasses import dataclass

import numpy as np

from cascade_qec.evaluation.rare_events.fault_model import FaultModel
from cascade_qec.evaluation.rare_events.interval import gamma_interval
from cascade_qec.evaluation.rare_events.tallies import Tallies
from cascade_qec.statistics import Interval, wilson

METHOD = (
    "P = sum_w P(W = w) f(w) over the number W of faults; interval: Fay-Feuer gamma, 95 %, "
    "its upper end raised by the probability of strata not decoded"
)


@dataclass(frozen=True)
class StratumRate:
    """What is known of f(w), the fraction of shots with w faults that fail, at ``FaultModel.sampled_at``.

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

    faults: int
    shots: int
    failures: int
    fraction: Interval
    exact: bool


@dataclass(frozen=True)
class RareRate:
    """Block error at one noise strength.

    Attributes
    ----------
    p
        Noise strength.
    block_error
        The estimate with its interval, 95 %. Its expectation is the block error less at most ``unknown``.
    unknown
        Probability of the strata that were not decoded; the upper end has it in full, as f <= 1.
    exact_part
        Part of the estimate that comes from strata all of whose sets were decoded.
    shots, failures
        Of the strata that were sampled.
    effective_failures
        The number of equally weighted failures with the same relative variance.
    """

    p: float
    block_error: Interval
    unknown: float
    exact_part: float
    shots: int
    failures: int
    effective_failures: float


def completed(model: FaultModel, tallies: Tallies) -> list[int]:
    """Strata all of whose sets have been decoded."""
    mechanisms = len(model.faults.probabilities)
    return [w for w in tallies.faults("all") if tallies.of("all", w).shots == math.comb(mechanisms, w)]


def spectrum(model: FaultModel, tallies: Tallies) -> list[StratumRate]:
    """The failure spectrum f(w) as far as it is known, by ascending w."""
    exact = completed(model, tallies)
    rates = []
    for w in exact:
        tally = tallies.of("all", w)
        fraction = float(tally.weights[model.reference])
        rates.append(StratumRate(w, tally.shots, tally.failures, Interval(fraction, fraction, fraction), exact=True))
    for w in tallies.faults("main"):
        if w not in exact:
            tally = tallies.of("main", w)
            fraction = wilson(tally.failures, tally.shots)
            rates.append(StratumRate(w, tally.shots, tally.failures, fraction, exact=False))
    return sorted(rates, key=lambda rate: rate.faults)


def rare_rates(model: FaultModel, tallies: Tallies) -> list[RareRate]:
    """Block error at each strength of the model, by ascending p.

    Shots of the pilot are not used: they decided how many shots the strata got, and would bias the estimate.
    The others are drawn in numbers that do not depend on their own failures.
    """
    exact = completed(model, tallies)
    sampled = [w for w in tallies.faults("main") if w not in exact]
    largest_weights = model.largest_weights()
    rates = []
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
        rates.append(
            RareRate(
                p=p,
                block_error=Interval(known + total, known + low, min(1.0, known + high + unknown)),
                unknown=float(unknown),
                exact_part=float(known),
                shots=sum(tallies.of("main", w).shots for w in sampled),
                failures=sum(tallies.of("main", w).failures for w in sampled),
                effective_failures=total**2 / squares if squares else 0.0,
            )
        )
    return rates
