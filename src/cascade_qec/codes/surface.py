"""The rotated surface code, laid out as in Stim's generated circuits."""

from __future__ import annotations

import re
from copy import copy
from operator import index

import numpy as np
from numpy.typing import NDArray

from cascade_qec import limits
from cascade_qec.codes.basis import BASES, Basis, opposite
from cascade_qec.codes.css import CSSCode, frozen
from cascade_qec.codes.family import Family
from cascade_qec.codes.frame import ABSENT_PLACE, PRIMARY, SECONDARY, Frame, SpaceRelations
from cascade_qec.codes.schedule import Schedule
from cascade_qec.errors import CascadeError

# The order of the slots of a check, as (row, column) of the data qubit relative to the check: NE, NW, SE, SW.
SLOT_OFFSETS = ((-1, 0), (-1, -1), (0, 0), (0, -1))
_NE, _NW, _SE, _SW = range(4)

# Checks to the NE, NW, SE, SW of a data qubit, as offsets on the grid of plaquettes.
_DATA_OFFSETS = ((0, 1), (0, 0), (1, 1), (1, 0))

# A fault halfway through a check spreads to its last two neighbours. X checks end on two in a row, across the vertical
# logical X, and Z checks on two in a column, across the horizontal logical Z, so that the distance is not halved. It is
# the order of Stim's generated circuits.
_SCHEDULE = Schedule(x=(_SE, _SW, _NE, _NW), z=(_SE, _NE, _SW, _NW))


class RotatedSurfaceCode(CSSCode):
    """Rotated surface code [[d^2, 1, d]].

    Data qubit (row, col), both in 0..d-1, has index row * d + col. The check at (row, col), both in 0..d,
    touches the data qubits (row-1 or row, col-1 or col) that exist; it is of type X where row + col is odd. X
    checks of weight 2 lie on the top and bottom, Z checks of weight 2 on the left and right, so that logical
    Z is a row of data qubits and logical X a column. Checks are sorted by (row, col); their slots
    are NE, NW, SE, SW.

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
    >>> code = RotatedSurfaceCode(5)
    >>> code.n, code.k, code.d
    (25, 1, 5)
    >>> code.hx.shape
    (12, 25)
    """

    d: int

    def __init__(self, d: int) -> None:
        try:
            d = index(d)
        except TypeError as error:
            raise CascadeError(f"expected the distance as an integer, got {d!r}") from error
        if d < 3 or d % 2 == 0:
            raise CascadeError(f"expected an odd distance of at least 3 for a rotated surface code, got {d}")
        if d > limits.DISTANCE:
            raise CascadeError(f"expected a distance of at most {limits.DISTANCE}, got {d}")
        coords: dict[Basis, NDArray[np.int64]] = {basis: _check_coords(d, basis) for basis in BASES}
        row, col = np.divmod(np.arange(d * d), d)
        super().__init__(
            name=f"surface_d{d}",
            family="surface",
            d=d,
            neighbours={basis: _neighbours(d, coords[basis]) for basis in BASES},
            check_coords=coords,
            qubit_coords=np.stack([np.zeros_like(row), row, col], axis=1),
        )

    def _find_logicals(self, basis: Basis) -> NDArray[np.uint8]:
        # The middle line: farthest from the boundaries, and left in place by the code's symmetries.
        grid = np.zeros((self.d, self.d), dtype=np.uint8)
        if basis == "Z":
            grid[self.d // 2, :] = 1
        else:
            grid[:, self.d // 2] = 1
        return grid.reshape(1, -1)

    def _translated(self, basis: Basis) -> NDArray[np.uint8]:
        # Parallel lines: logical Z is a row, logical X a column.
        line = self.logicals(basis).reshape(self.d, self.d)
        return np.stack([np.roll(line, shift, axis=0 if basis == "Z" else 1) for shift in range(self.d)]).reshape(
            -1, self.n
        )

    @property
    def variants(self) -> tuple[CSSCode, ...]:
        mirrored = copy(self)
        # Circuits go through the slots with east and west exchanged.
        mirrored._neighbours = {b: frozen(self.neighbours(b)[:, [_NW, _NE, _SW, _SE]], np.int64) for b in BASES}
        return (self, mirrored)

    @property
    def schedule(self) -> Schedule:
        return _SCHEDULE

    def detector_coords(self, basis: Basis) -> NDArray[np.int64]:
        """(x, y) in the steps of Stim's generated circuits: twice the column, twice the row."""
        return 2 * self.check_coords(basis)[:, ::-1]

    @property
    def qubit_positions(self) -> NDArray[np.floating]:
        return 2.0 * self.qubit_coords[:, :0:-1] + 1

    def _frame(self, basis: Basis) -> Frame:
        """Sites on the (d+1) x (d+1) grid of plaquettes, one plane for all.

        In the X frame the lattice is transposed and X exchanged with Z. The order of the CNOTs is its own transpose, so
        under noise that treats X and Z alike the two problems are equal, but for the boundary, whose half checks
        alternate the opposite way.
        """
        other = opposite(basis)
        turn = slice(None, None, -1 if basis == "X" else 1)
        coords = {b: self.check_coords(b)[:, turn] for b in BASES}
        primary, secondary = len(coords[basis]), len(coords[other])
        rows_cols = np.concatenate([coords[basis], coords[other]])
        order = np.lexsort((rows_cols[:, 1], rows_cols[:, 0]))
        place = np.empty(primary + secondary, dtype=np.int64)
        place[order] = np.arange(len(order))
        rows_cols = rows_cols[order]
        at = {where: place for place, where in enumerate(map(tuple, rows_cols.tolist()))}

        def neighbours(centres: NDArray[np.int64], offsets: tuple[tuple[int, int], ...]) -> NDArray[np.int64]:
            return np.array(
                [[at.get((r + dr, c + dc), ABSENT_PLACE) for dr, dc in offsets] for r, c in centres.tolist()]
            )

        data = self.qubit_coords[:, 1:][:, turn]
        plane = (data.sum(axis=1) + (basis == "X")) % 2  # 0 where the check to the NW is primary
        data_qubit = np.lexsort((data[:, 1], data[:, 0], plane))
        around = tuple((dr, dc) for dr in (-1, 0, 1) for dc in (-1, 0, 1))
        return Frame(
            plane_sizes=(len(order),),
            data_plane_sizes=tuple(np.bincount(plane, minlength=2).tolist()),
            check_place={basis: place[:primary], other: place[primary:]},
            coords=rows_cols,
            place_kind=np.repeat([PRIMARY, SECONDARY], [primary, secondary])[order],
            kinds=2,
            data_qubit=data_qubit,
            convolutions={
                "direct": (SpaceRelations(neighbours(rows_cols, around), (-1, 0, 1), read="checks", out="checks"),)
            },
            to_data=SpaceRelations(neighbours(data[data_qubit], _DATA_OFFSETS), (0, 1), read="checks", out="data"),
        )


def _check_coords(d: int, basis: Basis) -> NDArray[np.int64]:
    """(row, col) of the checks of one basis, sorted: ``int64 [(d^2 - 1) / 2, 2]``."""
    row, col = np.divmod(np.arange((d + 1) ** 2), d + 1)
    is_x = (row + col) % 2 == 1
    # On the boundaries, X checks are left at the top and bottom, Z checks on the left and right.
    kept = is_x & (col > 0) & (col < d) if basis == "X" else ~is_x & (row > 0) & (row < d)
    return np.stack([row[kept], col[kept]], axis=1)


def _neighbours(d: int, coords: NDArray[np.int64]) -> NDArray[np.int64]:
    """Data qubit in each slot, -1 outside the lattice: ``int64 [checks, 4]``."""
    places = coords[:, None, :] + np.array(SLOT_OFFSETS)
    inside = np.all((places >= 0) & (places < d), axis=2)
    return np.where(inside, places[..., 0] * d + places[..., 1], -1)


_NAME = re.compile(r"surface_d([1-9][0-9]{0,3})")


def _find(name: str) -> CSSCode | None:
    found = _NAME.fullmatch(name)
    return RotatedSurfaceCode(int(found[1])) if found else None


FAMILY = Family(
    name="surface",
    title="Rotated surface codes",
    find=_find,
    names=tuple(f"surface_d{d}" for d in range(3, 23, 2)),
    expected="surface_d<odd>",
    recognised=tuple(f"surface_d{d}" for d in range(3, 43, 2)),
)
