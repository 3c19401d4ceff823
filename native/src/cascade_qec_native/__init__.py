"""Kernels of cascade-qec for CPUs."""

from cascade_qec_native._native import (
    BeliefPropagation,
    Matching,
    OrderedStatistics,
    Program,
    TrainingConvolution,
    TrainingConvolutionBfloat16,
    TrainingTrunk,
    TrainingTrunkBfloat16,
    has_bfloat16,
    has_int8,
    instruction_sets,
    lanes,
)

__all__ = [
    "BeliefPropagation",
    "Matching",
    "OrderedStatistics",
    "Program",
    "TrainingConvolution",
    "TrainingConvolutionBfloat16",
    "TrainingTrunk",
    "TrainingTrunkBfloat16",
    "has_bfloat16",
    "has_int8",
    "instruction_sets",
    "lanes",
]
