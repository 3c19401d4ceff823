"""Kernels of cascade-qec for CPUs."""

from cascade_qec_native._native import Program, instruction_sets

__all__ = ["Program", "instruction_sets"]
