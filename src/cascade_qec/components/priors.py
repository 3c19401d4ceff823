"""What a model that is told the noise hears of it: how likely every component is before any event.

A component of the other basis' checks is told of too, for an error of both bases says of one what it is in the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cascade_qec.codes import BASES
from cascade_qec.components.components import UNKNOWN, Components, ComponentType
from cascade_qec.lattice import Lattice

if TYPE_CHECKING:
    from cascade_qec.error_models import Mechanisms

UsualNoise = tuple[ComponentType, float, float]
"""What a type of component is in the noise of training: its mean log-odds and its mean share, see `Priors`."""

_MOST = 8.0
"""Log-odds that a model is told at most, either way from the usual ones."""


@dataclass(frozen=True, eq=False)
class Priors:
    """The components of an error model as the checks of both bases see them, those of the experiment's own first.

    Each has log-odds, and a share: of its mechanisms' probability what the checks of the other basis see too.

    Attributes
    ----------
    of_mechanism : int64 [2, mechanisms]
        The component of either basis that each mechanism of the model flips, -1 for none.
    owner : int64 [components]
        The site that owns each.
    type : int64 [components]
        Index into `types`, or `UNKNOWN`.
    types : tuple of ComponentType
        The experiment's own first.
    sites : int
        Of the lattice.
    """

    of_mechanism: NDArray[np.int64]
    owner: NDArray[np.int64]
    type: NDArray[np.int64]
    types: tuple[ComponentType, ...]
    sites: int

    @classmethod
    def of(cls, mechanisms: Mechanisms, lattice: Lattice, types: Sequence[ComponentType] | None = None) -> Priors:
        """Those of an error model whose detectors sit on a lattice; `types` as `Components.of` has it."""
        bases = sorted(BASES, key=lambda basis: basis != lattice.basis)
        own, other = (Components.of(mechanisms, lattice, types, seen_by=basis) for basis in bases)
        second = np.where(other.of_mechanism >= 0, other.of_mechanism + len(own), -1)
        if types is None:
            types = tuple(dict.fromkeys(own.types + other.types))
            index = np.array([types.index(each) for each in other.types], dtype=np.int64)
            other_type = index[other.type]
        else:
            other_type = other.type
        return cls(
            of_mechanism=np.stack([own.of_mechanism, second]),
            owner=np.concatenate([own.owner, other.owner]),
            type=np.concatenate([own.type, other_type]),
            types=tuple(types),
            sites=lattice.sites,
        )

    def told(self, probability: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Log-odds and share of each component, float64 [components], of mechanisms of these probabilities."""
        seen = self.of_mechanism >= 0
        rows = [self.of_mechanism[basis, seen[basis]] for basis in (0, 1)]
        by_basis = [probability[seen[basis]] for basis in (0, 1)]
        joint = [np.where(seen.all(axis=0), probability, 0)[seen[basis]] for basis in (0, 1)]
        row, count = np.concatenate(rows), len(self.owner)
        p = np.concatenate(by_basis)
        with np.errstate(divide="ignore"):  # of one half
            even = np.exp(np.bincount(row, np.log1p(-2 * p), minlength=count))
        total = np.bincount(row, p, minlength=count)
        return np.log1p(-even) - np.log1p(even), np.bincount(row, np.concatenate(joint), minlength=count) / total

    def usual(self, probability: NDArray[np.float64]) -> list[UsualNoise]:
        """What each type is on average, of mechanisms of these probabilities."""
        size = np.bincount(self.type, minlength=len(self.types))
        means = [np.bincount(self.type, values, minlength=len(size)) / size for values in self.told(probability)]
        return list(zip(self.types, *(mean.tolist() for mean in means), strict=True))

    def at_sites(self, probability: NDArray[np.float64], usual: Sequence[UsualNoise]) -> NDArray[np.float32]:
        """What a model is told: how far the noise is from the usual one, 0 where a site owns no such component.

        Parameters
        ----------
        probability : float64 [mechanisms]
        usual
            Of each of `types`.

        Returns
        -------
        float32 [sites, 2 * types]
            Of each type first the log-odds, then, in as many columns more, the share.
        """
        at = np.zeros((2, self.sites, len(self.types)))
        known = self.type != UNKNOWN
        place = (self.owner[known], self.type[known])
        for number, each in enumerate(self.told(probability), start=1):
            mean = np.array([one[number] for one in usual])
            at[number - 1][place] = each[known] - mean[self.type[known]]
        return np.concatenate(at.clip(-_MOST, _MOST), axis=1).astype(np.float32)
