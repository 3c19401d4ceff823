"""Confidence interval of a sum of weighted failures."""

from scipy.special import gammaincinv


def gamma_interval(total: float, squares: float, largest: float, *, confidence: float = 0.95) -> tuple[float, float]:
    """Interval of the expectation of a sum of independent, weighted Poisson counts.

    The gamma interval of M. P. Fay and E. J. Feuer, "Confidence intervals for directly standardized rates",
    Statistics in Medicine 16, 791 (1997). With one weight it is the exact (Garwood) interval of a Poisson count;
    with several it covers at least as often as it says in all cases that they and others simulated. It allows
    for failures not yet seen: nothing failed gives [0, 3.69 largest] at 95 %. Counts of failures among a given
    number of shots vary less than Poisson counts, by a factor 1 - f in variance, so where most shots fail it is
    wider than it need be.

    Parameters
    ----------
    total, squares
        Sums over the failures seen of their weights, and of the squares of these.
    largest
        The largest weight that a failure could have had, seen or not; at least every weight seen.
    confidence
        Probability to cover, in (0, 1).

    Returns
    -------
    float, float
        Lower and upper end.
    """
    side = (1 - confidence) / 2
    low = 0.0 if total == 0 else _gamma_quantile(side, total, squares)
    return low, _gamma_quantile(1 - side, total + largest, squares + largest**2)


def _gamma_quantile(level: float, mean: float, variance: float) -> float:
    if mean == 0:
        return 0.0
    return variance / mean * float(gammaincinv(mean**2 / variance, level))
