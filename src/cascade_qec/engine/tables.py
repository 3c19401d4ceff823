"""What inference is told of an experiment: which bit is which site, who reads whom, what the head is asked about."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cascade_qec.codes import Operators
from cascade_qec.codes.gf2 import Bits
from cascade_qec.components import Components
from cascade_qec.engine.decision import scale
from cascade_qec.engine.weights import Weights
from cascade_qec.lattice import (
    ABSENT,
    Lattice,
    RelationTable,
    convolution_tables,
    logical_operators,
    segments,
    site_index,
    sums_over_time,
)

_STATES = ABSENT + 1

Indices = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Table:
    """A relation table, as `cascade_qec.lattice.RelationTable` without what training needs.

    Attributes
    ----------
    read : int32 [sites_out, relations]
        The input site that is read, -1 for none.
    plane : int32 [sites_out]
        Whose weights an output site uses.
    """

    read: Indices
    plane: Indices

    @classmethod
    def of(cls, table: RelationTable) -> Table:
        plane = np.concatenate([np.full(span.stop - span.start, span.plane) for span in table.spans_out])
        return cls(_indices(table.table), _indices(plane))


@dataclass(frozen=True, eq=False)
class Tables:
    """What the trunk is told.

    The state of a site is ``(packed[byte] >> shift) & mask | fill``, and its row of the embedding `kind` further on.

    Attributes
    ----------
    bytes : int
        Of a packed shot.
    byte, kind : int32 [sites]
    shift, mask, fill : uint8 [sites]
    steps : tuple of Table
        One for each convolution of a block.
    """

    bytes: int
    byte: Indices
    shift: NDArray[np.uint8]
    mask: NDArray[np.uint8]
    fill: NDArray[np.uint8]
    kind: Indices
    steps: tuple[Table, ...]

    @classmethod
    def of(cls, lattice: Lattice, convolution: str) -> Tables:
        bit, fill = lattice.bits
        shown = np.maximum(bit, 0)
        return cls(
            bytes=-(-lattice.detectors // 8),
            byte=_indices(shown // 8),
            shift=(shown % 8).astype(np.uint8),
            mask=(bit >= 0).astype(np.uint8),
            fill=fill,
            kind=_indices(_STATES * lattice.site_kind),
            steps=tuple(Table.of(step) for step in convolution_tables(lattice.frame, convolution, lattice.slices)),
        )


@dataclass(frozen=True, eq=False)
class LogicalTables:
    """What a logical head is told.

    Of each segment it reads each check place's sums over the segment's slices and over the slices one later, where
    there are any: a data place reads its checks in its own slice and the next.

    Attributes
    ----------
    sites : int32 [places, slices]
        Of each check place.
    segments : int32 [segments, 2]
        First slice of each, and that behind its last.
    order : int32 [inputs]
        Which sum each input of the convolution is: ``2 * place`` over a segment's slices, one more over those later.
    to_data : Table
        From these inputs to data places.
    start, place : int32 [operators + 1], [entries]
        Operator o is the sum over data places ``place[start[o]:start[o + 1]]``.
    share : float
        By which those sums are multiplied.
    checks : int32 [checks, slices]
        The sites whose events, summed over time, tell a check's last value.
    members : uint8 [operators, checks]
        The checks in each operator.
    logicals : uint8 [operators, k]
        The code's observables in each operator.
    wanted : uint8 [decided, k]
        The code's observables in each one that is to be decided.
    scale : float
        What the evidence of an operator counts for in the decision.
    """

    sites: Indices
    segments: Indices
    order: Indices
    to_data: Table
    start: Indices
    place: Indices
    share: float
    checks: Indices
    members: Bits
    logicals: Bits
    wanted: Bits
    scale: float

    @classmethod
    def of(
        cls,
        lattice: Lattice,
        operators: Operators,
        wanted: Bits,
        slices: int | None = None,
        segment_rounds: int | None = None,
    ) -> LogicalTables:
        """Those of an experiment.

        Parameters
        ----------
        slices : int, optional
            By what sums over time are divided; by default the experiment's own.
        segment_rounds : int, optional
            Most rounds that are decided at a time; by default all of them.
        """
        asked = logical_operators(lattice.code, lattice.basis, operators)
        order, to_data = sums_over_time(lattice.frame)
        sums: list[NDArray[np.int64]] = []  # in the order (plane, all slices or later ones, place)
        first = 0
        for size in lattice.frame.plane_sizes:
            places = 2 * np.arange(first, first + size)
            sums += [places, places + 1]
            first += size
        weight = asked.support.sum(axis=1)
        return cls(
            sites=_indices(site_index(lattice.frame.plane_sizes, lattice.slices).T),
            segments=_indices(np.array(segments(lattice.rounds, segment_rounds))),
            order=_indices(np.concatenate(sums)[order]),
            to_data=Table.of(to_data),
            start=_indices(np.concatenate([[0], np.cumsum(weight)])),
            place=_indices(np.nonzero(asked.support)[1]),
            share=float(1 / ((slices or lattice.slices) * weight.max())),
            checks=_indices(lattice.check_sites(lattice.basis).T),
            members=np.ascontiguousarray(asked.checks, dtype=np.uint8),
            logicals=np.ascontiguousarray(asked.logicals, dtype=np.uint8),
            wanted=np.ascontiguousarray(wanted, dtype=np.uint8),
            scale=scale(*asked.logicals.shape),
        )

    def read(self, segment: int) -> tuple[Indices, int]:
        """The sites that a segment's sums read, int32 [places, slices], and how many of its slices are its own."""
        start, stop = self.segments[segment].tolist()
        return self.sites[:, start : stop + 1], stop - start


@dataclass(frozen=True, eq=False)
class LocalTables:
    """What a local head is told.

    Attributes
    ----------
    owner : int32 [components]
        The site whose features tell of a component.
    type : int32 [components]
        Which column of weights does; 0 for components of no known type, of which the head says nothing.
    """

    owner: Indices
    type: Indices

    @classmethod
    def of(cls, components: Components) -> LocalTables:
        return cls(_indices(components.owner), _indices(np.maximum(components.type, 0)))


def with_noise(weights: Weights, tables: Tables, noise: NDArray[np.float32]) -> tuple[Weights, Tables]:
    """Weights that are told of the noise as such that are not: their embedding has rows for every site.

    Parameters
    ----------
    noise : float32 [sites, told]
        See `cascade_qec.components.Priors`.
    """
    trunk = weights.trunk
    assert trunk.told is not None
    rows = trunk.embedding[tables.kind[:, None] + np.arange(_STATES)] + (noise @ trunk.told)[:, None]
    kind = _indices(_STATES * np.arange(len(rows)))
    trunk = replace(trunk, embedding=rows.reshape(-1, rows.shape[2]), told=None)
    return replace(weights, trunk=trunk), replace(tables, kind=kind)


def _indices(x: NDArray[np.integer]) -> Indices:
    return np.ascontiguousarray(x, dtype=np.int32)
