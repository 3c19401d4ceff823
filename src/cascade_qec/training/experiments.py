"""The memory experiments that are trained on: circuits, error models, and what a local head learns of them."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import stim

from cascade_qec import circuits, codes
from cascade_qec.codes import Basis
from cascade_qec.components import Components, ComponentType, UsualNoise
from cascade_qec.error_models import Mechanisms, error_model
from cascade_qec.lattice import memory_lattice
from cascade_qec.model import ModelDescription
from cascade_qec.training.random_noise import RandomNoise

_KEPT = 256
"""As many as a log-uniform draw of the rate over a decade has on its grid, for both bases."""


@lru_cache(maxsize=_KEPT)
def circuit(code: str, rounds: int, basis: Basis, noise_model: str, p: float) -> stim.Circuit:
    """A memory experiment under a noise model of some strength."""
    noise = circuits.noise_model(noise_model, p)
    return circuits.memory(codes.get(code), rounds=rounds, basis=basis, noise=noise)


@lru_cache(maxsize=_KEPT)
def noise(
    code: str, rounds: int, basis: Basis, noise_model: str, p: float, types: tuple[ComponentType, ...] | None = None
) -> tuple[stim.DetectorErrorModel, Components]:
    """The error model of that experiment, and its components, of these types or of whatever types there are."""
    model = error_model(circuit(code, rounds, basis, noise_model, p))
    return model, Components.of(Mechanisms.of(model), memory_lattice(codes.get(code), rounds, basis), types)


@lru_cache(maxsize=_KEPT)
def random_noise(
    code: str, rounds: int, basis: Basis, noise_model: str, p: float, types: tuple[ComponentType, ...] | None = None
) -> RandomNoise:
    """Error models like that of the experiment, for a network that is told of these types, or of whatever there are."""
    experiment = (code, rounds, basis, noise_model, p)
    return RandomNoise(noise(*experiment)[0], memory_lattice(codes.get(code), rounds, basis), types)


@lru_cache(maxsize=16)
def usual_noise(code: str, rounds: int, bases: tuple[Basis, ...], noise_model: str, p: float) -> list[UsualNoise]:
    """What types of component are on average in the experiments in some bases: theirs, and then all others."""
    found: dict[ComponentType, list[tuple[float, float]]] = {}
    for basis in bases:
        random = random_noise(code, rounds, basis, noise_model, p)
        for type, odds, share in random.priors.usual(random.mechanisms.probability):
            found.setdefault(type, []).append((odds, share))
    own = component_types(code, rounds, bases, noise_model, p)
    mean = {type: np.mean(of_bases, axis=0) for type, of_bases in found.items()}
    return [(type, *mean[type].tolist()) for type in (*own, *sorted(found.keys() - set(own)))]


@lru_cache(maxsize=16)
def component_types(
    code: str, rounds: int, bases: tuple[Basis, ...], noise_model: str, p: float
) -> list[ComponentType]:
    """The types of all components of the experiments in some bases, ascending."""
    return sorted({type for basis in bases for type in noise(code, rounds, basis, noise_model, p)[1].types})


def components(made: ModelDescription) -> list[Components]:
    """The components of a model's experiments at the noise of its training; none of a model without a local head."""
    if made.components is None:
        return []
    types = tuple(made.components)
    return [noise(made.code, made.rounds, basis, made.noise_model, made.noise_p, types)[1] for basis in made.bases]
