"""Kernels of cascade-qec for CPUs."""

from cascade_qec_native._native import (
    OrderedStatistics,
    Program,
    TrainingConvolution,
    TrainingTrunk,
    instruction_sets,
    lanes,
)

__all__ = ["OrderedStatistics", "Program", "TrainingConvolution", "TrainingTrunk", "instruction_sets", "lanes"]
