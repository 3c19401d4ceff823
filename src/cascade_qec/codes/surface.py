"""The rotated surface code, laid out as in Stim's generated circuits."""

from __future__ import annotations

from operator import index

import numpy as np
from numpy.typing import NDArray

from cascade_qec.codes.css import BASES, Basis, CSSCode
from cascade_qec.errors import CascadeError

# The order of the slots of a check, as (row, column) of the data qubit relative to the check: NE, NW, SE, SW.
SLOT_OFFSETS = ((-1, 0), (-1, -1), (0, 0), (0, -1))


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
        Distance: odd, 3 or more.

    Raises
    ------
    CascadeError
        If d is not an odd integer of at least 3.
    """

    d: int

    def __init__(self, d: int) -> None:
        try:
            d = index(d)
        except TypeError as error:
            raise CascadeError(f"expected the distance as an integer, got {d!r}") from error
        if d < 3 or d % 2 == 0:
            raise CascadeError(f"expected an odd distance of at least 3 for a rotated surface code, got {d}")
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
