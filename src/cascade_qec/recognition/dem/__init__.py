"""Which check, and when, each detector of an error model is, by what the model alone says."""

from cascade_qec.recognition.dem.skeletons import dem_skeletons

__all__ = ["dem_skeletons"]
