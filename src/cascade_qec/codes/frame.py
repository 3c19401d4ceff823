"""The frame of an experiment: the code seen so that the measured basis always comes first.

A Z and an X memory experiment of one code are nearly the same decoding problem. The frame makes them the same to the
network: it puts the checks of the experiment's own basis ("primary": only they see the errors that flip its
observables) in the first kind and the other checks in the second, by a symmetry of the code. Each family says which.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cascade_qec.errors import CascadeError

PRIMARY, SECONDARY = 0, 1

ABSENT_PLACE = -1

Places = Literal["checks", "data"]


@dataclass(frozen=True, eq=False)
class SpaceRelations:
    """Which places read which, within a time slice and across neighbouring ones.

    Attributes
    ----------
    table : int64 [places of `out`, relations]
        The place of `read` that a place reads through each relation, -1 where there is none. Through one relation a
        place is read at most once, and all places of one plane lead to one plane.
    times : tuple of int
        Every relation is repeated for each of these offsets in time.
    read, out : {"checks", "data"}
        What is read, and what reads it.
    """

    table: NDArray[np.int64]
    times: tuple[int, ...]
    read: Places
    out: Places


@dataclass(frozen=True, eq=False)
class Frame:
    """Places of checks and data qubits of one code in one basis; a place and a time make a site.

    Attributes
    ----------
    plane_sizes, data_plane_sizes : tuple of int
        Number of check places, and of data places, in each plane; all places of a plane share weights.
    check_place : dict
        Basis -> int64 [checks]: the place of each check of that basis.
    coords : int64 [check places, coordinates]
        Where each check place is: a translation of the code adds the same to all. A plane has two coordinates, a torus
        as many as its group has generators.
    place_kind : int64 [check places]
        Index of the embedding that a check place uses; primary checks are even, secondary ones odd.
    kinds : int
        Number of kinds of check place over both bases of the family.
    data_qubit : int64 [data places]
        The data qubit at each place.
    convolutions : dict
        Name -> the steps of one convolution from checks to checks.
    to_data : SpaceRelations
        From checks to data qubits: a data qubit at slice t reads its checks at t and t + 1.
    reverse_time : bool
        Whether time runs backwards in this frame.
    period : tuple of int, or None
        After what steps `coords` come back to where they were; None on a plane.
    """

    plane_sizes: tuple[int, ...]
    data_plane_sizes: tuple[int, ...]
    check_place: Mapping[str, NDArray[np.int64]]
    coords: NDArray[np.int64]
    place_kind: NDArray[np.int64]
    kinds: int
    data_qubit: NDArray[np.int64]
    convolutions: Mapping[str, tuple[SpaceRelations, ...]]
    to_data: SpaceRelations
    reverse_time: bool = False
    period: tuple[int, ...] | None = None

    def steps(self, origin: NDArray[np.int64], to: NDArray[np.int64]) -> NDArray[np.int64]:
        """The step from one place to another, the shortest on a torus: int64 [..., coordinates] of places [...]."""
        step = self.coords[to] - self.coords[origin]
        if self.period is None:
            return step
        half = np.array(self.period) // 2
        return (step + half) % self.period - half

    def convolution(self, style: str) -> tuple[SpaceRelations, ...]:
        """The steps of the convolution of that name.

        Raises
        ------
        CascadeError
            If the family has no such convolution.
        """
        if style not in self.convolutions:
            raise CascadeError(f"expected convolution {' or '.join(map(repr, self.convolutions))}, got {style!r}")
        return self.convolutions[style]

    def planes(self, places: Places) -> tuple[int, ...]:
        """Number of places in each plane of checks or of data qubits."""
        return self.plane_sizes if places == "checks" else self.data_plane_sizes
