"""Two counts of failures beside each other: on the same shots, and on different ones."""

from __future__ import annotations

import math
from statistics import NormalDist

from scipy.special import betaincinv
from scipy.stats import hypergeom

from cascade_qec.errors import CascadeError
from cascade_qec.statistics import Interval


def paired_difference(worse: int, better: int, shots: int, confidence: float = 0.95) -> Interval:
    """Block error of one decoder less that of another on the same shots.

    The interval is Agresti and Min's (Statistics in Medicine 24, 729): the normal one after half a shot has been
    added to each of the four outcomes, so that it has a width even where the decoders never differ. Shots that both
    fail on cancel, which makes it much narrower than the difference of two separate intervals.

    Parameters
    ----------
    worse, better
        Shots on which the first decoder alone fails, and on which the second does.

    Raises
    ------
    CascadeError
        Unless ``worse`` and ``better`` are at least 0, at most ``shots`` together, and ``shots >= 1``,
        ``0 < confidence < 1``.
    """
    if not (worse >= 0 and better >= 0 and worse + better <= shots and shots >= 1 and 0 < confidence < 1):
        raise CascadeError(
            "expected worse >= 0, better >= 0, worse + better <= shots, shots >= 1 and 0 < confidence < 1, "
            f"got worse = {worse}, better = {better}, shots = {shots}, confidence = {confidence}"
        )
    enlarged = shots + 2
    centre = (worse - better) / enlarged
    spread = math.sqrt((worse + better + 1) / enlarged - centre**2) / math.sqrt(enlarged)
    half = NormalDist().inv_cdf((1 + confidence) / 2) * spread
    value = (worse - better) / shots
    # Where all shots go one way the centre, drawn towards 0 by the added halves, may leave the value outside.
    return Interval(value, low=max(-1.0, min(value, centre - half)), high=min(1.0, max(value, centre + half)))


def equal_rates(failed: int, shots: int, others_failed: int, other_shots: int) -> float:
    """Probability of counts as far apart as these, or farther, if both come from one rate: two-sided and exact.

    Given the sum of both, the failures of one sample follow a hypergeometric law whatever the rate is (Fisher's exact
    test). The smaller tail counts twice, so that either side has half of the false alarms.

    Raises
    ------
    CascadeError
        Unless both samples have ``0 <= failed <= shots`` and ``shots >= 1``.
    """
    for f, n in ((failed, shots), (others_failed, other_shots)):
        if not (n >= 1 and 0 <= f <= n):
            raise CascadeError(f"expected 0 <= failed <= shots and shots >= 1, got failed = {f}, shots = {n}")
    law = (shots + other_shots, failed + others_failed, shots)
    return min(1.0, 2 * float(min(hypergeom.cdf(failed, *law), hypergeom.sf(failed - 1, *law))))


def visible_rate(failed: int, shots: int, other_shots: int, *, level: float, power: float = 0.9) -> float | None:
    """Smallest rate above the first sample's at which `equal_rates` would be below `level` with probability `power`.

    Parameters
    ----------
    level
        Probability of a false alarm.
    power
        Probability with which a second sample of that rate is told from the first.

    Returns
    -------
    The rate, or None if no failures of the second, however many, would do.

    Raises
    ------
    CascadeError
        As `equal_rates` does, and unless ``0 < level < 1`` and ``0 < power < 1``.
    """
    if not (0 < level < 1 and 0 < power < 1):
        raise CascadeError(f"expected 0 < level < 1 and 0 < power < 1, got level = {level}, power = {power}")
    # The first count of the second sample's failures, above as many as the first's rate makes, that is refused.
    low, high = int(failed / shots * other_shots), other_shots
    if equal_rates(failed, shots, high, other_shots) >= level:
        return None
    while high - low > 1:
        middle = (low + high) // 2
        if equal_rates(failed, shots, middle, other_shots) < level:
            high = middle
        else:
            low = middle
    # P(at least `high` of n shots fail) = I_rate(high, n - high + 1)
    return float(betaincinv(high, other_shots - high + 1, power))
