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

INTERFACE = 2
"""Of what `cascade_qec` calls here; raised with it, so that packages that do not fit are told apart."""

__all__ = [
    "INTERFACE",
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
