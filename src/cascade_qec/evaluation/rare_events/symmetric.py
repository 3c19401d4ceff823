"""Elementary symmetric functions of odds: what the number of faults and the sets of w faults follow from.

With odds o_i = q_i / (1 - q_i) and e_w the sum over all sets of w mechanisms of the product of their odds,

    P(exactly the set S) = prod_i (1 - q_i) * prod_{i in S} o_i
    P(W = w)             = prod_i (1 - q_i) * e_w
    P(S | W = w)         = prod_{i in S} o_i / e_w.

All terms are positive, so nothing cancels, and in logarithms the smallest keep their digits. (Convolution by
Fourier transforms is faster and loses everything below 1e-16.)
"""

import math

import numpy as np
from numpy.typing import NDArray


def log_symmetric(log_odds: NDArray[np.float64], most: int) -> NDArray[np.float64]:
    """Logarithms of the elementary symmetric functions of every tail of a list of odds.

    Parameters
    ----------
    log_odds : float64 [mechanisms]
    most
        Highest degree.

    Returns
    -------
    float64 [most + 1, mechanisms + 1]
        ``[w, t]`` is log e_w of the odds t, t + 1, ...; -inf where fewer than w are left.
    """
    table = np.full((most + 1, len(log_odds) + 1), -np.inf)
    table[0] = 0.0
    for w in range(1, most + 1):
        # The first of the w mechanisms is s >= t, the others come after it.
        first = log_odds + table[w - 1, 1:]
        table[w, :-1] = np.logaddexp.accumulate(first[::-1])[::-1]
    return table


def number_of_faults(
    probabilities: NDArray[np.float64], log_symmetric_of_all: NDArray[np.float64]
) -> tuple[NDArray[np.float64], float]:
    """Distribution of the number W of mechanisms that happen (Poisson binomial).

    Parameters
    ----------
    probabilities : float64 [mechanisms]
    log_symmetric_of_all : float64 [most + 1]
        log e_w of all odds: column 0 of :func:`log_symmetric`.

    Returns
    -------
    float64 [most + 1]
        P(W = w).
    float
        A number that P(W > most) does not exceed, from :func:`tail_bound`.
    """
    nothing = np.log1p(-probabilities).sum()
    most = len(log_symmetric_of_all) - 1
    if most >= len(probabilities):
        return np.exp(nothing + log_symmetric_of_all), 0.0
    tail = tail_bound(float(nothing + log_symmetric_of_all[-1]), most, _sum_of_odds(probabilities))
    return np.exp(nothing + log_symmetric_of_all), tail


def tail_bound(log_probability: float, most: int, sum_of_odds: float) -> float:
    """A number that P(W > most) does not exceed, given log P(W = most) or a bound on it.

    Every set of w + 1 mechanisms consists in w + 1 ways of one and w others, so (w + 1) e_{w+1} <= e_1 e_w, and
    the tail is below a geometric series of ratio e_1 / (most + 2) from its second term on.
    """
    ratio = sum_of_odds / (most + 2)
    if ratio >= 1:
        return 1.0
    return min(1.0, math.exp(log_probability) * sum_of_odds / (most + 1) / (1 - ratio))


def most_faults(probabilities: NDArray[np.float64], tail: float) -> int:
    """A number of faults that is exceeded with a probability of at most `tail`; not always the smallest."""
    odds = _sum_of_odds(probabilities)
    nothing = float(np.log1p(-probabilities).sum())
    for w in range(len(probabilities)):
        # e_w <= e_1^w / w!, by the same argument.
        if tail_bound(nothing + w * math.log(odds) - math.lgamma(w + 1), w, odds) <= tail:
            return w
    return len(probabilities)


def _sum_of_odds(probabilities: NDArray[np.float64]) -> float:
    return float((probabilities / (1 - probabilities)).sum())
