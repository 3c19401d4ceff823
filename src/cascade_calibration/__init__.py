"""Calibration of qubits: what a measurement shows, and what to measure next.

import cascade_calibration as calibration

measurement = calibration.read("t1.nc")[0]
verdict = calibration.diagnose(measurement)
verdict.status, verdict.probability, verdict.parameters, verdict.suggested_range
"""

from cascade_calibration.analysis import Estimate, Range, Verdict, diagnose
from cascade_calibration.analysis import names as families
from cascade_calibration.devices import Device, read_device
from cascade_calibration.measurement import Measurement
from cascade_calibration.readers import read

__all__ = ["Device", "Estimate", "Measurement", "Range", "Verdict", "diagnose", "families", "read", "read_device"]
