"""Windows: the first rounds of a longer experiment, as a stream shows them before the next ones come."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cascade_qec.components import Components
from cascade_qec.lattice import Lattice, site_index


@dataclass(frozen=True, eq=False)
class Window:
    """What is seen of an experiment up to a round where it is cut.

    Attributes
    ----------
    lattice : Lattice
        Its detectors are the experiment's first ones.
    site : int64 [sites]
        Each site's number on the experiment's lattice.
    component : int64 [seen]
        The experiment's components whose owner is seen.
    components : Components or None
        Those. Where one flips a detector beyond the cut, too, its type says so as ever.
    """

    lattice: Lattice
    site: NDArray[np.int64]
    component: NDArray[np.int64]
    components: Components | None

    @classmethod
    def of(cls, whole: Lattice, rounds: int, components: Components | None) -> Window:
        """The first rounds of an experiment."""
        lattice = Lattice(whole.code, rounds=rounds, basis=whole.basis, end="cut")
        planes = whole.frame.plane_sizes
        first = whole.slices - lattice.slices if whole.frame.reverse_time else 0
        site = np.empty(lattice.sites, dtype=np.int64)
        site[site_index(planes, lattice.slices)] = site_index(planes, whole.slices)[first : first + lattice.slices]
        if components is None:
            return cls(lattice, site, np.empty(0, dtype=np.int64), None)
        number = np.full(whole.sites, -1)
        number[site] = np.arange(lattice.sites)
        seen = np.flatnonzero(number[components.owner] >= 0)
        return cls(lattice, site, seen, _of_those(components, seen, number, lattice.detectors))


def _of_those(components: Components, seen: NDArray[np.int64], number: NDArray[np.int64], detectors: int) -> Components:
    """The components that are seen, with as many of their detectors as there are."""
    row = np.full(len(components) + 1, -1)  # the last for mechanisms that flip no component
    row[seen] = np.arange(len(seen))
    of_entry = row[np.repeat(np.arange(len(components)), np.diff(components.start))]
    kept = (of_entry >= 0) & (components.detector < detectors)
    return replace(
        components,
        of_mechanism=row[components.of_mechanism],
        prior=components.prior[seen],
        detector=components.detector[kept],
        start=np.concatenate([[0], np.cumsum(np.bincount(of_entry[kept], minlength=len(seen)))]),
        observables=components.observables[seen],
        owner=number[components.owner[seen]],
        type=components.type[seen],
    )
