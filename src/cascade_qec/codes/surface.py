"""Surface codes: regions of one checkerboard of X and Z checks, laid out as in Stim's generated circuits."""

from __future__ import annotations

import re
from abc import abstractmethod
from copy import copy
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from cascade_qec import limits
from cascade_qec.codes.basis import BASES, Basis, opposite
from cascade_qec.codes.css import CSSCode, frozen
from cascade_qec.codes.family import Family, get
from cascade_qec.codes.frame import PRIMARY, SECONDARY, Frame, SpaceRelations
from cascade_qec.codes.places import distance, places_at
from cascade_qec.codes.schedule import Schedule
from cascade_qec.errors import CascadeError

# The order of the slots of a check, as (row, column) of the data qubit relative to the check: NE, NW, SE, SW.
SLOT_OFFSETS = ((-1, 0), (-1, -1), (0, 0), (0, -1))
_NE, _NW, _SE, _SW = range(4)

# Checks to the NE, NW, SE, SW of a data qubit, as offsets on the grid of plaquettes.
_DATA_OFFSETS = ((0, 1), (0, 0), (1, 1), (1, 0))


class SurfaceCode(CSSCode):
    """A region of the checkerboard.

    The check at (row, col) touches the data qubits (row-1 or row, col-1 or col) that the region has; it is of type X
    where row + col is odd. Checks are sorted by (row, col); their slots are NE, NW, SE, SW. Data qubits are in the
    order given. A family is a subclass with its region and its logical operators, parallel `lines`.

    Parameters
    ----------
    name, family, d
        As `CSSCode` has them.
    data : int64 [n, 2]
        (row, col) of each data qubit.
    checks : int64 [checks, 2]
        (row, col) of each check, of both types.
    """

    kinds = 2
    order: Schedule

    def __init__(self, *, name: str, family: str, d: int, data: NDArray[np.int64], checks: NDArray[np.int64]) -> None:
        checks = checks[np.lexsort((checks[:, 1], checks[:, 0]))]
        is_x = checks.sum(axis=1) % 2 == 1
        coords: dict[Basis, NDArray[np.int64]] = {"X": checks[is_x], "Z": checks[~is_x]}
        super().__init__(
            name=name,
            family=family,
            d=d,
            neighbours={basis: places_at(data, coords[basis], SLOT_OFFSETS) for basis in BASES},
            check_coords=coords,
            qubit_coords=np.column_stack([np.zeros_like(data[:, 0]), data]),
        )

    @property
    def schedule(self) -> Schedule:
        return self.order

    @abstractmethod
    def lines(self, basis: Basis) -> NDArray[np.uint8]:
        """Logical operators of least weight that are parallel lines, in order: uint8 [lines, n]."""

    @abstractmethod
    def _turned(self, coords: NDArray[np.int64], corner: int) -> NDArray[np.int64]:
        """Coordinates in the X frame, in which logical X lies as logical Z does in the Z frame.

        `corner` is 1 for checks and 0 for data qubits: a check is half a step up and to the left of its place.
        """

    def _find_logicals(self, basis: Basis) -> NDArray[np.uint8]:
        # The middle line: farthest from the boundaries, and left in place by the code's symmetries.
        lines = self.lines(basis)
        return lines[len(lines) // 2 :][:1]

    def _translated(self, basis: Basis) -> NDArray[np.uint8]:
        return self.lines(basis)

    def _frame(self, basis: Basis) -> Frame:
        """Sites on the grid of plaquettes, one plane for all.

        In the X frame the lattice is turned and X exchanged with Z. Under noise that treats X and Z alike the two
        problems are equal where the order of the CNOTs is turned along with the lattice, but for the boundary, whose
        checks may alternate the opposite way.
        """
        other, turned = opposite(basis), basis == "X"
        coords = {b: self._turned(self.check_coords(b), 1) if turned else self.check_coords(b) for b in BASES}
        data = self._turned(self.qubit_coords[:, 1:], 0) if turned else self.qubit_coords[:, 1:]
        primary, secondary = len(coords[basis]), len(coords[other])
        rows_cols = np.concatenate([coords[basis], coords[other]])
        order = np.lexsort((rows_cols[:, 1], rows_cols[:, 0]))
        place = np.empty(primary + secondary, dtype=np.int64)
        place[order] = np.arange(len(order))
        # Which checks are primary: those where row + col has the parity that the first one of all has, or the other.
        odd = (rows_cols[0].sum() + (primary == 0)) % 2
        rows_cols = rows_cols[order]
        plane = (data.sum(axis=1) + odd) % 2  # 0 where the check to the NW is primary
        data_qubit = np.lexsort((data[:, 1], data[:, 0], plane))
        around = tuple((dr, dc) for dr in (-1, 0, 1) for dc in (-1, 0, 1))
        return Frame(
            plane_sizes=(len(order),),
            data_plane_sizes=tuple(np.bincount(plane, minlength=2).tolist()),
            check_place={basis: place[:primary], other: place[primary:]},
            coords=rows_cols,
            place_kind=np.repeat([PRIMARY, SECONDARY], [primary, secondary])[order] + (self.kinds - 2) * turned,
            kinds=self.kinds,
            data_qubit=data_qubit,
            convolutions={
                "direct": (
                    SpaceRelations(places_at(rows_cols, rows_cols, around), (-1, 0, 1), read="checks", out="checks"),
                )
            },
            to_data=SpaceRelations(
                places_at(rows_cols, data[data_qubit], _DATA_OFFSETS), (0, 1), read="checks", out="data"
            ),
        )


class RotatedSurfaceCode(SurfaceCode):
    """Rotated surface code [[d^2, 1, d]], or [[dx dz, 1, min(dx, dz)]].

    Data qubit (row, col) has index row * dz + col. X checks of weight 2 lie on the top and bottom, Z checks of weight 2
    on the left and right, so that logical Z is a row of dz data qubits and logical X a column of dx.

    Parameters
    ----------
    d
        Distance: odd, from 3 to `limits.DISTANCE`; or dx, any number up to that, if dz is given.
    dz
        Weight of logical Z where it is another than that of logical X.

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

    # A fault halfway through a check spreads to its last two neighbours. X checks end on two in a row, across the
    # vertical logical X, and Z checks on two in a column, across the horizontal logical Z, so that the distance is not
    # halved. It is the order of Stim's generated circuits.
    order = Schedule(x=(_SE, _SW, _NE, _NW), z=(_SE, _NE, _SW, _NW))

    def __init__(self, d: int, dz: int | None = None) -> None:
        if dz is None and ((d := distance(d)) < 3 or d % 2 == 0):
            raise CascadeError(f"expected an odd distance of at least 3 for a rotated surface code, got {d}")
        dx, dz = _sizes(d, dz)
        row, col = np.indices((dx + 1, dz + 1)).reshape(2, -1)
        is_x = (row + col) % 2 == 1
        # On the boundaries, X checks are left at the top and bottom, Z checks on the left and right.
        kept = np.where(is_x, (col > 0) & (col < dz), (row > 0) & (row < dx))
        self.shape = dx, dz
        super().__init__(
            name=_rotated_name(dx, dz),
            family="surface",
            d=min(dx, dz),
            data=np.indices(self.shape).reshape(2, -1).T,
            checks=np.stack([row, col], axis=1)[kept],
        )

    def lines(self, basis: Basis) -> NDArray[np.uint8]:
        axis = 0 if basis == "Z" else 1
        at = self.qubit_coords[:, 1 + axis]
        return (at == np.arange(self.shape[axis])[:, None]).astype(np.uint8)

    @property
    def variants(self) -> tuple[CSSCode, ...]:
        mirrored = copy(self)
        # Circuits go through the slots with east and west exchanged.
        mirrored._neighbours = {b: frozen(self.neighbours(b)[:, [_NW, _NE, _SW, _SE]], np.int64) for b in BASES}
        return (self, mirrored)

    def detector_coords(self, basis: Basis) -> NDArray[np.int64]:
        """(x, y) in the steps of Stim's generated circuits: twice the column, twice the row."""
        return 2 * self.check_coords(basis)[:, ::-1]

    @property
    def qubit_positions(self) -> NDArray[np.floating]:
        return 2.0 * self.qubit_coords[:, :0:-1] + 1

    def _turned(self, coords: NDArray[np.int64], corner: int) -> NDArray[np.int64]:
        # The transpose. The order of the CNOTs is its own transpose.
        return coords[:, ::-1]


class UnrotatedSurfaceCode(SurfaceCode):
    """Unrotated surface code [[dx dz + (dx - 1) (dz - 1), 1, min(dx, dz)]].

    On a grid of (2 dx - 1) x (2 dz - 1) places, data qubits are where y + x is even, X checks where only x is odd, Z
    checks where only y is odd; logical Z is a row of dz data qubits, logical X a column of dx. By an eighth of a turn
    the grid becomes the checkerboard: row (y + x) / 2 and column (x - y) / 2, from the leftmost one on.

    Parameters
    ----------
    dx
        Weight of logical X, up to `limits.DISTANCE`.
    dz
        Weight of logical Z; that of logical X by default.

    Raises
    ------
    CascadeError
        If one is no such number.

    Examples
    --------
    >>> code = UnrotatedSurfaceCode(3)
    >>> code.n, code.k, code.d, code.hx.shape
    (13, 1, 3, (6, 13))
    """

    d: int
    kinds = 4  # the order of the CNOTs is not turned along with the lattice

    # East, south, north, west: the order of Stim's generated circuits.
    order = Schedule(x=(_SE, _SW, _NE, _NW), z=(_SE, _SW, _NE, _NW))

    def __init__(self, dx: int, dz: int | None = None) -> None:
        dx, dz = _sizes(dx, dz)
        self._lay(dx, dz, _unrotated_name(dx, dz), "unrotated", min(dx, dz))

    def _lay(self, dx: int, dz: int, name: str, family: str, d: int) -> None:
        self._first = dx - dx % 2 + 1  # column of x = y, odd: so X checks are where row + col is
        yx = np.indices((2 * dx - 1, 2 * dz - 1)).reshape(2, -1).T
        is_data = yx.sum(axis=1) % 2 == 0
        super().__init__(
            name=name, family=family, d=d, data=self._tilted(yx[is_data], 0), checks=self._tilted(yx[~is_data], 1)
        )

    def _tilted(self, yx: NDArray[np.int64], corner: int) -> NDArray[np.int64]:
        y, x = yx.T
        return np.stack([(y + x + corner) // 2, (x - y + corner) // 2 + self._first], axis=1)

    def _upright(self, coords: NDArray[np.int64], corner: int) -> NDArray[np.int64]:
        """(x, y) on the grid."""
        row, col = coords[:, 0], coords[:, 1] - self._first
        return np.stack([row + col - corner, row - col], axis=1)

    def lines(self, basis: Basis) -> NDArray[np.uint8]:
        across = self._upright(self.qubit_coords[:, 1:], 0)[:, 1 if basis == "Z" else 0]
        return (across == np.arange(0, across.max() + 1, 2)[:, None]).astype(np.uint8)

    def detector_coords(self, basis: Basis) -> NDArray[np.int64]:
        """(x, y) on the grid, as in Stim's generated circuits."""
        return self._upright(self.check_coords(basis), 1)

    @property
    def qubit_positions(self) -> NDArray[np.floating]:
        return self._upright(self.qubit_coords[:, 1:], 0).astype(np.float64)

    def _turned(self, coords: NDArray[np.int64], corner: int) -> NDArray[np.int64]:
        # The transpose of the grid.
        return self._tilted(self._upright(coords, corner), corner)


class RepetitionCode(UnrotatedSurfaceCode):
    """Repetition code of d data qubits in a line, with d - 1 Z checks of two: it corrects bit flips alone.

    Its distance is that of experiments in the Z basis; logical Z has weight 1, logical X weight d.

    Parameters
    ----------
    d
        Up to `limits.DISTANCE`.

    Examples
    --------
    >>> code = RepetitionCode(5)
    >>> code.n, code.k, code.hx.shape, code.hz.shape
    (5, 1, (0, 5), (4, 5))
    """

    order = Schedule(x=(_NE, _SW), z=(_NE, _SW))

    def __init__(self, d: int) -> None:
        d, _ = _sizes(d, None)
        self._lay(d, 1, f"repetition_d{d}", "repetition", d)

    def detector_coords(self, basis: Basis) -> NDArray[np.int64]:
        """(x, 0), as in Stim's generated circuits."""
        return super().detector_coords(basis)[:, ::-1]

    @property
    def qubit_positions(self) -> NDArray[np.floating]:
        return super().qubit_positions[:, ::-1]


def _sizes(dx: int, dz: int | None) -> tuple[int, int]:
    sizes = distance(dx), distance(dx if dz is None else dz)
    if min(sizes) < 2:
        raise CascadeError(f"expected a distance of at least 2, got {min(sizes)}")
    return sizes


_SIZE = "([1-9][0-9]{0,3})"


def _rotated(name: str) -> CSSCode | None:
    if found := re.fullmatch(f"surface_d{_SIZE}", name):
        return RotatedSurfaceCode(int(found[1]))
    if found := re.fullmatch(f"surface_{_SIZE}x{_SIZE}", name):
        dx, dz = int(found[1]), int(found[2])
        return get(f"surface_d{dx}") if dx == dz and dx % 2 else RotatedSurfaceCode(dx, dz)
    return None


def _unrotated(name: str) -> CSSCode | None:
    if found := re.fullmatch(f"unrotated_d{_SIZE}", name):
        return UnrotatedSurfaceCode(int(found[1]))
    found = re.fullmatch(f"unrotated_{_SIZE}x{_SIZE}", name)
    return UnrotatedSurfaceCode(int(found[1]), int(found[2])) if found else None


def _repetition(name: str) -> CSSCode | None:
    found = re.fullmatch(f"repetition_d{_SIZE}", name)
    return RepetitionCode(int(found[1])) if found else None


def _divisors(n: int, most: int = limits.DISTANCE) -> list[tuple[int, int]]:
    """Pairs of numbers from 2 to the most whose product is n, those that differ least first."""
    pairs = [(a, n // a) for a in range(2, most + 1) if n % a == 0 and 2 <= n // a <= most]
    return sorted(pairs, key=lambda pair: abs(pair[0] - pair[1]))


def _rotated_name(dx: int, dz: int) -> str:
    return f"surface_d{dx}" if dx == dz and dx % 2 else f"surface_{dx}x{dz}"


def _unrotated_name(dx: int, dz: int) -> str:
    return f"unrotated_d{dx}" if dx == dz else f"unrotated_{dx}x{dz}"


def _rotated_of(n: int) -> list[str]:
    return [_rotated_name(*sizes) for sizes in _divisors(n)]


def _unrotated_of(n: int) -> list[str]:
    # n = dx dz + (dx - 1) (dz - 1), and so 2 n - 1 = (2 dx - 1) (2 dz - 1).
    sizes = [
        (dx, (2 * n - 1) // (2 * dx - 1)) for dx in range(2, limits.DISTANCE + 1) if (2 * n - 1) % (2 * dx - 1) == 0
    ]
    return [
        f"unrotated_d{dx}" if width == 2 * dx - 1 else f"unrotated_{dx}x{(width + 1) // 2}"
        for dx, width in sizes
        if 3 <= width < 2 * limits.DISTANCE
    ]


FAMILIES = (
    Family(
        name="surface",
        title="Rotated surface codes",
        find=_rotated,
        names=tuple(f"surface_d{d}" for d in range(3, 23, 2)),
        expected="surface_d<odd> or surface_<dx>x<dz>",
        recognised=tuple(_rotated_name(d, d) for d in range(3, 42)),
        sized=_rotated_of,
        rectangles={
            f"surface_{dx}x{dz}": (-(-(dx + 1) * (dz - 1) // 2), (dx - 1) * (dz + 1) // 2)
            for dx, dz in permutations(range(3, 22), 2)
        },
    ),
    Family(
        name="unrotated",
        title="Unrotated surface codes",
        find=_unrotated,
        names=tuple(f"unrotated_d{d}" for d in range(3, 10)),
        expected="unrotated_d<d> or unrotated_<dx>x<dz>",
        recognised=tuple(f"unrotated_d{d}" for d in range(3, 22)),
        sized=_unrotated_of,
        rectangles={f"unrotated_{dx}x{dz}": (dx * (dz - 1), (dx - 1) * dz) for dx, dz in permutations(range(3, 22), 2)},
    ),
    Family(
        name="repetition",
        title="Repetition codes",
        find=_repetition,
        names=tuple(f"repetition_d{d}" for d in range(3, 12, 2)),
        expected="repetition_d<d>",
        recognised=tuple(f"repetition_d{d}" for d in range(3, 42)),
        sized=lambda n: [f"repetition_d{n}"] if 2 <= n <= limits.DISTANCE else [],
    ),
)
