"""Windows: some rounds out of the middle of an experiment, as a stream shows them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cascade_qec.codes import BASES
from cascade_qec.components import Components
from cascade_qec.lattice import Lattice

BEYOND = 2
"""Rounds before and after: the slices at both cuts, and those next to them, are then neither's end."""


@dataclass(frozen=True, eq=False)
class Window:
    """What is seen of an experiment between two cuts.

    Attributes
    ----------
    lattice : Lattice
    detector : int64 [detectors]
        Each of its detectors' number in the experiment.
    site : int64 [sites]
        Each site's number on the experiment's lattice.
    component : int64 [seen]
        The experiment's components whose owner is seen.
    components : Components
        Those. Where one flips a detector beyond a cut, too, its type says so as ever.
    """

    lattice: Lattice
    detector: NDArray[np.int64]
    site: NDArray[np.int64]
    component: NDArray[np.int64]
    components: Components

    @classmethod
    def of(cls, whole: Lattice, components: Components) -> Window:
        """All of an experiment but for the rounds beyond the cuts."""
        first, stop = BEYOND, whole.slices - BEYOND
        inside = np.concatenate([whole.check_sites(kind)[first:stop].ravel() for kind in BASES])
        detector = np.flatnonzero(np.isin(whole.detector_sites, inside))
        lattice, moved = whole.window(first, stop, detector)
        component = np.flatnonzero(moved[components.owner] >= 0)
        row = np.full(len(components) + 1, -1)  # the last one is for mechanisms that flip no component
        row[component] = np.arange(len(component))
        number = np.full(whole.detectors, -1)
        number[detector] = np.arange(len(detector))
        of_entry = row[np.repeat(np.arange(len(components)), np.diff(components.start))]
        kept = (of_entry >= 0) & (number[components.detector] >= 0)
        seen = replace(
            components,
            of_mechanism=row[components.of_mechanism],
            prior=components.prior[component],
            detector=number[components.detector[kept]],
            start=np.concatenate([[0], np.cumsum(np.bincount(of_entry[kept], minlength=len(component)))]),
            observables=components.observables[component],
            owner=moved[components.owner[component]],
            type=components.type[component],
        )
        return cls(lattice, detector, np.argsort(moved, kind="stable")[-lattice.sites :], component, seen)
