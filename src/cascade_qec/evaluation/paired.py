"""Two decoders on the same shots: only shots on which one alone fails tell them apart."""

import math
from statistics import NormalDist

from cascade_qec.errors import CascadeError
from cascade_qec.statistics import Interval


def paired_difference(worse: int, better: int, shots: int, confidence: float = 0.95) -> Interval:
    """Block error of one decoder less that of another on the same shots.

    The interval is Agresti and Min's (Statistics in Medicine 24, 729): the normal one after half a shot has been
    added to each of the four outcomes, so that it has a width even where the decoders never differ. Shots that both
    fail on cancel, which makes it much narrower than the difference of two separate intervals.

    Parameters
    ----------
    worse
        Shots on which the first decoder alone fails.
    better
        Shots on which the second alone fails.
    shots
        All shots.
    confidence
        Of the interval.

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
