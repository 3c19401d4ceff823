"""Where every detector sits, and which sites read which: all that the network knows of a code."""

from cascade_qec.lattice.lattice import ABSENT, End, Lattice, memory_lattice, memory_lattices
from cascade_qec.lattice.operators import LogicalOperators, logical_operators
from cascade_qec.lattice.positions import UNSEEN, Attention, count_positions, relative_positions
from cascade_qec.lattice.relations import (
    RelationTable,
    Span,
    concatenate,
    convolution_tables,
    data_relations,
    segments,
    site_index,
    sums_over_time,
)

__all__ = [
    "ABSENT",
    "UNSEEN",
    "Attention",
    "End",
    "Lattice",
    "LogicalOperators",
    "RelationTable",
    "Span",
    "concatenate",
    "convolution_tables",
    "count_positions",
    "data_relations",
    "logical_operators",
    "memory_lattice",
    "memory_lattices",
    "relative_positions",
    "segments",
    "site_index",
    "sums_over_time",
]
