"""Trained models as data: their files, and what those say."""

from cascade_qec.model.calibration import UNCHECKED, Calibration, calibrated
from cascade_qec.model.description import ModelDescription
from cascade_qec.model.file import State, check, load_model, model_bytes
from cascade_qec.model.settings import HEAD_CHANNELS, Mixer, NetworkSettings

__all__ = [
    "HEAD_CHANNELS",
    "UNCHECKED",
    "Calibration",
    "Mixer",
    "ModelDescription",
    "NetworkSettings",
    "State",
    "calibrated",
    "check",
    "load_model",
    "model_bytes",
]
