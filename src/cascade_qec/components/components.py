"""Components: an error model's mechanisms, as the checks of the experiment's basis see them.

What flips no check of that basis flips no observable, and mechanisms that look alike to it are one component. Each is
named by the site that owns it and by its type, which is the same wherever a translation takes it: so a network that
knows a few types knows every component of any distance and any number of rounds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cascade_qec.codes import Basis
from cascade_qec.codes.gf2 import Bits, parities
from cascade_qec.lattice import Lattice, site_index

if TYPE_CHECKING:
    from cascade_qec.error_models import Mechanisms

ComponentType = tuple[int, tuple[tuple[int, ...], ...]]
"""The kind of check at the site that owns a component, and the steps in time and space (t, and the frame's
coordinates) from there to each site whose detector it flips, itself among them, ascending."""

UNKNOWN = -1
"""Type of a component that is none of those given."""


@dataclass(frozen=True, eq=False)
class Components:
    """The components of an experiment's error model.

    Attributes
    ----------
    of_mechanism : int64 [mechanisms]
        The component that each mechanism of the model flips, -1 for none.
    prior : float64 [components]
        Probability that an odd number of a component's mechanisms happen.
    detector : int64 [entries]
        Detectors flipped, those of one component after those of another, ascending within each.
    start : int64 [components + 1]
        Component c flips ``detector[start[c]:start[c + 1]]``.
    observables : uint8 [components, k]
        Whether it flips each observable.
    owner : int64 [components]
        The site that owns it.
    type : int64 [components]
        Index into `types`, or `UNKNOWN`.
    types : tuple of ComponentType
    """

    of_mechanism: NDArray[np.int64]
    prior: NDArray[np.float64]
    detector: NDArray[np.int64]
    start: NDArray[np.int64]
    observables: Bits
    owner: NDArray[np.int64]
    type: NDArray[np.int64]
    types: tuple[ComponentType, ...]

    def __len__(self) -> int:
        return len(self.prior)

    @classmethod
    def of(
        cls,
        mechanisms: Mechanisms,
        lattice: Lattice,
        types: Sequence[ComponentType] | None = None,
        *,
        seen_by: Basis | None = None,
    ) -> Components:
        """The components of an error model whose detectors sit on a lattice.

        Parameters
        ----------
        mechanisms
            Of the experiment.
        lattice
            The site of each of its detectors.
        types
            Those that are known; by default all that occur, in ascending order.
        seen_by
            Whose checks see them: by default those of the experiment's basis. Of others' the observables are left out,
            as what looks alike to those may flip them or not.
        """
        from cascade_qec.error_models import random_words  # here: Stim comes along, which the network does without

        sites = lattice.detector_sites
        observables = mechanisms.observables
        if seen_by not in (None, lattice.basis):
            observables = np.zeros_like(observables)
        own = np.isin(sites, lattice.check_sites(seen_by or lattice.basis))
        words = np.where(own, random_words(len(sites))[:-1], np.uint64(0))
        seen = mechanisms.xor(np.append(words, np.uint64(0)))
        flips = random_words(observables.shape[1], seed=1)[:-1]
        named = seen ^ np.bitwise_xor.reduce(np.where(observables, flips, np.uint64(0)), axis=1)
        visible = np.flatnonzero(seen != 0)
        _, first, which = np.unique(named[visible], return_index=True, return_inverse=True)
        of_mechanism = np.full(len(named), -1)
        # in the order in which the model has them, whatever the words are
        order = np.argsort(first, kind="stable")
        number = np.empty_like(order)
        number[order] = np.arange(len(order))
        of_mechanism[visible] = number[which]
        first = visible[first[order]]

        even = np.ones(len(first))
        np.multiply.at(even, of_mechanism[visible], 1 - 2 * mechanisms.probability[visible])
        kept = own[mechanisms.detector] & np.isin(mechanisms.owner, first)
        row = np.full(len(named), -1)
        row[first] = np.arange(len(first))
        component, detector = row[mechanisms.owner[kept]], mechanisms.detector[kept]
        by_component = np.argsort(component, kind="stable")
        detector = detector[by_component]
        start = np.concatenate([[0], np.cumsum(np.bincount(component, minlength=len(first)))])
        owner, keys = _placed(lattice, sites[detector], start)
        if types is None:
            types = sorted(set(keys))
        index = {key: number for number, key in enumerate(types)}
        return cls(
            of_mechanism=of_mechanism,
            prior=(1 - even) / 2,
            detector=detector,
            start=start,
            observables=observables[first],
            owner=owner,
            type=np.array([index.get(key, UNKNOWN) for key in keys], dtype=np.int64),
            types=tuple(types),
        )

    @property
    def of_entry(self) -> NDArray[np.int64]:
        """The component of each entry of `detector`: int64 [entries]."""
        return np.repeat(np.arange(len(self)), np.diff(self.start))

    def chosen(
        self, which: NDArray[np.bool_], entries: NDArray[np.bool_], observables: Bits | None = None
    ) -> Components:
        """Some of the components, bool [components], with some of their detectors, bool [entries].

        Parameters
        ----------
        observables : uint8 [components, k], optional
            What all of them flip instead.
        """
        weight = np.bincount(self.of_entry[entries], minlength=len(self))[which]
        row = np.append(np.where(which, np.cumsum(which) - 1, -1), -1)  # the last one is of mechanisms that flip none
        return replace(
            self,
            of_mechanism=row[self.of_mechanism],
            prior=self.prior[which],
            detector=self.detector[entries],
            start=np.concatenate([[0], np.cumsum(weight)]),
            observables=(self.observables if observables is None else observables)[which],
            owner=self.owner[which],
            type=self.type[which],
        )

    def flipped(self, errors: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Which components the mechanisms that happened flip: bool [shots, components] from [shots, mechanisms]."""
        shot, mechanism = np.nonzero(errors)
        component = self.of_mechanism[mechanism]
        shot, component = shot[component >= 0], component[component >= 0]
        times = np.bincount(shot * len(self) + component, minlength=len(errors) * len(self))
        return (times % 2 > 0).reshape(len(errors), len(self))

    def committed(
        self, log_odds: NDArray[np.float32], events: NDArray[np.bool_]
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Take the components that are likelier than not out of some shots.

        Parameters
        ----------
        log_odds : float32 [shots, components]
        events : bool [shots, detectors]

        Returns
        -------
        observables : bool [shots, k]
            What they flip. What other components flip, which explain the events that are left, is to be added.
        left : bool [shots, detectors]
        """
        explained, observables = self.symptoms(log_odds > 0, events.shape[1])
        return observables, events ^ explained

    def symptoms(self, flipped: NDArray[np.bool_], detectors: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """What flipped components, bool [shots, components], make of an experiment with so many detectors.

        Returns
        -------
        events : bool [shots, detectors]
            Of the detectors of the basis; the others are silent.
        observables : bool [shots, k]
        """
        shot, component = np.nonzero(flipped)
        observables = np.zeros((len(flipped), self.observables.shape[1]), dtype=np.int64)
        np.add.at(observables, shot, self.observables[component])
        return parities(flipped, self.start, self.detector, detectors), observables % 2 > 0


def _placed(
    lattice: Lattice, sites: NDArray[np.int64], start: NDArray[np.int64]
) -> tuple[NDArray[np.int64], list[ComponentType]]:
    """The owner, int64 [components], and the type of components that flip detectors at these sites.

    Of all sites the one owns a component from which the steps to the others are least.
    """
    frame, weight = lattice.frame, np.diff(start)
    time, place = np.empty((2, lattice.sites), dtype=np.int64)
    index = site_index(frame.plane_sizes, lattice.slices)
    time[index], place[index] = np.indices(index.shape)
    owner = np.empty(len(weight), dtype=np.int64)
    keys: list[ComponentType] = [(0, ())] * len(weight)
    for w in np.unique(weight).tolist():
        chosen = np.flatnonzero(weight == w)
        at = sites[start[chosen][:, None] + np.arange(w)]  # [components, w]
        origin, to = np.broadcast_arrays(at[:, :, None], at[:, None])  # [components, w, w]
        steps = np.concatenate([(time[to] - time[origin])[..., None], frame.steps(place[origin], place[to])], axis=3)
        reach = np.abs(steps).reshape(-1, steps.shape[-1]).max(axis=0).tolist()
        seen_from = np.sort(_numbered(steps, reach), axis=2)
        # the least in lexicographic order; of equal ones, on a small torus, the first site
        ranks = np.unique(seen_from.reshape(-1, w), axis=0, return_inverse=True)[1].reshape(-1, w)
        rows = np.arange(len(chosen))
        best = (ranks * lattice.sites + at).argmin(axis=1)
        owner[chosen] = at[rows, best]
        found, which = np.unique(seen_from[rows, best], axis=0, return_inverse=True)
        shapes = [tuple(map(tuple, shape)) for shape in _steps(found, reach).tolist()]
        kinds = lattice.site_kind[owner[chosen]]
        for component, kind, number in zip(chosen.tolist(), kinds.tolist(), which.ravel().tolist(), strict=True):
            keys[component] = (kind, shapes[number])
    return owner, keys


def _numbered(steps: NDArray[np.int64], reach: list[int]) -> NDArray[np.int64]:
    """Steps, int64 [..., coordinates], as numbers in the same order; none goes farther than `reach` either way."""
    numbers = np.zeros(steps.shape[:-1], dtype=np.int64)
    for coordinate, most in zip(np.moveaxis(steps, -1, 0), reach, strict=True):
        numbers = numbers * (2 * most + 1) + coordinate + most
    return numbers


def _steps(numbers: NDArray[np.int64], reach: list[int]) -> NDArray[np.int64]:
    """The steps that `_numbered` made numbers of."""
    coordinates: list[NDArray[np.int64]] = []
    for most in reversed(reach):
        numbers, coordinate = np.divmod(numbers, 2 * most + 1)
        coordinates.append(coordinate - most)
    return np.stack(coordinates[::-1], axis=-1)
