"""Models folded for inference: weights and tables as plain arrays, and what runs them."""

from cascade_qec.engine.compiled import NativeProgram
from cascade_qec.engine.decision import MOST_EXACT, Decided, Decision, together, votes
from cascade_qec.engine.program import Program
from cascade_qec.engine.reference import NumPyProgram, silence, with_silence
from cascade_qec.engine.tables import LocalTables, LogicalTables, Table, Tables, with_noise
from cascade_qec.engine.weights import EPSILON, Block, Convolution, LocalHead, LogicalHead, Trunk, Weights, folded

__all__ = [
    "EPSILON",
    "MOST_EXACT",
    "Block",
    "Convolution",
    "Decided",
    "Decision",
    "LocalHead",
    "LocalTables",
    "LogicalHead",
    "LogicalTables",
    "NativeProgram",
    "NumPyProgram",
    "Program",
    "Table",
    "Tables",
    "Trunk",
    "Weights",
    "folded",
    "silence",
    "together",
    "votes",
    "with_noise",
    "with_silence",
]
