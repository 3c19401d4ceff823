"""Profile-likelihood intervals, by Minuit."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from statistics import NormalDist

import numpy as np
from iminuit import Minuit
from scipy.optimize import brentq

from cascade_qec.evaluation.fits.likelihood import Floats, Law, Outcomes, maximise
from cascade_qec.statistics import Interval

Model = Callable[[Floats], Floats]
"""From parameters [size, ...], of which the first is the quantity of interest, to log rates [..., points]."""

_FARTHEST = 500.0  # no log rate, exponent or log noise rate differs by more
_FIRST_STEP = 0.05  # that of a search for an end, in log rates, exponents or log noise rates
_EXACT = 1e-4  # of half the interval
_DIFFERENCE = 1e-6
_CONFIDENCE = 0.95
_LEVEL = NormalDist().inv_cdf((1 + _CONFIDENCE) / 2)
"""Root of the deviance at the ends of an interval."""


def climb(model: Model, outcomes: Outcomes, start: Sequence[float]) -> Minuit:
    """Minuit at the maximum of the likelihood of one repetition's data near a start, float64 [size]."""

    def deviance(*phi: float) -> float:
        return -2 * float(outcomes.log_likelihood(model(np.array(phi)))[0])

    minuit = Minuit(deviance, *start)
    minuit.errordef = Minuit.LEAST_SQUARES  # -2 log L rises by 1 at one standard error
    return minuit.migrad()


def profile_interval(
    model: Model,
    outcomes: Outcomes,
    best: Sequence[float],
    *,
    more_starts: Sequence[Sequence[float]] = (),
    lowest: float = -math.inf,
) -> Interval:
    """95 % interval of a model's first parameter.

    It holds the values for which the best log likelihood over the other parameters is within half a quantile
    of chi squared (one degree of freedom) of the best of all (Wilks).

    Parameters
    ----------
    model, outcomes
        The family, and data of one repetition.
    best : float64 [size]
        The maximum.
    more_starts
        Further places to climb from for the other parameters, for families with several local maxima.
    lowest
        Least value that the parameter can have.

    Returns
    -------
    Interval
        An end is infinite, or `lowest`, where the likelihood never falls that far.
    """
    if more_starts:
        return Interval(best[0], *_ends(model, outcomes, best, more_starts, lowest))
    minuit = climb(model, outcomes, best).minos(0, cl=_CONFIDENCE)
    value, error = minuit.values[0], minuit.merrors["x0"]
    if error.is_valid:
        return Interval(value, value + error.lower, value + error.upper)
    return Interval(value, *_ends(model, outcomes, list(minuit.values), (), lowest))


def _ends(
    model: Model, outcomes: Outcomes, best: Sequence[float], more_starts: Sequence[Sequence[float]], lowest: float
) -> tuple[float, float]:
    """Ends of an interval, by fits at fixed values of the first parameter.

    MINOS follows a single maximum, and gives up where the likelihood does not fall that far. Two terms have several
    maxima and bounds: of their twelve ends in fits.csv MINOS finds six, and fits by Minuit at fixed values, which stick
    on the ridges between the terms, miss two more by factors of 12 and 30,000.
    """
    top = float(outcomes.log_likelihood(model(np.array(best)))[0])
    found = {best[0]: list(best)}
    excesses = {best[0]: -_LEVEL}

    def excess(value: float, *starts: Sequence[float]) -> float:
        """Root of the deviance less its level at the end."""
        if value not in excesses:
            several = np.array([start[1:] for start in (best, *list(found.values())[-2:], *starts)])
            (free,), (likelihood,) = maximise(_at(model, value), outcomes, several[None])
            found[value] = [value, *free]
            excesses[value] = math.sqrt(2 * max(top - likelihood, 0.0)) - _LEVEL
        return excesses[value]

    def end(step: float) -> float:
        inner = best[0]
        while True:
            outer = max(best[0] + step, lowest)
            if excess(outer, *more_starts) >= 0:
                exact = _EXACT * abs(outer - best[0])
                return float(brentq(excess, inner, outer, xtol=exact))  # pyright: ignore[reportArgumentType]
            if outer == lowest:
                return lowest
            if abs(step) > _FARTHEST:
                return math.copysign(math.inf, step)
            inner = outer
            # the root of the deviance is all but a straight line
            step *= min(max(1.2 * _LEVEL / max(excess(outer) + _LEVEL, 1e-9), 1.5), 4.0)

    return end(-_FIRST_STEP), end(_FIRST_STEP)


def _at(model: Model, value: float) -> Law:
    """A model at a value of its first parameter, with derivatives by the others, from differences."""

    def log_rates(free: Floats) -> Floats:
        held = np.full(len(free), value)
        return model(np.stack([held, *free.T])[..., None])

    def law(free: Floats) -> tuple[Floats, Floats]:
        steps = _DIFFERENCE * np.eye(free.shape[1])
        tried = np.concatenate([free, *(free + step for step in steps)])  # in one call, for they are small
        here, *moved = np.split(log_rates(tried), len(steps) + 1)
        return here, np.stack([(there - here) / _DIFFERENCE for there in moved], axis=-1)

    return law
