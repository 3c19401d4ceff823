"""Figures from result tables."""

from cascade_qec.plotting.catalogue import FIGURES, draw
from cascade_qec.plotting.rates import block_error_figure
from cascade_qec.plotting.saving import check_writable, save
from cascade_qec.plotting.selection import Selection

__all__ = ["FIGURES", "Selection", "block_error_figure", "check_writable", "draw", "save"]
