"""The frame of an experiment: the code seen so that the measured basis always comes first.

A Z and an X memory experiment of one code are nearly the same decoding problem. The frame makes them the same
to the network: it puts the checks of the experiment's own basis ("primary": only they see the errors that flip
its observables) in the first kind and the other checks in the second, by a symmetry of the code.

* Surface code: transpose the lattice and exchange X with Z. The syndrome extraction order of
  `cascade_qec.circuits` is its own transpose, so under noise that treats X and Z alike the two problems are equal,
  but for the boundary, whose half checks alternate the opposite way.
* Bivariate bicycle codes: x -> 1/x, y -> 1/y, exchange the blocks and X with Z, and reverse time. It is a
  symmetry of every such code, and brings the two depth-7 schedules close; what is left, the network learns from the
  kind of site.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from cascade_qec.codes import BivariateBicycleCode, CSSCode, RotatedSurfaceCode
from cascade_qec.codes.css import BASES, Basis
from cascade_qec.errors import CascadeError
from cascade_qec.lattice.relations import ABSENT_SITE, RelationTable, in_spacetime

PRIMARY, SECONDARY = 0, 1


class Frame(ABC):
    """Places of checks and data qubits of one code in one basis; a place and a time make a site.

    Attributes
    ----------
    plane_sizes : list of int
        Number of check places in each plane of the convolution's weights.
    check_place : dict
        Basis -> int64 [checks]: the place of each check of that basis.
    place_kind : int64 [places]
        Index of the embedding that a check place uses; primary checks are even, secondary ones odd.
    reverse_time : bool
        Whether time runs backwards in this frame.
    data_plane_sizes : list of int
        Number of data-qubit places in each plane of the readout's weights.
    data_qubit : int64 [data places]
        The data qubit at each place.
    kinds : int
        Number of kinds of check place over both bases of the family.
    """

    plane_sizes: list[int]
    check_place: dict[str, np.ndarray]
    place_kind: np.ndarray
    reverse_time: bool = False
    data_plane_sizes: list[int]
    data_qubit: np.ndarray
    kinds: int

    @abstractmethod
    def convolution(self, style: str, slices: int) -> list[RelationTable]:
        """The steps of one convolution from checks to checks, in the style "direct" or "bipartite"."""

    @abstractmethod
    def readout(self, slices: int) -> RelationTable:
        """From checks to data qubits: a data qubit at slice t reads its checks at t and t + 1."""


class SurfaceFrame(Frame):
    """Rotated surface code: sites on the (d+1) x (d+1) grid of plaquettes, one plane for all."""

    kinds = 2
    # a data qubit's checks to the NE, NW, SE, SW, as offsets on the plaquette grid
    _slots = ((0, 1), (0, 0), (1, 1), (1, 0))

    def __init__(self, code: RotatedSurfaceCode, basis: Basis) -> None:
        transpose = (lambda rc: rc[:, ::-1]) if basis == "X" else (lambda rc: rc)
        other: Basis = "Z" if basis == "X" else "X"
        coords = {b: transpose(code.check_coords(b)) for b in BASES}
        primary, secondary = len(coords[basis]), len(coords[other])
        rows_cols = np.concatenate([coords[basis], coords[other]])
        order = np.lexsort((rows_cols[:, 1], rows_cols[:, 0]))
        place = np.empty(primary + secondary, dtype=np.int64)
        place[order] = np.arange(len(order))
        self._coords = rows_cols[order]
        self.plane_sizes = [len(order)]
        self.check_place = {basis: place[:primary], other: place[primary:]}
        self.place_kind = np.repeat([PRIMARY, SECONDARY], [primary, secondary])[order]

        data = transpose(code.qubit_coords[:, 1:])
        primary_parity = 1 if basis == "X" else 0
        plane = (data.sum(axis=1) + primary_parity) % 2  # 0 where the check to the NW is primary
        self.data_qubit = np.lexsort((data[:, 1], data[:, 0], plane))
        self._data_coords = data[self.data_qubit]
        self.data_plane_sizes = np.bincount(plane, minlength=2).tolist()

    def convolution(self, style: str, slices: int) -> list[RelationTable]:
        if style != "direct":
            raise CascadeError(f"a surface code's convolution is 'direct', not {style!r}")
        offsets = [(dr, dc) for dr in (-1, 0, 1) for dc in (-1, 0, 1)]
        space = self._neighbours(self._coords, offsets)
        planes = self.plane_sizes
        return [in_spacetime(space, (-1, 0, 1), slices=slices, planes_in=planes, planes_out=planes)]

    def readout(self, slices: int) -> RelationTable:
        space = self._neighbours(self._data_coords, self._slots)
        return in_spacetime(space, (0, 1), slices=slices, planes_in=self.plane_sizes, planes_out=self.data_plane_sizes)

    def _neighbours(self, centres: np.ndarray, offsets) -> np.ndarray:
        at = {(int(r), int(c)): place for place, (r, c) in enumerate(self._coords)}
        return np.array([[at.get((int(r) + dr, int(c) + dc), ABSENT_SITE) for dr, dc in offsets] for r, c in centres])


class BicycleFrame(Frame):
    """Bivariate bicycle code: two planes of checks and two of data qubits on the torus.

    Relations are numbered by the term of A or B that they follow; then, through one relation, all checks of one
    plane are read by data qubits of one plane, and the other way round.
    """

    kinds = 4

    def __init__(self, code: BivariateBicycleCode, basis: Basis) -> None:
        self._code = code
        size = code.l * code.m
        self.plane_sizes = self.data_plane_sizes = [size, size]
        place = np.arange(size) if basis == "Z" else code.dual_check  # the duality is its own inverse
        other: Basis = "X" if basis == "Z" else "Z"
        self.check_place = {basis: place, other: size + place}
        self.place_kind = np.repeat([PRIMARY, SECONDARY], size) + (2 if basis == "X" else 0)
        self.reverse_time = basis == "X"
        self.data_qubit = code.dual_qubit if basis == "X" else np.arange(code.n)

    def convolution(self, style: str, slices: int) -> list[RelationTable]:
        if style == "bipartite":
            spread = in_spacetime(
                self._checks_read_data(),
                (0, -1),
                slices=slices,
                planes_in=self.data_plane_sizes,
                planes_out=self.plane_sizes,
            )
            return [self.readout(slices), spread]
        if style == "direct":
            planes = self.plane_sizes
            return [
                in_spacetime(self._checks_read_checks(), (-1, 0, 1), slices=slices, planes_in=planes, planes_out=planes)
            ]
        raise CascadeError(f"a bivariate bicycle code's convolution is 'bipartite' or 'direct', not {style!r}")

    def readout(self, slices: int) -> RelationTable:
        return in_spacetime(
            self._data_reads_checks(),
            (0, 1),
            slices=slices,
            planes_in=self.plane_sizes,
            planes_out=self.data_plane_sizes,
        )

    def _checks_read_data(self) -> np.ndarray:
        """Data place in each term of (A, B) for the primary (Z) and the secondary (X) checks."""
        terms_b = len(self._code.b_terms)
        z = self._code.neighbours("Z")
        return np.concatenate([np.hstack([z[:, terms_b:], z[:, :terms_b]]), self._code.neighbours("X")])

    def _data_reads_checks(self) -> np.ndarray:
        forward = self._checks_read_data()
        backward = np.full_like(forward, ABSENT_SITE)
        for term in range(forward.shape[1]):
            for plane in (0, 1):  # each plane of checks meets a data qubit at most once through one term
                checks = np.arange(len(forward)).reshape(2, -1)[plane]
                backward[forward[checks, term], term] = checks
        return backward

    def _checks_read_checks(self) -> np.ndarray:
        code, size = self._code, self._code.l * self._code.m
        a, b = np.array(code.a_terms), np.array(code.b_terms)
        modulus = (code.l, code.m)
        pairs = [terms[i] - terms[j] for terms in (a, b) for i in range(len(terms)) for j in range(len(terms))]
        same = np.unique(np.array(pairs) % modulus, axis=0)
        cross = np.unique((a[:, None] + b[None]).reshape(-1, 2) % modulus, axis=0)
        here = np.stack(np.divmod(np.arange(size), code.m), axis=1)

        def shifted(by: np.ndarray) -> np.ndarray:
            i, j = np.moveaxis((here[:, None] + by[None]) % modulus, -1, 0)
            return i * code.m + j

        primary = np.hstack([shifted(same), size + shifted(-cross)])
        secondary = np.hstack([size + shifted(same), shifted(cross)])
        return np.concatenate([primary, secondary])


def frame_of(code: CSSCode, basis: Basis) -> Frame:
    """The frame of a code's memory experiment in a basis."""
    if basis not in ("X", "Z"):
        raise CascadeError(f"expected basis 'X' or 'Z', got {basis!r}")
    if isinstance(code, RotatedSurfaceCode):
        return SurfaceFrame(code, basis)
    if isinstance(code, BivariateBicycleCode):
        return BicycleFrame(code, basis)
    raise CascadeError(f"no lattice is known for a code of type {type(code).__name__}")
