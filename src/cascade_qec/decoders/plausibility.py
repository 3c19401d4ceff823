"""Whether shots can be those of the experiment that a decoder is bound to.

An error flips detectors together, so the events of two detectors that share errors are correlated. Shots of another
basis, another circuit or another order of detectors lack these correlations, whatever their noise is. Noise that is
uneven, or of other kinds than a model has, changes them, but does not take them away.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import stim
from numpy.typing import NDArray

from cascade_qec.decoders import events
from cascade_qec.error_models import Flips, Mechanisms, unlikely
from cascade_qec.errors import CascadeWarning

_LOOKS = (1000, 2000, 4000, 8000, 16_000)
"""Shots at which they are judged; there are no more looks after the last, or after a warning."""

_BUFFER = 1 << 26
"""Bytes of shots that are kept for the looks, at most."""

_SHARE = 0.4
"""Share of the expected correlation that shots should have. Noise twice as strong as the model says, or SI1000 where it
says depolarizing, leaves 0.5 or more; a wrong basis 0.3 or less of a slice's, a wrong order nothing."""

_TIMES = 4
"""Times more or fewer events than expected from which on the noise counts as another."""

_DEVIATIONS = 7.0
"""Standard deviations below `_SHARE`, or beyond `_TIMES`, that make a warning. Each of fewer than 400 comparisons gets
there by chance with a probability of 1e-12 where sums are normally distributed. With what `_ENOUGH` sees to, and as a
sound experiment has more than twice `_SHARE`, a false alarm has one below 1e-6."""

_ENOUGH = 100
"""Events that a comparison is expected to count, at the least."""

_FEWEST, _BLOCKS = 2, 32
"""Pairs of detectors of a comparison at the least, and comparisons on the finest level at the most."""

_HEAVIEST = 50
"""Mechanisms of more detectors tell nothing of pairs that lighter ones do not."""


@dataclass(frozen=True, eq=False)
class Expected:
    """What the shots of an error model look like.

    Attributes
    ----------
    flips : Flips or None
        What its likely errors flip; the rest is said of shots in which that is undone.
    events : float
        Mean number of events in a shot.
    pairs : int64 [pairs, 2]
        For each detector the one that it is most correlated with, sorted; a pair stands once.
    shares : float64 [pairs]
        Their covariances, as shares of the mean of their two variances.
    """

    flips: Flips | None
    events: float
    pairs: NDArray[np.int64]
    shares: NDArray[np.float64]

    @classmethod
    def of(cls, dem: stim.DetectorErrorModel) -> Expected:
        from scipy import sparse  # here: not everyone who imports decoders decodes a thousand shots

        rare, flips = unlikely(dem)
        mechanisms = Mechanisms.of(rare)
        size, odd = (len(mechanisms.probability), mechanisms.detectors), np.minimum(mechanisms.probability, 0.4999)
        flipped = sparse.csr_matrix((np.ones(len(mechanisms.detector)), mechanisms.detector, mechanisms.start), size)
        weights = -np.log1p(-2 * odd)
        signs = np.exp(-(flipped.T @ weights))  # mean of 1 - 2 event, of each detector
        light = mechanisms.weight <= _HEAVIEST
        shared = sparse.triu(flipped[light].T @ sparse.diags(weights[light]) @ flipped[light], k=1).tocoo()
        a, b = shared.row.astype(np.int64), shared.col.astype(np.int64)
        variances = (1 - signs**2) / 4
        shares = signs[a] * signs[b] * np.expm1(2 * shared.data) / 4 / ((variances[a] + variances[b]) / 2)
        best = np.zeros(mechanisms.detectors)
        for end in (a, b):
            np.maximum.at(best, end, shares)
        kept = np.flatnonzero(shares >= 0.999 * np.minimum(best[a], best[b]))
        kept = kept[np.lexsort((b[kept], a[kept]))]
        return cls(flips, float((1 - signs).sum() / 2), np.stack([a[kept], b[kept]], axis=1), shares[kept])


def objection(expected: Expected, shots: NDArray[np.bool_], *, strength_known: bool = True) -> str | None:
    """What speaks against shots being those of an error model, if anything does.

    Parameters
    ----------
    expected
        Of the error model.
    shots : bool [shots, detectors]
        Detection events of the experiment, sampled one like the other.
    strength_known
        Whether the model says how strong the noise is, too.

    Returns
    -------
    str or None
        What was expected and what came; None where shots are plausible, or too few to tell. Of shots of the model
        itself it is None but with a probability below 1e-6 for five calls, whatever the model and the number of shots.
    """
    if expected.flips is not None:
        shots = shots ^ expected.flips.detectors
    counts = shots.sum(axis=1, dtype=np.float64)
    if strength_known and expected.events * len(shots) > _TIMES * _ENOUGH:
        for bound, sign in ((expected.events * _TIMES, 1), (expected.events / _TIMES, -1)):
            if _surely(sign * (counts - bound)):
                return f"expected some {expected.events:.3g} events in a shot, got {counts.mean():.3g}"
    share = _least_share(expected, shots)
    if share is None:
        return None
    return (
        "expected events of detectors that share errors to come together, "
        f"got {max(share, 0):.0%} of the expected correlation in a part of the detectors"
    )


def _least_share(expected: Expected, shots: NDArray[np.bool_]) -> float | None:
    """The least share of the expected correlation in any block of pairs, where one surely lacks it."""
    if len(expected.pairs) < _FEWEST:
        return None
    levels = min(_BLOCKS, len(expected.pairs) // _FEWEST).bit_length() - 1
    means = shots.mean(axis=0)
    found, wanted = (np.zeros((2**levels, len(shots))) for _ in range(2))
    for block, some in enumerate(np.array_split(np.arange(len(expected.pairs)), 2**levels)):
        first, second = (shots[:, ends] - means[ends] for ends in expected.pairs[some].T)
        found[block] = (first * second).sum(axis=1)
        wanted[block] = (first**2 + second**2) @ expected.shares[some] / 2
    least: float | None = None
    while True:
        for each, full in zip(found, wanted, strict=True):
            if full.sum() > _ENOUGH and _surely(_SHARE * full - each):
                share = float(each.mean() / full.mean())
                least = share if least is None else min(least, share)
        if len(found) == 1:
            return least
        found, wanted = (level.reshape(-1, 2, len(shots)).sum(axis=1) for level in (found, wanted))


def _surely(excess: NDArray[np.float64]) -> bool:
    """Whether the mean over shots is above 0 beyond doubt. Shots that are all alike, as in a timing, leave doubts."""
    deviation = excess.std()
    return bool(deviation > 1e-9 and excess.mean() > _DEVIATIONS * deviation / np.sqrt(len(excess)))


class ShotCheck:
    """Looks at the first shots that a decoder is given, and warns once where they cannot be those of its experiment.

    After some thousand shots it sees no more. Threads may share it: while one of them is in it, it misses what others
    decode. A batch that comes again, as in a timing, is seen once.

    Parameters
    ----------
    model
        The experiment's error model, or what makes it when enough shots are there.
    whose
        Who is given the shots, for the warning.
    strength_known
        Whether the error model says how strong the noise is.
    """

    def __init__(
        self,
        model: stim.DetectorErrorModel | Callable[[], stim.DetectorErrorModel],
        whose: str,
        *,
        strength_known: bool,
    ) -> None:
        self._model, self._whose, self._strength_known = model, whose, strength_known
        self._lock = threading.Lock()
        self._over = False
        self._seen: list[NDArray[np.uint8]] = []
        self._shots, self._looks = 0, list(_LOOKS)
        self._expected: Expected | None = None

    def see(self, detection_events: NDArray[np.bool_] | NDArray[np.uint8], detectors: int, *, bit_packed: bool) -> None:
        """Take note of a batch: bool [shots, detectors], or packed uint8 [shots, ceil(detectors / 8)].

        Warns
        -----
        CascadeWarning
            If shots cannot be those of the experiment.
        """
        if self._over or not self._lock.acquire(blocking=False):
            return
        try:
            found = self._objection(detection_events, detectors, bit_packed)
        finally:
            self._lock.release()
        if found is not None:
            warnings.warn(
                f"{self._whose}: these can hardly be shots of its experiment: {found}; are circuit, basis, rounds and "
                "the order of the detectors those of the shots?",
                CascadeWarning,
                stacklevel=3,
            )

    def _objection(self, detection_events: NDArray, detectors: int, bit_packed: bool) -> str | None:
        batch = detection_events[: self._looks[-1] - self._shots]
        batch = batch.copy() if bit_packed else events.packed(batch)
        if self._seen and len(batch) > 1 and batch.any() and np.array_equal(batch, self._seen[-1]):
            return None
        self._seen.append(batch)
        self._shots += len(batch)
        full = self._shots * batch.shape[1] > _BUFFER
        if self._shots < self._looks[0] and not full:
            return None
        self._looks = [look for look in self._looks if look > self._shots]
        if self._expected is None:
            made = self._model
            self._expected = Expected.of(made if isinstance(made, stim.DetectorErrorModel) else made())
        shots = events.unpacked(np.concatenate(self._seen), detectors)
        found = objection(self._expected, shots, strength_known=self._strength_known)
        if found is not None or full or not self._looks:
            self._over, self._seen, self._expected = True, [], None
        return found

    def __reduce__(self) -> tuple[Callable[..., ShotCheck], tuple[object, ...]]:
        return partial(ShotCheck, strength_known=self._strength_known), (self._model, self._whose)
