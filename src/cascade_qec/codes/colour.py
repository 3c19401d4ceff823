"""Colour codes: triangles of the honeycomb, with an X and a Z check on every face."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from cascade_qec import limits
from cascade_qec.codes.basis import BASES, Basis, opposite
from cascade_qec.codes.css import CSSCode
from cascade_qec.codes.family import Family
from cascade_qec.codes.frame import PRIMARY, SECONDARY, Frame, SpaceRelations
from cascade_qec.codes.places import distance, places_at
from cascade_qec.codes.schedule import SuperdenseSchedule
from cascade_qec.errors import CascadeError

# The order of the slots of a check, as (column, row) of the data qubit relative to the face: round it, from the right.
SLOT_OFFSETS = ((1, 0), (0, 1), (-1, 1), (-1, 0), (0, -1), (1, -1))

# Steps to the faces next to a face, and the face itself.
_AROUND = ((0, 0), (1, 1), (-1, 2), (-2, 1), (-1, -1), (1, -2), (2, -1))


class ColourCode(CSSCode):
    """Triangular 6.6.6 colour code [[(3 d^2 + 1) / 4, 1, d]].

    On a triangle of places (column, row), column + row <= 3 (d - 1) / 2, faces are where column - row is 1 modulo 3,
    data qubits elsewhere; an X and a Z check touch the data qubits around each face, six or four. A face's colour is
    its row modulo 3: faces that touch differ in it. Logical operators of weight d lie along the sides, those in row 0
    are the code's observables.

    Parameters
    ----------
    d
        Distance: odd, from 3 to `limits.DISTANCE`.

    Raises
    ------
    CascadeError
        If d is no such number.

    Examples
    --------
    >>> code = ColourCode(5)
    >>> code.n, code.k, code.d, code.hx.shape
    (19, 1, 5, (9, 19))
    >>> code.planes("Z").tolist()
    [5, 5, 3, 3, 4, 4, 5, 3, 4]
    """

    d: int

    def __init__(self, d: int) -> None:
        if (d := distance(d)) < 3 or d % 2 == 0:
            raise CascadeError(f"expected an odd distance of at least 3 for a colour code, got {d}")
        self.side = 3 * (d - 1) // 2
        column, row = np.indices((self.side + 1, self.side + 1)).reshape(2, -1)
        places = np.stack([column, row], axis=1)[column + row <= self.side]
        is_face = (places[:, 0] - places[:, 1]) % 3 == 1
        data, faces = places[~is_face], places[is_face]
        around = places_at(data, faces, SLOT_OFFSETS)
        super().__init__(
            name=f"colour_d{d}",
            family="colour",
            d=d,
            neighbours=dict.fromkeys(BASES, around),
            check_coords=dict.fromkeys(BASES, faces),
            qubit_coords=np.column_stack([np.zeros_like(data[:, 0]), data]),
        )

    @property
    def schedule(self) -> SuperdenseSchedule:
        """Each ancilla touches one half of the slots, in the published order."""
        return SuperdenseSchedule(x_ancilla=(2, 3, 4), z_ancilla=(1, 0, 5))

    def planes(self, basis: Basis) -> NDArray[np.int64]:
        return self.check_coords(basis)[:, 1] % 3 + 3 * (basis == "Z")

    def detector_coords(self, basis: Basis) -> NDArray[np.int64]:
        """(x, y) of the two ancillas of each face, that of X checks on the left, on a grid of squares."""
        return self._squared(self.check_coords(basis)) + np.array([basis == "Z", 0])

    @property
    def qubit_positions(self) -> NDArray[np.floating]:
        return self._squared(self.qubit_coords[:, 1:]).astype(np.float64)

    @staticmethod
    def _squared(places: NDArray[np.int64]) -> NDArray[np.int64]:
        """A row of the triangle as one of squares, with two of them for a face: int64 [places, 2]."""
        column, row = places.T
        return np.stack([(4 * column + 2 * row + (column - row) % 3 // 2) // 3, row], axis=1)

    def _sides(self) -> NDArray[np.uint8]:
        """The data qubits of each side: uint8 [3, n]."""
        column, row = self.qubit_coords[:, 1:].T
        return np.array([row == 0, column == 0, column + row == self.side], dtype=np.uint8)

    def _find_logicals(self, basis: Basis) -> NDArray[np.uint8]:
        return self._sides()[:1]

    def _translated(self, basis: Basis) -> NDArray[np.uint8]:
        return self._sides()

    def _frame(self, basis: Basis) -> Frame:
        """A plane of faces for checks of each basis, primary ones first, and one of data qubits for each sublattice.

        Time runs backwards in the X frame: with X and Z exchanged, a superdense round is much like itself backwards.
        What is left, the network learns from the kind of site.
        """
        faces, data = self.check_coords(basis), self.qubit_coords[:, 1:]
        count = len(faces)
        sublattice = (data[:, 0] - data[:, 1]) % 3 // 2
        data_qubit = np.argsort(sublattice, kind="stable")
        # Faces that a face reads, of its own plane and of the other one; and those around a data qubit, likewise.
        near = places_at(faces, faces, _AROUND)
        around = places_at(faces, data[data_qubit], [(-column, -row) for column, row in SLOT_OFFSETS])
        both = np.concatenate([np.hstack([near, _other(near, count)]), np.hstack([_other(near, count), near])])
        return Frame(
            plane_sizes=(count, count),
            data_plane_sizes=tuple(np.bincount(sublattice, minlength=2).tolist()),
            check_place={basis: np.arange(count), opposite(basis): count + np.arange(count)},
            coords=np.tile(faces, (2, 1)),
            place_kind=np.repeat([PRIMARY, SECONDARY], count) + 2 * (basis == "X"),
            kinds=4,
            data_qubit=data_qubit,
            convolutions={"direct": (SpaceRelations(both, (-1, 0, 1), read="checks", out="checks"),)},
            to_data=SpaceRelations(np.hstack([around, _other(around, count)]), (0, 1), read="checks", out="data"),
            reverse_time=basis == "X",
        )


def _other(places: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """The same faces in the second plane."""
    return np.where(places >= 0, places + count, places)


_OF_SIZE = {(3 * d * d + 1) // 4: f"colour_d{d}" for d in range(3, limits.DISTANCE + 1, 2)}


def _find(name: str) -> CSSCode | None:
    found = re.fullmatch("colour_d([1-9][0-9]{0,3})", name)
    return ColourCode(int(found[1])) if found else None


FAMILY = Family(
    name="colour",
    title="Colour codes",
    find=_find,
    names=tuple(f"colour_d{d}" for d in range(3, 12, 2)),
    expected="colour_d<odd>",
    recognised=tuple(f"colour_d{d}" for d in range(3, 22, 2)),
    sized=lambda n: [_OF_SIZE[n]] if n in _OF_SIZE else [],
)
