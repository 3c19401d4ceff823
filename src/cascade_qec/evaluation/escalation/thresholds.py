"""What a threshold of escalation is worth, and the cheapest one that is as accurate as the fallback."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.escalation.decoding import EscalationShots
from cascade_qec.evaluation.reliability.post_selection import choose_threshold
from cascade_qec.evaluation.two_samples import paired_difference
from cascade_qec.statistics import Interval, Moments, wilson

CRITERION = (
    "the lowest confidence at which, on the first half of the shots, escalating those below it is surely no worse than "
    "the fallback: either no shot is lost that the fallback has right, or more are won than lost, by so many that the "
    "95 % interval of the paired difference of block errors ends at 0 or below"
)
"""How `choose` chooses."""

FRACTIONS = (0.0, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.7)
"""Shares of the shots that make the curve of accuracy and cost against escalation."""


@dataclass(frozen=True)
class Escalation:
    """What a threshold does to shots, beside the fallback on the same shots.

    Attributes
    ----------
    threshold
        Shots of lower confidence go to the fallback; None is the fallback alone, without the network.
    shots, escalated
        Shots it was tried on, and those that went to the fallback.
    failures, fallback_failures
        Shots with any observable wrong, and those if the fallback decodes all.
    worse, better
        Shots on which escalation alone fails, and on which the fallback alone fails.
    us_per_shot
        Mean decoding time, with the interval that follows from the scatter of the shots.
    """

    threshold: float | None
    shots: int
    escalated: int
    failures: int
    fallback_failures: int
    worse: int
    better: int
    us_per_shot: Interval

    @property
    def escalated_fraction(self) -> float:
        return self.escalated / self.shots

    @property
    def block_error(self) -> Interval:
        """With its Wilson interval."""
        return wilson(self.failures, self.shots)

    @property
    def difference(self) -> Interval:
        """Block error less that of the fallback alone, on the same shots."""
        return paired_difference(self.worse, self.better, self.shots)


def escalate(shots: EscalationShots, threshold: float | None) -> Escalation:
    """Try a threshold, or None for the fallback alone."""
    escalated = np.full(len(shots), True) if threshold is None else shots.confidence < threshold
    failed = np.where(escalated, shots.fallback_failed, shots.network_failed)
    times = np.where(escalated, shots.fallback_seconds, 0.0) + (0.0 if threshold is None else shots.network_seconds)
    return Escalation(
        threshold=threshold,
        shots=len(shots),
        escalated=int(escalated.sum()),
        failures=int(failed.sum()),
        fallback_failures=int(shots.fallback_failed.sum()),
        worse=int((failed & ~shots.fallback_failed).sum()),
        better=int((~failed & shots.fallback_failed).sum()),
        us_per_shot=Moments.of(1e6 * times).mean(),
    )


def trade_off(shots: EscalationShots, fractions: Sequence[float] = FRACTIONS) -> list[Escalation]:
    """Thresholds that escalate given fractions of the shots, tried on all shots.

    They are quantiles of the confidence, which says nothing of who fails, so the shots may try what they chose.

    Parameters
    ----------
    shots
    fractions
        Largest fractions to escalate, each at least 0 and below 1; 0 is the network alone.

    Returns
    -------
    list of Escalation
        By rising threshold, each threshold once: shots of equal confidence go together.
    """
    thresholds = {choose_threshold(shots.confidence, fraction) for fraction in fractions}
    return [escalate(shots, threshold) for threshold in sorted(thresholds)]


def choose(shots: EscalationShots) -> Escalation | None:
    """Choose a threshold on the first half of the shots, by `CRITERION`, and try it on the second.

    The lower the threshold, the fewer shots are escalated and the less it costs. Equal numbers of failures would not
    do as a criterion: by the luck of the first half it would be met too early as often as not.

    Returns
    -------
    Escalation or None
        None if there is nothing to choose by, as the network never failed on the first half, or if no threshold will
        do, as it fails with confidence 1 where the fallback does not.

    Raises
    ------
    CascadeError
        If there are fewer than two shots in either half.
    """
    half = len(shots) // 2
    if half < 2:
        raise CascadeError(f"expected at least 4 shots to choose a threshold and to try it, got {len(shots)}")
    threshold = _cheapest(shots[:half]) if shots.network_failed[:half].any() else None
    return None if threshold is None else escalate(shots[half:], threshold)


def _cheapest(shots: EscalationShots) -> float | None:
    order = np.argsort(shots.confidence)
    confidence = shots.confidence[order]
    lost, won = (shots.network_failed & ~shots.fallback_failed), (shots.fallback_failed & ~shots.network_failed)
    # of the shots from the i-th in order of confidence on, which a threshold there leaves to the network
    worse, better = (np.append(np.cumsum(part[order][::-1])[::-1], 0) for part in (lost, won))
    for threshold in np.unique(np.append(confidence, np.float32(1))):
        first = int(np.searchsorted(confidence, threshold))
        kept = int(worse[first]), int(better[first])
        if kept[0] == 0 or paired_difference(*kept, len(shots)).high <= 0:
            return float(threshold)
    return None
