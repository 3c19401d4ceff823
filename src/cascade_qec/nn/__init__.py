"""The network and what it is told of a code."""

from cascade_qec.nn.calibration import UNCHECKED, Calibration, calibrated
from cascade_qec.nn.decision import Decision, together
from cascade_qec.nn.faults import Faults
from cascade_qec.nn.geometry import Geometry
from cascade_qec.nn.growth import deepened
from cascade_qec.nn.layers import collect_statistics
from cascade_qec.nn.local_head import LocalHead
from cascade_qec.nn.logical_head import LogicalHead
from cascade_qec.nn.model_file import ModelDescription, load_model, model_bytes, network_of, rebuilt
from cascade_qec.nn.network import CascadeNetwork
from cascade_qec.nn.questions import Questions
from cascade_qec.nn.settings import NetworkSettings
from cascade_qec.nn.unpacking import Unpacking

__all__ = [
    "UNCHECKED",
    "Calibration",
    "CascadeNetwork",
    "Decision",
    "Faults",
    "Geometry",
    "LocalHead",
    "LogicalHead",
    "ModelDescription",
    "NetworkSettings",
    "Questions",
    "Unpacking",
    "calibrated",
    "collect_statistics",
    "deepened",
    "load_model",
    "model_bytes",
    "network_of",
    "rebuilt",
    "together",
]
