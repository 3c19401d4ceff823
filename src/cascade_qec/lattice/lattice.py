"""Where every detector of a memory experiment sits: detection events to the network's tensor."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from numbers import Integral
from typing import Literal

import numpy as np
from jaxtyping import Bool, UInt8
from numpy.typing import NDArray

from cascade_qec import limits
from cascade_qec.codes import BASES, Basis, CSSCode
from cascade_qec.errors import CascadeError
from cascade_qec.lattice.relations import site_index

ABSENT = 2
"""State of a site without a detector; 0 and 1 are a detector's silence and its event."""

End = Literal["closed", "cut"]
"""An end in time: closed by a preparation or a readout of the data qubits, with detectors of the experiment's own basis
alone in its slice; or cut out of a longer experiment, with detectors of both kinds of check."""


class Lattice:
    """The sites of an experiment with `rounds` rounds: check places times rounds + 1 time slices.

    Attributes
    ----------
    code, rounds, basis
        The experiment.
    start, end : {"closed", "cut"}
        How it begins and ends, see `End`.
    frame : Frame
        Places and their relations, in the frame in which the experiment's basis comes first.
    sites, detectors : int
        Number of sites, and of detectors of the experiment that this lattice is bound to.
    slices : int
        rounds + 1.
    present_sites : int64 [present]
        Sites that can have a detector, by slice, then X checks before Z checks, then as in the code: the order of the
        detectors of `cascade_qec.circuits.memory`. All others are absent, which is a state of its own, not "no event".
    detector_sites : int64 [detectors]
        The site of each detector, -1 for one to be ignored; `present_sites` by default.
    """

    def __init__(
        self,
        code: CSSCode,
        *,
        rounds: int,
        basis: Basis,
        start: End = "closed",
        end: End = "closed",
        detector_sites: NDArray[np.int64] | None = None,
    ) -> None:
        if not isinstance(rounds, Integral) or rounds < 1:
            raise CascadeError(f"expected at least 1 round, got {rounds!r}")
        if rounds > limits.ROUNDS:
            raise CascadeError(f"expected at most {limits.ROUNDS:,} rounds, got {int(rounds):,}")
        detectors = (len(code.hx) + len(code.hz)) * int(rounds)
        if detectors > limits.DETECTORS:
            raise CascadeError(
                f"expected an experiment of at most {limits.DETECTORS:,} detectors, got {detectors:,} of {code.name} "
                f"in {rounds:,} rounds"
            )
        self.code, self.rounds = code, int(rounds)
        self.basis: Basis = basis
        self.start: End = start
        self.end: End = end
        self.frame = code.frame(basis)
        places = sum(self.frame.plane_sizes)
        self.slices = self.rounds + 1
        self.sites = self.slices * places
        self.present_sites = self._present_sites()
        self.detector_sites = self.present_sites if detector_sites is None else detector_sites
        self.detectors = len(self.detector_sites)
        self._kept = np.flatnonzero(self.detector_sites >= 0)
        kept = self.detector_sites[self._kept]
        if len(np.unique(kept)) != len(kept) or not np.isin(kept, self.present_sites).all():
            raise CascadeError("expected every detector at a site of its own where the experiment has one")

    def check_sites(self, kind: Basis) -> NDArray[np.int64]:
        """The site of each check of one kind in each slice, int64 [rounds + 1, checks]."""
        sites = site_index(self.frame.plane_sizes, self.slices)[:, self.frame.check_place[kind]]
        return sites[::-1] if self.frame.reverse_time else sites

    @property
    def detector_slices(self) -> NDArray[np.int64]:
        """The slice of each detector in the order of time, int64 [detectors]; -1 where it has no site."""
        slice_of_site = np.full(self.sites + 1, -1)  # the last one is that of detectors without a site
        for kind in BASES:
            slice_of_site[self.check_sites(kind)] = np.arange(self.slices)[:, None]
        return slice_of_site[self.detector_sites]

    def window(self, first: int, stop: int, detectors: NDArray[np.int64]) -> tuple[Lattice, NDArray[np.int64]]:
        """The slices from one to before another, cut out where the experiment goes on beyond them.

        Parameters
        ----------
        first, stop
            Two slices at least, in the order of time.
        detectors : int64 [of the window]
            Its detectors, in the order in which its own are numbered.

        Returns
        -------
        lattice : Lattice
        moved : int64 [sites]
            Where each site is in it, -1 for one outside.
        """
        part = Lattice(
            self.code,
            rounds=stop - first - 1,
            basis=self.basis,
            start=self.start if first == 0 else "cut",
            end=self.end if stop == self.slices else "cut",
            detector_sites=np.empty(0, dtype=np.int64),
        )
        moved = np.full(self.sites + 1, -1)  # the last one is that of detectors without a site
        for kind in BASES:
            moved[self.check_sites(kind)[first:stop]] = part.check_sites(kind)
        sites = moved[self.detector_sites[detectors]]
        part = Lattice(
            self.code, rounds=part.rounds, basis=self.basis, start=part.start, end=part.end, detector_sites=sites
        )
        return part, moved[:-1]

    def scatter(self, detection_events: Bool[np.ndarray, ...]) -> UInt8[np.ndarray, "{self.sites} shots"]:
        """Detection events, bool [shots, detectors], to states of sites, uint8 [sites, shots]."""
        if detection_events.ndim != 2 or detection_events.shape[1] != self.detectors:
            raise CascadeError(
                f"expected detection events of shape [shots, {self.detectors}] "
                f"({self.code.name}, {self.rounds} rounds, basis {self.basis}), got {list(detection_events.shape)}"
            )
        states = np.full((self.sites, len(detection_events)), ABSENT, dtype=np.uint8)
        # Silence where a circuit lacks a detector that the experiment has: unlike absence, the network knows it there.
        states[self.present_sites] = 0
        states[self.detector_sites[self._kept]] = detection_events.T[self._kept]
        return states

    @property
    def bits(self) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
        """How packed events become states: of each site the detector that it shows, and its state where it shows none.

        Returns
        -------
        bit : int64 [sites]
            -1 for none.
        fill : uint8 [sites]
            0 where a detector is shown.
        """
        bit, fill = np.full(self.sites, -1), np.full(self.sites, ABSENT, dtype=np.uint8)
        fill[self.present_sites] = 0  # silence, too, where a circuit lacks a detector that the experiment has
        bit[self.detector_sites[self._kept]] = self._kept
        return bit, fill

    def _present_sites(self) -> NDArray[np.int64]:
        of_kind = {kind: self.check_sites(kind) for kind in BASES}
        closed = {0: self.start == "closed", self.rounds: self.end == "closed"}
        return np.concatenate(
            [of_kind[kind][t] for t in range(self.slices) for kind in BASES if kind == self.basis or not closed.get(t)]
        )

    @property
    def site_kind(self) -> np.ndarray:
        """Kind of check at each site, int64 [sites]: which embedding it uses."""
        kind = np.empty(self.sites, dtype=np.int64)
        kind[site_index(self.frame.plane_sizes, self.slices)] = self.frame.place_kind
        return kind


def memory_lattices(code: CSSCode, rounds: int, bases: Sequence[Basis]) -> list[Lattice]:
    """`memory_lattice` of several bases."""
    return [memory_lattice(code, rounds, basis) for basis in bases]


@lru_cache(maxsize=64)
def memory_lattice(code: CSSCode, rounds: int, basis: Basis) -> Lattice:
    """The lattice of `cascade_qec.circuits.memory`, built once per experiment."""
    return Lattice(code, rounds=rounds, basis=basis)
