"""Counts of shots: how often sets of detectors have an odd number of events."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from cascade_qec.error_models import Mechanisms
from cascade_qec.errors import CascadeError

_CHUNK = 1 << 27
"""Bytes that parities take at a time."""


class Moments:
    """How often each of some sets of detectors has an odd number of events, in the shots seen so far.

    Parameters
    ----------
    sets
        Each ascending.
    detectors
        Of a shot.

    Attributes
    ----------
    sets : list of tuple of int
        Sorted by size.
    odd : int64 [sets]
        Shots with an odd number of events.
    shots : int
    """

    def __init__(self, sets: list[tuple[int, ...]], detectors: int) -> None:
        self.sets, self.detectors = sorted(sets, key=lambda one: (len(one), one)), detectors
        self.odd, self.shots = np.zeros(len(sets), dtype=np.int64), 0

    def see(self, packed: NDArray[np.uint8]) -> None:
        """Count some shots: uint8 [shots, ceil(detectors / 8)], bit 0 of byte 0 being detector 0."""
        self.shots += len(packed)
        by_detector = np.packbits(np.unpackbits(packed, axis=1, count=self.detectors, bitorder="little").T, axis=1)
        words = np.zeros((self.detectors, -(-by_detector.shape[1] // 8) * 8), dtype=np.uint8)
        words[:, : by_detector.shape[1]] = by_detector
        words = words.view(np.uint64)
        sizes = np.array([len(one) for one in self.sets])
        step = max(1, _CHUNK // (8 * max(1, words.shape[1])))
        for size in np.unique(sizes).tolist():
            (which,) = np.nonzero(sizes == size)
            for some in np.split(which, range(step, len(which), step)):
                members = np.array([self.sets[one] for one in some])
                parity = words[members[:, 0]]
                for member in members[:, 1:].T:
                    parity ^= words[member]
                self.odd[some] += np.bitwise_count(parity).sum(axis=1, dtype=np.int64)

    @property
    def signs(self) -> NDArray[np.float64]:
        """Mean over shots of 1 if a set has an even number of events, -1 if an odd one: float64 [sets]."""
        if not self.shots:
            raise CascadeError("expected shots, got none")
        return 1 - 2 * self.odd / self.shots


def local_sets(mechanisms: Mechanisms, most: int) -> list[tuple[int, ...]]:
    """Sets of detectors that tell of mechanisms: each detector, each pair with an error in common, each error's own.

    Parameters
    ----------
    most
        Where there are more sets than this, some are left out, evenly.
    """
    bounds = zip(mechanisms.start[:-1].tolist(), mechanisms.start[1:].tolist(), strict=True)
    own = {tuple(mechanisms.detector[a:b].tolist()) for a, b in bounds} - {()}
    pairs = {pair for each in own for pair in combinations(each, 2)}
    seen = sorted({(one,) for each in own for one in each})
    larger = sorted((own | pairs).difference(seen))
    room = max(0, most - len(seen))
    if len(larger) > room:
        larger = [larger[k] for k in np.linspace(0, len(larger) - 1, room).astype(int).tolist()]
    return seen + larger
