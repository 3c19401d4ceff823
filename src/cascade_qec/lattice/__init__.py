"""Where every detector sits, and which sites read which: all that the network knows of a code."""

from cascade_qec.lattice.frames import Frame, frame_of
from cascade_qec.lattice.lattice import ABSENT, Lattice, memory_lattice
from cascade_qec.lattice.readout import Operators, Readout, logical_classes, readout
from cascade_qec.lattice.relations import RelationTable, Span, concatenate

__all__ = [
    "ABSENT",
    "Frame",
    "Lattice",
    "Operators",
    "Readout",
    "RelationTable",
    "Span",
    "concatenate",
    "frame_of",
    "logical_classes",
    "memory_lattice",
    "readout",
]
