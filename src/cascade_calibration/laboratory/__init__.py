"""Laboratories: what may be asked of hardware, one guarded door to it, and a simulated one."""

from cascade_calibration.laboratory.guard import Guarded
from cascade_calibration.laboratory.opening import open_laboratory
from cascade_calibration.laboratory.parameters import Experiment, Parameter, sweep
from cascade_calibration.laboratory.protocol import Laboratory
from cascade_calibration.laboratory.simulated import BROKEN, SimulatedLaboratory
from cascade_calibration.quantities import Quantity

__all__ = [
    "BROKEN",
    "Experiment",
    "Guarded",
    "Laboratory",
    "Parameter",
    "Quantity",
    "SimulatedLaboratory",
    "open_laboratory",
    "sweep",
]
