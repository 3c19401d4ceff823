"""Pretrained models: weights (safetensors) with a card each, from the package or from elsewhere."""

from cascade_qec.zoo.card import Card, Measurement, RivalMeasurement, ZeroSyndrome
from cascade_qec.zoo.registry import card, models_of, names, path, pull, sources

__all__ = [
    "Card",
    "Measurement",
    "RivalMeasurement",
    "ZeroSyndrome",
    "card",
    "models_of",
    "names",
    "path",
    "pull",
    "sources",
]
