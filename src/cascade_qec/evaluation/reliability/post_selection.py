"""Post-selection: the shots that a decoder is least sure of are given up, and the others fail less often."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cascade_qec.errors import CascadeError
from cascade_qec.statistics import Interval, wilson


@dataclass(frozen=True)
class Selection:
    """What a threshold does to shots that had no part in choosing it.

    Attributes
    ----------
    discard
        The discard rate that was wanted.
    threshold
        Shots with a score of at least this are accepted.
    shots, accepted, failures
        Shots it was tried on, those of them accepted, and the failures among the accepted.
    """

    discard: float
    threshold: float
    shots: int
    accepted: int
    failures: int

    @property
    def accepted_fraction(self) -> Interval:
        """Acceptance rate, with its Wilson interval."""
        return wilson(self.accepted, self.shots)

    @property
    def block_error(self) -> Interval | None:
        """Block error of the accepted shots, with its Wilson interval; None if none was accepted."""
        return wilson(self.failures, self.accepted) if self.accepted else None


def choose_threshold(scores: NDArray[np.floating], discard: float) -> float:
    """The highest threshold that discards at most a wanted fraction of shots.

    It is one of the scores, float [shots], and shots below it are discarded. Shots of one score stay or go together, so
    they may be fewer than the fraction `discard`.

    Raises
    ------
    CascadeError
        Unless there are scores and ``0 <= discard < 1``.
    """
    if not (len(scores) and 0 <= discard < 1):
        raise CascadeError(
            "expected at least one score and a discard rate of at least 0 and below 1, "
            f"got {len(scores)} scores and {discard}"
        )
    # With this many shots below it in order, none below this score can be more than that many. The tiny addition
    # undoes rounding: 0.29 of 100 shots are 29.
    allowed = int(discard * len(scores) + 1e-9)
    return float(np.partition(scores, allowed)[allowed])


def select(scores: NDArray[np.floating], failed: NDArray[np.bool_], discards: Sequence[float]) -> list[Selection]:
    """Thresholds chosen on the first half of the shots, and what they do to the second half.

    Parameters
    ----------
    scores : float [shots]
        The surer a decoder is, the higher.
    failed : bool [shots]
        Whether any observable was wrong.
    discards
        Wanted discard rates; many of them make the curve of error against acceptance. At 0 nothing is discarded
        and nothing chosen: the threshold is the lowest score of all.

    Raises
    ------
    CascadeError
        If the shapes differ, there are fewer than two shots, a score is NaN, or as `choose_threshold` says.
    """
    if scores.ndim != 1 or scores.shape != failed.shape or len(scores) < 2 or np.isnan(scores).any():
        raise CascadeError(
            "expected scores and failures of one shape [shots] with at least two shots and no NaN, "
            f"got {list(scores.shape)} and {list(failed.shape)}, {int(np.isnan(scores).sum())} NaN"
        )
    half = len(scores) // 2
    selections = []
    for discard in discards:
        threshold = choose_threshold(scores[:half], discard) if discard else float(scores.min())
        accepted = scores[half:] >= threshold
        failures = int((failed[half:] & accepted).sum())
        selections.append(Selection(discard, threshold, len(accepted), int(accepted.sum()), failures))
    return selections
