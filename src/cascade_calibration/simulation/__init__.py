"""Simulated measurements of every family, and of every way in which they fail: the analysers' test bench."""

from cascade_calibration.simulation.draw import Draw, Simulator, get

__all__ = ["Draw", "Simulator", "get"]
