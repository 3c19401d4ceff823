"""Noise that differs from batch to batch: what a model that is told it has to learn to use."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import stim
from numpy.typing import NDArray

from cascade_qec.components import ComponentType, Priors
from cascade_qec.error_models import Mechanisms
from cascade_qec.lattice import Lattice, site_index

_STEADY = 0.5
"""Share of the places whose factor stays the same over time; those of the others drift from one value to another."""

_LIKELIEST = 0.4


class RandomNoise:
    """Error models like a given one.

    Mechanisms that look alike in both bases, up to a translation, share a factor, as if a device measured better than
    it gates, or dephased more than it relaxed. At every place each sort has another factor besides, which may drift
    over the rounds. The sum of all probabilities stays as it was.

    Parameters
    ----------
    model
        Without loops.
    lattice
        Where its detectors sit.
    types
        Of component that are told of; by default all that occur.

    Attributes
    ----------
    mechanisms : Mechanisms
    priors : Priors
        To be asked with other probabilities.
    """

    def __init__(
        self, model: stim.DetectorErrorModel, lattice: Lattice, types: Sequence[ComponentType] | None = None
    ) -> None:
        self.mechanisms = Mechanisms.of(model)
        self.priors = Priors.of(self.mechanisms, lattice, types)
        index = site_index(lattice.frame.plane_sizes, lattice.slices)
        time, place = np.empty((2, lattice.sites), dtype=np.int64)
        time[index], place[index] = np.indices(index.shape)
        seen = self.priors.of_mechanism  # [2, mechanisms]
        type, owner = (np.where(seen >= 0, values[seen], -1) for values in (self.priors.type, self.priors.owner))
        by = np.where(seen[0] >= 0, owner[0], owner[1])
        self._sort = np.unique(type, axis=1, return_inverse=True)[1].ravel()
        keys = np.stack([self._sort, place[by]])
        self._place = np.unique(keys, axis=1, return_inverse=True)[1].ravel()
        self._time = time[by] / max(1, lattice.slices - 1)

    def draw(self, rng: np.random.Generator, spread: float, scatter: float) -> NDArray[np.float64]:
        """Probabilities of the mechanisms, float64 [mechanisms].

        Parameters
        ----------
        spread
            Most by which a sort's factor is above or below 1.
        scatter
            Most by which a place's is.
        """
        sorts, places = self._sort.max(initial=0) + 1, self._place.max(initial=0) + 1
        first, last = rng.uniform(-1, 1, (2, places))
        last = np.where(rng.random(places) < _STEADY, first, last)
        local = first[self._place] + self._time * (last - first)[self._place]
        nominal = self.mechanisms.probability
        weight = nominal * spread ** rng.uniform(-1, 1, sorts)[self._sort] * scatter**local
        return np.minimum(weight * nominal.sum() / weight.sum(), _LIKELIEST)
