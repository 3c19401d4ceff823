"""Pretrained models that come with the package: weights (safetensors) with a card each."""

from cascade_qec.zoo.card import Card, Measurement, RivalMeasurement, ZeroSyndrome
from cascade_qec.zoo.registry import card, names, path

__all__ = ["Card", "Measurement", "RivalMeasurement", "ZeroSyndrome", "card", "names", "path"]
