"""The network and what it is told of a code."""

from cascade_qec.nn.building import load_network, network_of, rebuilt, state_of
from cascade_qec.nn.faults import Faults
from cascade_qec.nn.geometry import Geometry
from cascade_qec.nn.growth import deepened
from cascade_qec.nn.layers import collect_statistics
from cascade_qec.nn.local_head import LocalHead
from cascade_qec.nn.logical_head import LogicalHead
from cascade_qec.nn.network import CascadeNetwork
from cascade_qec.nn.program import TorchProgram
from cascade_qec.nn.questions import Questions
from cascade_qec.nn.unpacking import Unpacking

__all__ = [
    "CascadeNetwork",
    "Faults",
    "Geometry",
    "LocalHead",
    "LogicalHead",
    "Questions",
    "TorchProgram",
    "Unpacking",
    "collect_statistics",
    "deepened",
    "load_network",
    "network_of",
    "rebuilt",
    "state_of",
]
