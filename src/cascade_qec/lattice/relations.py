"""Relation tables: which site reads which neighbour, at which offset.

A lattice convolution is a table and nothing else: the network and the kernels know no code.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from cascade_qec.codes import Frame, SpaceRelations

ABSENT_SITE = -1


@dataclass(frozen=True)
class Span:
    """A run of consecutive sites that share a plane, and so share weights."""

    start: int
    stop: int
    plane: int


@dataclass(frozen=True, eq=False)
class RelationTable:
    """The table of one lattice convolution ``y[s] = sum_r W[plane(s), r] x[table[s, r]]``.

    Attributes
    ----------
    table : int64 [sites_out, relations]
        The input site that an output site reads through a relation, -1 where there is none.
        Through one relation an input site is read by at most one output site.
    spans_in, spans_out : sequences of `Span`
        Runs of input and of output sites by plane; together they cover all sites in order.
    """

    table: np.ndarray
    spans_in: tuple[Span, ...]
    spans_out: tuple[Span, ...]

    @property
    def relations(self) -> int:
        return self.table.shape[1]

    @property
    def sites_in(self) -> int:
        return self.spans_in[-1].stop

    @property
    def sites_out(self) -> int:
        return self.spans_out[-1].stop

    @property
    def planes_out(self) -> int:
        return 1 + max(span.plane for span in self.spans_out)

    @cached_property
    def inverse(self) -> np.ndarray:
        """The output site that reads an input site through a relation: int64 [sites_in, relations], -1 if none."""
        inverse = np.full((self.sites_in, self.relations), ABSENT_SITE, dtype=np.int64)
        for r in range(self.relations):
            readers = np.flatnonzero(self.table[:, r] >= 0)
            read = self.table[readers, r]
            if len(np.unique(read)) != len(read):
                raise AssertionError(f"relation {r} reads an input site twice")
            inverse[read, r] = readers
        return inverse

    @cached_property
    def reader_planes(self) -> np.ndarray:
        """Plane of the sites that read an input plane through a relation: int64 [planes_in, relations].

        The backward pass multiplies by the reader's weights, so a relation must lead from one input
        plane to one output plane only; 0 where nobody reads.
        """
        plane_out = np.concatenate([np.full(s.stop - s.start, s.plane) for s in self.spans_out])
        planes_in = 1 + max(span.plane for span in self.spans_in)
        readers = np.zeros((planes_in, self.relations), dtype=np.int64)
        for plane in range(planes_in):
            sites = np.concatenate([np.arange(s.start, s.stop) for s in self.spans_in if s.plane == plane])
            for r in range(self.relations):
                reading = self.inverse[sites, r]
                found = np.unique(plane_out[reading[reading >= 0]])
                if len(found) > 1:
                    raise AssertionError(f"relation {r} leads from plane {plane} to planes {found.tolist()}")
                if len(found) == 1:
                    readers[plane, r] = found[0]
        return readers


def concatenate(tables: Sequence[RelationTable]) -> RelationTable:
    """Several lattices side by side as one table, their sites one after the other."""
    rows, spans_in, spans_out = [], [], []
    offset_in = offset_out = 0
    for part in tables:
        rows.append(np.where(part.table >= 0, part.table + offset_in, ABSENT_SITE))
        spans_in += [Span(s.start + offset_in, s.stop + offset_in, s.plane) for s in part.spans_in]
        spans_out += [Span(s.start + offset_out, s.stop + offset_out, s.plane) for s in part.spans_out]
        offset_in += part.sites_in
        offset_out += part.sites_out
    return RelationTable(np.concatenate(rows), tuple(spans_in), tuple(spans_out))


def convolution_tables(frame: Frame, style: str, slices: int) -> list[RelationTable]:
    """The steps of one convolution from checks to checks.

    Raises
    ------
    CascadeError
        If the frame has no convolution of that style.
    """
    return [_of_frame(step, frame, slices) for step in frame.convolution(style)]


def data_relations(frame: Frame, slices: int) -> RelationTable:
    """From checks to data qubits: a data qubit at slice t reads its checks at t and t + 1."""
    return _of_frame(frame.to_data, frame, slices)


def sums_over_time(frame: Frame) -> tuple[NDArray[np.int64], RelationTable]:
    """How data places read the sums over time of check places: all slices, and all but the first.

    Returns
    -------
    order : int64 [2 * check places]
        From rows in the order (plane, all slices or all nexts, place) to rows sorted by plane and kind of check: in a
        plane of both kinds one relation leads to several planes of data places, from checks of one kind to one of them.
    table : RelationTable
        From the sorted rows to data places.
    """
    both = data_relations(frame, 2)
    kind, plane = np.empty((2, both.sites_in), dtype=np.int64)
    kind[site_index(frame.plane_sizes, 2)] = frame.place_kind % 2
    for span in both.spans_in:
        plane[span.start : span.stop] = span.plane
    _, group, sizes = np.unique(2 * plane + kind, return_inverse=True, return_counts=True)
    order = np.argsort(group, kind="stable")
    row = np.append(np.argsort(order), ABSENT_SITE)  # the last one is that of absent neighbours
    table, spans_out, start = [], [], 0
    for span in both.spans_out:
        size = (span.stop - span.start) // 2
        table.append(row[both.table[span.start : span.start + size]])  # the first of two slices reads both
        spans_out.append(Span(start, start + size, span.plane))
        start += size
    ends = np.cumsum([0, *sizes]).tolist()
    spans_in = tuple(Span(*span, number) for number, span in enumerate(pairwise(ends)))
    return order, RelationTable(np.concatenate(table), spans_in, tuple(spans_out))


def segments(rounds: int, most: int | None) -> list[tuple[int, int]]:
    """First slice, and the one behind the last, of nearly equal parts, as many as `most` rounds each take."""
    parts = 1 if most is None else -(-rounds // most)
    ends = [round((rounds + 1) * part / parts) for part in range(parts + 1)]
    return list(pairwise(ends))


def _of_frame(space: SpaceRelations, frame: Frame, slices: int) -> RelationTable:
    return in_spacetime(space, slices=slices, planes_in=frame.planes(space.read), planes_out=frame.planes(space.out))


def in_spacetime(
    space: SpaceRelations, *, slices: int, planes_in: Sequence[int], planes_out: Sequence[int]
) -> RelationTable:
    """Extend relations in space to space and time; slices outside 0..slices-1 are absent.

    Parameters
    ----------
    space : SpaceRelations
    slices : int
        Number of time slices of input and output alike.
    planes_in, planes_out : sequences of int
        Number of places in each plane.

    Returns
    -------
    RelationTable
        Over sites in the order (plane, time, place in plane), relations in the order (offset, relation).
    """
    site_in, spans_in = _sites(planes_in, slices)
    site_out, spans_out = _sites(planes_out, slices)
    relations = space.table.shape[1]
    table = np.full((site_out.size, len(space.times) * relations), ABSENT_SITE, dtype=np.int64)
    times = np.arange(slices)
    for o, offset in enumerate(space.times):
        inside = times[(times + offset >= 0) & (times + offset < slices)]
        read = np.where(space.table >= 0, site_in[inside + offset][:, space.table], ABSENT_SITE)
        table[site_out[inside], o * relations : (o + 1) * relations] = read
    return RelationTable(table, spans_in, spans_out)


def site_index(plane_sizes: Sequence[int], slices: int) -> np.ndarray:
    """Site of each (time, place): int64 [slices, places], sites in the order (plane, time, place in plane)."""
    return _sites(plane_sizes, slices)[0]


def _sites(plane_sizes: Sequence[int], slices: int) -> tuple[np.ndarray, tuple[Span, ...]]:
    blocks, spans, start = [], [], 0
    for plane, size in enumerate(plane_sizes):
        stop = start + size * slices
        blocks.append(np.arange(start, stop).reshape(slices, size))
        spans.append(Span(start, stop, plane))
        start = stop
    return np.concatenate(blocks, axis=1), tuple(spans)
