"""Which sites a site attends to, and where they lie from it: all that attention knows of a code.

As with relations, a relative position names a weight: sites that lie alike from their readers share it.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cascade_qec.codes import Frame
from cascade_qec.errors import CascadeError
from cascade_qec.lattice.relations import convolution_tables, site_index

Attention = Literal["local_attention", "full_attention"]

UNSEEN = -1

_REACH = 2
"""Full attention tells steps of so many places or slices apart; longer ones count as that many (Shaw et al.,
arXiv 1803.02155), so that the weights fit any distance. Of BB codes some neighbours are farther away than that."""

_MOST_SITES = 4096
"""Attention has a score for each pair of sites, in every shot, head and block."""

_SIDE = 2 * _REACH + 1


def count_positions(frame: Frame, attention: Attention) -> int:
    """How many relative positions there are, at whatever distance and number of rounds."""
    planes = len(frame.plane_sizes)
    if attention == "local_attention":
        return planes * _neighbours(frame, 1)[1]
    return planes**2 * _SIDE**3


def relative_positions(frame: Frame, slices: int, attention: Attention) -> NDArray[np.int64]:
    """The relative position of every site as every site sees it: int64 [sites, sites seen], `UNSEEN` where it does not.

    Local attention sees what the direct convolution reads, and tells it apart as that does: by the reader's plane and
    the relation. Full attention sees everything, and tells it apart by both planes and the step in space and time.

    Raises
    ------
    CascadeError
        If there are more than 4096 sites.
    """
    sites = sum(frame.plane_sizes) * slices
    if sites > _MOST_SITES:
        raise CascadeError(f"expected an experiment of at most {_MOST_SITES:,} sites for attention, got {sites:,}")
    index = site_index(frame.plane_sizes, slices)
    time, place = np.empty((2, index.size), dtype=np.int64)
    time[index], place[index] = np.indices(index.shape)
    plane = np.repeat(np.arange(len(frame.plane_sizes)), frame.plane_sizes)[place]
    if attention == "local_attention":
        table, relations = _neighbours(frame, slices)
        positions = np.full((index.size, index.size), UNSEEN)
        site, relation = np.nonzero(table >= 0)
        positions[site, table[site, relation]] = plane[site] * relations + relation
        return positions
    in_time = (time - time[:, None])[..., None]
    steps = np.concatenate([in_time, frame.steps(place[:, None], place)], axis=2)
    steps = np.clip(steps, -_REACH, _REACH) + _REACH
    planes = plane[:, None] * len(frame.plane_sizes) + plane
    return planes * _SIDE**3 + steps @ np.array([_SIDE**2, _SIDE, 1])


def _neighbours(frame: Frame, slices: int) -> tuple[NDArray[np.int64], int]:
    (table,) = convolution_tables(frame, "direct", slices)
    return table.table, table.relations
