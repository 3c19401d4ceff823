"""Decoders measured: failure rates with intervals, and comparisons on the same shots."""

from cascade_qec.evaluation.comparison import Comparison, Experiment, compare
from cascade_qec.evaluation.tables import Row

__all__ = ["Comparison", "Experiment", "Row", "compare"]
