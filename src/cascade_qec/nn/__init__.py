"""The network and what it is told of a code."""

from cascade_qec.nn.geometry import Geometry
from cascade_qec.nn.growth import deepened
from cascade_qec.nn.layers import collect_statistics
from cascade_qec.nn.model_file import ModelDescription, load_model, model_bytes
from cascade_qec.nn.network import CascadeNetwork, NetworkSettings
from cascade_qec.nn.place_readout import PlaceReadout

__all__ = [
    "CascadeNetwork",
    "Geometry",
    "ModelDescription",
    "NetworkSettings",
    "PlaceReadout",
    "collect_statistics",
    "deepened",
    "load_model",
    "model_bytes",
]
