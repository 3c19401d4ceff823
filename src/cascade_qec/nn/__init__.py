"""The network and what it is told of a code."""

from cascade_qec.nn.decision import Decision, together
from cascade_qec.nn.geometry import Geometry
from cascade_qec.nn.growth import deepened
from cascade_qec.nn.layers import collect_statistics
from cascade_qec.nn.model_file import ModelDescription, load_model, model_bytes, rebuilt
from cascade_qec.nn.network import CascadeNetwork
from cascade_qec.nn.questions import Questions
from cascade_qec.nn.settings import NetworkSettings
from cascade_qec.nn.unpacking import Unpacking

__all__ = [
    "CascadeNetwork",
    "Decision",
    "Geometry",
    "ModelDescription",
    "NetworkSettings",
    "Questions",
    "Unpacking",
    "collect_statistics",
    "deepened",
    "load_model",
    "model_bytes",
    "rebuilt",
    "together",
]
