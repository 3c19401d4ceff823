"""The memory experiments that are trained on: circuits, error models, and what a local head learns of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import product
from typing import NamedTuple

import numpy as np
import stim
from numpy.typing import NDArray

from cascade_qec import circuits, codes
from cascade_qec.codes import Basis
from cascade_qec.components import Components, ComponentType, UsualNoise
from cascade_qec.error_models import Mechanisms, error_model
from cascade_qec.errors import CascadeError
from cascade_qec.lattice import Lattice, memory_lattice
from cascade_qec.model import ModelDescription
from cascade_qec.training.random_noise import RandomNoise
from cascade_qec.training.windows import BEYOND, Window

_KEPT = 1024
"""As many as a log-uniform draw of the rate over a decade has on its grid, in both bases and four numbers of rounds."""

_LOW = 1e-4


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
def usual_noise(
    code: str, rounds: tuple[int, ...], bases: tuple[Basis, ...], noise_model: str, p: float
) -> list[UsualNoise]:
    """What types of component are on average in the experiments in some bases: theirs, and then all others.

    The first number of rounds says so, and the others of types that it lacks.
    """
    mean: dict[ComponentType, tuple[float, float]] = {}
    for number in rounds:
        found: dict[ComponentType, list[tuple[float, float]]] = {}
        for basis in bases:
            random = random_noise(code, number, basis, noise_model, p)
            for type, odds, share in random.priors.usual(random.mechanisms.probability):
                found.setdefault(type, []).append((odds, share))
        mean = {type: _mean(of_bases) for type, of_bases in found.items()} | mean
    own = component_types(code, rounds, bases, noise_model, p)
    return [(type, *mean[type]) for type in (*own, *sorted(mean.keys() - set(own)))]


def _mean(pairs: Sequence[tuple[float, float]]) -> tuple[float, float]:
    first, second = np.mean(pairs, axis=0).tolist()
    return first, second


@lru_cache(maxsize=16)
def component_types(
    code: str, rounds: tuple[int, ...], bases: tuple[Basis, ...], noise_model: str, p: float
) -> list[ComponentType]:
    """The types of all components of the experiments in some bases and numbers of rounds, ascending."""
    every = [noise(code, number, basis, noise_model, p)[1] for number in rounds for basis in bases]
    return sorted({type for one in every for type in one.types})


@lru_cache(maxsize=_KEPT)
def relative_strength(code: str, rounds: int, basis: Basis, noise_model: str, other: str) -> float:
    """How many times as often a noise model flips a detector as another one at the same rate, while both are low."""
    flips = []
    for name in (noise_model, other):
        mechanisms = Mechanisms.of(error_model(circuit(code, rounds, basis, name, _LOW)))
        flips.append(mechanisms.probability[mechanisms.owner].sum())
    return float(flips[0] / flips[1])


@lru_cache(maxsize=_KEPT)
def same_components(
    code: str, rounds: int, basis: Basis, noise_model: str, other: str, p: float, types: tuple[ComponentType, ...]
) -> NDArray[np.int64]:
    """The number that each component of an experiment has under another noise model: int64 [components].

    Raises
    ------
    CascadeError
        If that has others.
    """
    found = [noise(code, rounds, basis, model, p, types)[1] for model in (noise_model, other)]
    own, others = (one.owner * len(types) + one.type for one in found)
    order = np.argsort(others)
    if not np.array_equal(np.sort(own), others[order]):
        raise CascadeError(
            f"expected noise models whose errors flip the same detectors, got {noise_model} and {other} for {code}"
        )
    return order[np.searchsorted(others[order], own)]


class Shown(NamedTuple):
    """What a network is shown: an experiment of so many rounds, or as many cut out of the middle of a longer one."""

    rounds: int
    basis: Basis
    cut: bool = False

    @property
    def sampled_rounds(self) -> int:
        """Rounds of the experiment that is sampled."""
        return self.rounds + (2 * BEYOND if self.cut else 0)


def shown(made: ModelDescription, cut: Sequence[int] = ()) -> list[Shown]:
    """What a model is shown side by side: its experiments, and besides windows of so many rounds."""
    experiments = [Shown(rounds, basis) for rounds in made.all_rounds for basis in made.bases]
    return experiments + [Shown(rounds, basis, cut=True) for rounds in cut for basis in made.bases]


def check_noise(made: ModelDescription, shown: Iterable[Shown], noise_models: Sequence[str]) -> None:
    """Check that a local head is asked about the same components under all these noise models.

    Raises
    ------
    CascadeError
        If it is not.
    """
    if made.components is None:
        return
    for one, name in product(shown, noise_models):
        key = (made.code, one.sampled_rounds, one.basis, made.noise_model, name, made.noise_p)
        same_components(*key, tuple(made.components))


def seen(made: ModelDescription, one: Shown) -> tuple[Lattice, Components | None]:
    """The lattice of what is shown, and its components at the noise of training if the model has a local head."""
    if one.cut:
        found = window(made, one)
        return found.lattice, found.components
    lattice = memory_lattice(codes.get(made.code), one.rounds, one.basis)
    return lattice, None if made.components is None else _components(made, one)


def window(made: ModelDescription, one: Shown) -> Window:
    """What a local model is shown of an experiment out of which it is cut."""
    return Window.of(memory_lattice(codes.get(made.code), one.sampled_rounds, one.basis), _components(made, one))


def _components(made: ModelDescription, one: Shown) -> Components:
    experiment = (made.code, one.sampled_rounds, one.basis, made.noise_model, made.noise_p)
    return noise(*experiment, tuple(made.components or ()))[1]
