"""Figures from result tables."""

from cascade_qec.plotting.rates import block_error_figure, save

__all__ = ["block_error_figure", "save"]
