"""A detector error model as arrays."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import stim
from numpy.typing import NDArray

from cascade_qec.codes.gf2 import Bits, parities

_ERRORS = re.compile(r"^error(?:\[[^]]*\])?\(([^)]*)\)(.*)", re.M)
"""Probability and targets of each error, which may have a tag, in Stim's text of a flat model."""


@lru_cache(maxsize=16)
def random_words(count: int, seed: int = 0) -> NDArray[np.uint64]:
    """A random word for each of several things; a set of them is known by the XOR of theirs.

    Returns
    -------
    uint64 [count + 1]
        The last one is 0: index -1 stands for what is left out. Read-only.
    """
    words = np.random.default_rng(seed).integers(1, 1 << 63, size=count + 1, dtype=np.uint64)
    words[-1] = 0
    words.flags.writeable = False
    return words


@dataclass(frozen=True, eq=False)
class Mechanisms:
    """The error mechanisms of a model, in its order.

    Attributes
    ----------
    probability : float64 [mechanisms]
    detector : int64 [entries]
        Detectors flipped, those of one mechanism after those of another, ascending within each.
    start : int64 [mechanisms + 1]
        Mechanism m flips ``detector[start[m]:start[m + 1]]``.
    observables : uint8 [mechanisms, observables]
        Whether it flips each observable.
    detectors : int
        Detectors of the model.
    """

    probability: NDArray[np.float64]
    detector: NDArray[np.int64]
    start: NDArray[np.int64]
    observables: Bits
    detectors: int

    @property
    def weight(self) -> NDArray[np.int64]:
        """Number of detectors that each mechanism flips: int64 [mechanisms]."""
        return np.diff(self.start)

    @property
    def owner(self) -> NDArray[np.int64]:
        """The mechanism of each entry of `detector`: int64 [entries]."""
        return np.repeat(np.arange(len(self.probability)), self.weight)

    def xor(self, values: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """XOR over each mechanism's detectors of a value per detector: uint64 [mechanisms], 0 where it flips none."""
        total = np.zeros(len(self.detector) + 1, dtype=np.uint64)
        np.bitwise_xor.accumulate(values[self.detector], out=total[1:])
        return total[self.start[1:]] ^ total[self.start[:-1]]

    def names(self) -> NDArray[np.uint64]:
        """A word for each mechanism, uint64 [mechanisms]: the same for those that flip the same."""
        flips = np.where(self.observables, random_words(self.observables.shape[1], seed=1)[:-1], np.uint64(0))
        return self.xor(random_words(self.detectors)) ^ np.bitwise_xor.reduce(flips, axis=1)

    def on(self, kept: NDArray[np.bool_]) -> Mechanisms:
        """The same ones as seen by some of the detectors, bool [detectors], which keep their numbers."""
        entries = kept[self.detector]
        weight = np.bincount(self.owner[entries], minlength=len(self.probability))
        return replace(self, detector=self.detector[entries], start=np.concatenate([[0], np.cumsum(weight)]))

    def sample(
        self, probability: NDArray[np.float64], shots: int, rng: np.random.Generator
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Shots in which each mechanism has another probability, float64 [mechanisms], than the model's.

        Returns
        -------
        errors : bool [shots, mechanisms]
        events : bool [shots, detectors]
        """
        errors = rng.random((shots, len(probability))) < probability
        return errors, parities(errors, self.start, self.detector, self.detectors)

    def joined(self, other: Mechanisms) -> Mechanisms:
        """Those of two models of the same detectors and observables, one after the other."""
        return Mechanisms(
            probability=np.concatenate([self.probability, other.probability]),
            detector=np.concatenate([self.detector, other.detector]),
            start=np.concatenate([self.start, self.start[-1] + other.start[1:]]),
            observables=np.concatenate([self.observables, other.observables]),
            detectors=self.detectors,
        )

    @classmethod
    def of(cls, dem: stim.DetectorErrorModel) -> Mechanisms:
        """Read a model; the parts that ``^`` suggests are put together again, and what never happens is left out."""
        # Stim's text is read several times faster than its objects: a large code has 10^5 mechanisms.
        errors = _ERRORS.findall(str(dem.flattened()))
        values = {p: float(p) for p in {p for p, _ in errors}}
        happen = [(values[p], text) for p, text in errors if values[p] > 0]
        probability = np.array([p for p, _ in happen])
        number = [text.count(" ") for _, text in happen]
        # all in one list: so many small ones would keep the garbage collector busy
        targets = "".join(text for _, text in happen).split()
        detectors, columns = dem.num_detectors, dem.num_detectors + dem.num_observables
        column = {name: int(name[1:]) + detectors * (name[0] == "L") for name in set(targets) - {"^"}} | {"^": -1}
        flipped = np.array([column[name] for name in targets], dtype=np.int64)
        entries = np.repeat(np.arange(len(probability)), number) * columns + flipped
        entries, times = np.unique(entries[flipped >= 0], return_counts=True)
        owner, flipped = np.divmod(entries[times % 2 == 1], max(1, columns))
        symptom = flipped < detectors
        observables = np.zeros((len(probability), dem.num_observables), dtype=np.uint8)
        observables[owner[~symptom], flipped[~symptom] - detectors] = 1
        weight = np.bincount(owner[symptom], minlength=len(probability))
        return cls(
            probability=probability,
            detector=flipped[symptom],
            start=np.concatenate([[0], np.cumsum(weight)]),
            observables=observables,
            detectors=detectors,
        )
