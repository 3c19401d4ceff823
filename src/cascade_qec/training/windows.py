"""Windows: some rounds out of the middle of an experiment, as a stream shows them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

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
        slices = whole.detector_slices
        detector = np.flatnonzero((slices >= first) & (slices < stop))
        lattice, moved = whole.window(first, stop, detector)
        number = np.full(whole.detectors, -1)
        number[detector] = np.arange(len(detector))
        seen = replace(components, detector=number[components.detector], owner=moved[components.owner])
        which = seen.owner >= 0
        seen, component = seen.chosen(which, which[seen.of_entry] & (seen.detector >= 0)), np.flatnonzero(which)
        return cls(lattice, detector, np.argsort(moved, kind="stable")[-lattice.sites :], component, seen)
