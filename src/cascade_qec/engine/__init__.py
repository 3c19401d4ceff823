"""Models folded for inference: weights and tables as plain arrays, and what runs them."""

from cascade_qec.engine.reference import NumPyProgram
from cascade_qec.engine.tables import LocalTables, LogicalTables, Table, Tables
from cascade_qec.engine.weights import Block, Convolution, LocalHead, LogicalHead, Trunk, Weights, folded

__all__ = ["Block", "Convolution", "LocalHead", "LocalTables", "LogicalHead", "LogicalTables", "NumPyProgram", "Table", "Tables", "Trunk", "Weights", "folded"]
