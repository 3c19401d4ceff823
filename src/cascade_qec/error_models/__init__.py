"""Detector error models: that of a circuit, any as arrays, and one without errors that are likelier than not."""

from cascade_qec.error_models.circuits import check_size, error_model, first_line, refused, unrolled
from cascade_qec.error_models.mechanisms import Mechanisms, random_words
from cascade_qec.error_models.unlikely import Flips, unlikely

__all__ = [
    "Flips",
    "Mechanisms",
    "check_size",
    "error_model",
    "first_line",
    "random_words",
    "refused",
    "unlikely",
    "unrolled",
]
