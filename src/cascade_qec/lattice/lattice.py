"""Where every detector of a memory experiment sits: detection events to the network's tensor and back."""

from __future__ import annotations

from functools import lru_cache
from numbers import Integral

import numpy as np
import stim

from cascade_qec.codes import CSSCode
from cascade_qec.codes.css import Basis
from cascade_qec.errors import CascadeError
from cascade_qec.lattice.frames import Frame, frame_of
from cascade_qec.lattice.relations import site_index

ABSENT = 2
"""State of a site without a detector; 0 and 1 are a detector's silence and its event."""

_PLANES: dict[int, Basis] = {0: "X", 1: "Z"}


class Lattice:
    """The sites of an experiment with `rounds` rounds: check places times rounds + 1 time slices.

    Attributes
    ----------
    code, rounds, basis
        The experiment.
    frame : Frame
        Places and their relations, in the frame in which the experiment's basis comes first.
    sites, detectors : int
        Number of sites, and of detectors of the experiment that this lattice is bound to.
    detector_sites : int64 [detectors]
        The site of each detector. Sites without a detector (the other basis' checks in the first and the last
        slice, say) are absent, which is a state of its own, not "no event".
    """

    def __init__(self, code: CSSCode, *, rounds: int, basis: Basis, detector_coords: np.ndarray | None = None) -> None:
        if not isinstance(rounds, Integral) or rounds < 1:
            raise CascadeError(f"expected at least 1 round, got {rounds!r}")
        self.code, self.rounds, self.basis = code, int(rounds), basis
        self.frame: Frame = frame_of(code, basis)
        places = sum(self.frame.plane_sizes)
        self.slices = self.rounds + 1
        self.sites = self.slices * places
        if detector_coords is None:
            detector_coords = _memory_coords(code, self.rounds, basis)
        self.detector_sites = self._locate(detector_coords)
        self.detectors = len(self.detector_sites)

    @classmethod
    def from_circuit(cls, code: CSSCode, circuit: stim.Circuit | stim.DetectorErrorModel) -> Lattice:
        """The lattice of a circuit or error model whose detectors have coordinates (x, y, t, plane).

        Rounds are read off the last slice, the basis off the first, which holds one kind of check only.
        """
        found = circuit.get_detector_coordinates()
        coords = [found[i] for i in range(circuit.num_detectors)]
        if not coords or any(len(c) != 4 for c in coords):
            lengths = sorted({len(c) for c in coords})
            raise CascadeError(
                f"expected detectors with coordinates (x, y, t, plane), got coordinates of lengths {lengths}"
            )
        table = np.array(coords)
        rounds = int(table[:, 2].max())
        first = set(table[table[:, 2] == 0, 3].tolist())
        if len(first) != 1 or not first <= set(_PLANES):
            raise CascadeError(f"expected detectors of one plane (0 = X, 1 = Z) at t = 0, got planes {sorted(first)}")
        basis = _PLANES[int(first.pop())]
        lattice = cls(code, rounds=max(rounds, 1), basis=basis, detector_coords=table)
        whole = memory_lattice(code, lattice.rounds, basis)
        # A smaller code of the family fits into a corner of this one, so that every detector has a site.
        if set(lattice.detector_sites) != set(whole.detector_sites):
            raise CascadeError(
                f"expected the {whole.detectors} detectors of {code.name} with {lattice.rounds} rounds "
                f"in basis {basis}, got {lattice.detectors} that are not all of them"
            )
        return lattice

    def scatter(self, detection_events: np.ndarray) -> np.ndarray:
        """Detection events, bool [shots, detectors], to states of sites, uint8 [sites, shots]."""
        if detection_events.ndim != 2 or detection_events.shape[1] != self.detectors:
            raise CascadeError(
                f"expected detection events of shape [shots, {self.detectors}] "
                f"({self.code.name}, {self.rounds} rounds, basis {self.basis}), got {list(detection_events.shape)}"
            )
        states = np.full((self.sites, len(detection_events)), ABSENT, dtype=np.uint8)
        states[self.detector_sites] = detection_events.T
        return states

    def gather(self, states: np.ndarray) -> np.ndarray:
        """States of sites, uint8 [sites, shots], back to detection events, bool [shots, detectors]."""
        if states.ndim != 2 or states.shape[0] != self.sites:
            raise CascadeError(f"expected states of shape [{self.sites}, shots], got {list(states.shape)}")
        return (states[self.detector_sites] == 1).T

    def _locate(self, coords: np.ndarray) -> np.ndarray:
        known = {
            (*map(int, xy), plane): place
            for plane, basis in _PLANES.items()
            for xy, place in zip(_detector_xy(self.code, basis), self.frame.check_place[basis], strict=True)
        }
        site_at = site_index(self.frame.plane_sizes, self.slices)
        sites = np.empty(len(coords), dtype=np.int64)
        for detector, (x, y, t, plane) in enumerate(coords.tolist()):
            place = known.get((x, y, plane))
            if place is None or not (0 <= t <= self.rounds and t == int(t)):
                raise CascadeError(
                    f"detector D{detector} at (x, y, t, plane) = {(x, y, t, plane)} is no check of {self.code.name} "
                    f"in rounds 0..{self.rounds}"
                )
            sites[detector] = site_at[self.rounds - int(t) if self.frame.reverse_time else int(t), place]
        if len(np.unique(sites)) != len(sites):
            raise CascadeError("expected every detector at a place and time of its own, got two at the same one")
        return sites

    @property
    def site_kind(self) -> np.ndarray:
        """Kind of check at each site, int64 [sites]: which embedding it uses."""
        kind = np.empty(self.sites, dtype=np.int64)
        kind[site_index(self.frame.plane_sizes, self.slices)] = self.frame.place_kind
        return kind

    @property
    def logical_weights(self) -> np.ndarray:
        """Mean over a logical's support in space and time, float64 [k, data sites]."""
        support = self.frame.support
        site_at = site_index(self.frame.data_plane_sizes, self.slices)
        weights = np.zeros((len(support), site_at.size))
        for row, places in zip(weights, support, strict=True):
            row[site_at[:, places].ravel()] = 1 / (self.slices * places.sum())
        return weights


@lru_cache(maxsize=64)
def memory_lattice(code: CSSCode, rounds: int, basis: Basis) -> Lattice:
    """The lattice of `cascade_qec.circuits.memory`, built once per experiment."""
    return Lattice(code, rounds=rounds, basis=basis)


def _detector_xy(code: CSSCode, basis: Basis) -> np.ndarray:
    """(x, y) of each check's detectors in our circuits: twice (col, row) for surface codes, (i, j) on the torus."""
    coords = code.check_coords(basis)
    return 2 * coords[:, ::-1] if code.family == "surface" else coords


def _memory_coords(code: CSSCode, rounds: int, basis: Basis) -> np.ndarray:
    """Coordinates of the detectors of `cascade_qec.circuits.memory`, float64 [detectors, 4], in their order."""
    blocks = []
    for t in range(rounds + 1):
        for plane, kind in _PLANES.items():
            if kind == basis or 0 < t < rounds:
                xy = _detector_xy(code, kind)
                blocks.append(np.column_stack([xy, np.full(len(xy), t), np.full(len(xy), plane)]))
    return np.concatenate(blocks).astype(float)
