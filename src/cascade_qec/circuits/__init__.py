"""From a code to a noisy memory experiment in Stim."""

from cascade_qec.circuits.distance import best_order, circuit_distance
from cascade_qec.circuits.memory import memory
from cascade_qec.circuits.noise import SI1000, DataDepolarizing, NoiseModel, UniformDepolarizing, noise_model
from cascade_qec.circuits.scattering import scattered

__all__ = [
    "SI1000",
    "DataDepolarizing",
    "NoiseModel",
    "UniformDepolarizing",
    "best_order",
    "circuit_distance",
    "memory",
    "noise_model",
    "scattered",
]
