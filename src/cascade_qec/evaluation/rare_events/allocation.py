"""How many shots each stratum gets."""

import numpy as np
from numpy.typing import NDArray

from cascade_qec.evaluation.rare_events.estimate import completed
from cascade_qec.evaluation.rare_events.fault_model import FaultModel
from cascade_qec.evaluation.rare_events.tallies import Tallies

# Also where next to nothing is expected: the largest possible weight of a failure is part of the interval.
_FEWEST = 16


def allocate(model: FaultModel, pilot: Tallies, *, seconds: float) -> dict[int, int]:
    """Shots for each stratum of the pilot, so that the rates at all strengths become known equally well.

    Neyman's allocation for the sum over p of the relative variance of the estimate, with the cost c_w of a shot:
    n_w is proportional to sqrt(sum_p (P(W = w) / P)^2 f(w) (1 - f(w)) / c_w). For f(w) stands
    (failures + 1/2) / (shots + 1), so that a stratum in which nothing failed yet is looked at for as long as its
    failures would matter.

    Parameters
    ----------
    model
        The noise.
    pilot
        With shots in the stage "pilot" of every stratum to be sampled.
    seconds
        Time that the shots shall take.

    Returns
    -------
    dict of int to int
        Shots by number of faults, at least 16 each. Strata that have been decoded in full get none.
    """
    done = completed(model, pilot)
    faults = [w for w in pilot.faults("pilot") if w not in done]
    if not faults:
        return {}
    tallies = [pilot.of("pilot", w) for w in faults]
    fractions = np.array([(tally.failures + 0.5) / (tally.shots + 1) for tally in tallies])
    costs = np.array([max(tally.seconds, 1e-9) / tally.shots for tally in tallies])
    numbers = model.numbers[:, faults]
    rates = numbers @ fractions + known_rates(model, pilot)
    importance = np.sqrt(((numbers / rates[:, None]) ** 2).sum(axis=0))
    shares: NDArray[np.float64] = importance * np.sqrt(fractions * (1 - fractions) / costs)
    shots = np.maximum(_FEWEST, np.rint(shares * seconds / (shares @ costs)).astype(int))
    return dict(zip(faults, shots.tolist(), strict=True))


def known_rates(model: FaultModel, tallies: Tallies) -> NDArray[np.float64]:
    """What the strata that were decoded in full contribute to the block error: float64 [ps]."""
    rates = np.zeros(len(model.ps))
    for w in completed(model, tallies):
        rates += model.numbers[:, w] * tallies.of("all", w).weights
    return rates
