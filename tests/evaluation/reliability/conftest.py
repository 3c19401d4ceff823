"""A surface code small enough to try all sets of errors on."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
import stim

from cascade_qec import circuits, codes
from cascade_qec.decoders.projection import basis_detectors, mechanisms, project


@dataclass(frozen=True)
class Classes:
    """Both logical classes of every syndrome of a model with one observable, on some of its detectors.

    Attributes
    ----------
    kept : int64 [kept]
        Those detectors; syndrome number s has event ``s >> i & 1`` on detector ``kept[i]``.
    syndromes : bool [2^kept, detectors of the whole model]
        Without events on the other detectors.
    weights : float64 [2^kept, 2]
        Least sum of ln((1 - p) / p) of a set of errors that leaves the observable alone, and that flips it.
    probabilities : float64 [2^kept, 2]
        Of syndrome and class together.
    """

    kept: np.ndarray
    syndromes: np.ndarray
    weights: np.ndarray
    probabilities: np.ndarray


@pytest.fixture(scope="session")
def small_memory() -> Callable[..., stim.Circuit]:
    """Makes the surface code's memory experiment of distance 3 with two rounds: 12 detectors of its own basis."""

    def make(p: float = 0.01, basis: str = "Z") -> stim.Circuit:
        noise = circuits.UniformDepolarizing(p)
        return circuits.memory(codes.get("surface_d3"), rounds=2, basis=basis, noise=noise)

    return make


@pytest.fixture(scope="session")
def all_classes() -> Callable[..., Classes]:
    """Tries all sets of errors: each error is added to all sets of those before it, by what they flip together.

    On the detectors of the basis, or with `both` on those of both bases.
    """

    def enumerate_sets(dem: stim.DetectorErrorModel, *, both: bool = False) -> Classes:
        kept = np.arange(dem.num_detectors) if both else basis_detectors(dem)
        symptoms = np.arange(2 ** (len(kept) + 1))
        weights = np.where(symptoms == 0, 0.0, np.inf)
        probabilities = (symptoms == 0).astype(float)
        for p, (targets,) in mechanisms(project(dem, kept)):
            flip = sum(2 ** (len(kept) if target.is_logical_observable_id() else target.val) for target in targets)
            weights = np.minimum(weights, weights[symptoms ^ flip] + np.log((1 - p) / p))
            probabilities = (1 - p) * probabilities + p * probabilities[symptoms ^ flip]
        syndromes = np.zeros((2 ** len(kept), dem.num_detectors), dtype=np.bool_)
        syndromes[:, kept] = np.arange(2 ** len(kept))[:, None] >> np.arange(len(kept)) & 1
        return Classes(kept, syndromes, weights.reshape(2, -1).T, probabilities.reshape(2, -1).T)

    return enumerate_sets
