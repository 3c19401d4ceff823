"""A page on this machine: a person sees what a workflow measures and finds, and decides on its steps."""

from cascade_calibration.page.desk import Desk
from cascade_calibration.page.server import application, serve

__all__ = ["Desk", "application", "serve"]
