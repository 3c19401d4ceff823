"""Decoders measured: failure rates with intervals, and comparisons on the same shots."""

from cascade_qec.evaluation.comparison import (
    Contender,
    Experiment,
    Predictor,
    cascade_contender,
    classical_contender,
    compare,
)
from cascade_qec.evaluation.tables import Row

__all__ = [
    "Contender",
    "Experiment",
    "Predictor",
    "Row",
    "cascade_contender",
    "classical_contender",
    "compare",
]
