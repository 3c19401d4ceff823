"""Decoders measured: failure rates with intervals, and comparisons on the same shots."""

from cascade_qec.evaluation.comparison import (
    Contender,
    Experiment,
    Predictor,
    cascade_contender,
    classical_contender,
    compare,
)
from cascade_qec.evaluation.rates import CONVENTION, Rate, block_error, failures, per_logical_per_cycle
from cascade_qec.evaluation.tables import Row, read_csv, write_csv, write_json

__all__ = [
    "CONVENTION",
    "Contender",
    "Experiment",
    "Predictor",
    "Rate",
    "Row",
    "block_error",
    "cascade_contender",
    "classical_contender",
    "compare",
    "failures",
    "per_logical_per_cycle",
    "read_csv",
    "write_csv",
    "write_json",
]
