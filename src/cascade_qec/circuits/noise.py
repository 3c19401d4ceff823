"""Noise models as data: how strongly each kind of operation of a memory experiment fails."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from cascade_qec.errors import CascadeError, unknown

Rate = float | tuple[float, float, float]
"""A probability; or those of the Pauli errors X, Y and Z, in the place of a qubit's depolarizing probability."""

Strength = float | Mapping[int, Rate] | Mapping[tuple[int, int], Rate]
"""One for all places, or one for each qubit, or for each pair of qubits in either order."""

# At these strengths a channel has erased all information; beyond them it is no longer noise of that kind.
_MAXIMUM = {
    "two_qubit": 15 / 16,
    "single_qubit": 3 / 4,
    "idle": 3 / 4,
    "idle_during_single_qubit": 3 / 4,
    "idle_during_measurement": 3 / 4,
    "idle_during_reset": 3 / 4,
    "data_before_round": 3 / 4,
    "reset": 1 / 2,
    "measurement": 1 / 2,
}


@dataclass(frozen=True, kw_only=True)
class NoiseModel:
    """Strength of every noise channel of a memory experiment; all default to no noise.

    Each is one number, or one for each place: a mapping from qubits, numbered as `memory` does, or from pairs of them.

    `dataclasses.asdict` turns a model into a plain dictionary and `NoiseModel(**dictionary)` back.

    Attributes
    ----------
    name
        What recipes and tables call the model; "custom" for one put together by hand.
    p
        Nominal strength that the channels were derived from, None for a custom model. For the record only.
    native
        What the hardware does: "CX" for CNOTs, resets and measurements in both bases, and resting ancillas that are
        reset and measured while others are busy; "CZ" for CZ, H, and resets and measurements in the Z basis, each in
        layers of their own.
    two_qubit
        Two-qubit depolarizing probability after every CNOT or CZ.
    single_qubit
        Depolarizing probability after every H.
    idle
        Depolarizing probability of a data qubit, with "CZ" of any qubit, that sits out a layer of gates.
    idle_during_single_qubit
        With "CZ", the same beside a layer of H alone; None for `idle`.
    idle_during_measurement
        Depolarizing probability of a data qubit that sits out a layer with ancilla measurements or resets; with "CZ" on
        top of `idle`.
    idle_during_reset
        With "CZ", the same beside resets alone; None for `idle_during_measurement`.
    reset
        Probability that a reset prepares the orthogonal state.
    measurement
        Probability that a measurement reports the wrong outcome.
    data_before_round
        Depolarizing probability of every data qubit, once at the start of each round.

    Raises
    ------
    CascadeError
        If one is not a number between 0 and the strength at which its channel erases all information:
        15/16 for two_qubit, 1/2 for the two kinds of flip, 3/4 for the others.
    """

    name: str = "custom"
    p: float | None = None
    native: Literal["CX", "CZ"] = "CX"
    two_qubit: Strength = 0.0
    single_qubit: Strength = 0.0
    idle: Strength = 0.0
    idle_during_single_qubit: Strength | None = None
    idle_during_measurement: Strength = 0.0
    idle_during_reset: Strength | None = None
    reset: Strength = 0.0
    measurement: Strength = 0.0
    data_before_round: Strength = 0.0

    def __post_init__(self) -> None:
        if self.native not in ("CX", "CZ"):
            raise CascadeError(f"native must be 'CX' or 'CZ', got {self.native!r}")
        for name, most in _MAXIMUM.items():
            strength = getattr(self, name)
            if isinstance(strength, Mapping):
                for place, rate in strength.items():
                    _check_rate(f"{name} of {place}", rate, most)
            elif strength is not None or not name.startswith("idle_during_"):
                _check_probability(name, strength, most)


def UniformDepolarizing(p: float) -> NoiseModel:
    """Circuit noise in which every location fails with the same probability.

    Parameters
    ----------
    p
        Probability of each fault, at most 1/2.

    Raises
    ------
    CascadeError
        If p is not a number in [0, 1/2].

    Examples
    --------
    >>> UniformDepolarizing(0.003).two_qubit
    0.003
    """
    _check_probability("p", p, 1 / 2)
    return NoiseModel(
        name="uniform",
        p=p,
        two_qubit=p,
        idle=p,
        idle_during_measurement=p,
        reset=p,
        measurement=p,
    )


def SI1000(p: float) -> NoiseModel:
    """Superconducting-inspired noise (Gidney et al., "A fault-tolerant honeycomb memory", 2021).

    Two-qubit gates fail with probability p, single-qubit gates and idle qubits with p/10, resets with 2p,
    measurements with 5p, and qubits that wait for measurements or resets depolarize with 2p on top. Circuits have
    CZ and H gates.

    Parameters
    ----------
    p
        Strength of the two-qubit gates, at most 1/10.

    Raises
    ------
    CascadeError
        If p is not a number in [0, 1/10].

    Examples
    --------
    >>> noise = SI1000(0.001)
    >>> noise.two_qubit, noise.measurement
    (0.001, 0.005)
    """
    _check_probability("p", p, 1 / 10)
    return NoiseModel(
        name="si1000",
        p=p,
        native="CZ",
        two_qubit=p,
        single_qubit=p / 10,
        idle=p / 10,
        idle_during_measurement=2 * p,
        reset=2 * p,
        measurement=5 * p,
    )


def DataDepolarizing(p: float) -> NoiseModel:
    """Noise of the data qubits only: each depolarizes once per round, and everything else is perfect.

    Parameters
    ----------
    p
        Depolarizing probability, at most 3/4.

    Raises
    ------
    CascadeError
        If p is not a number in [0, 3/4].

    Examples
    --------
    >>> noise = DataDepolarizing(0.1)
    >>> noise.name, noise.two_qubit
    ('data', 0.0)
    """
    _check_probability("p", p, 3 / 4)
    return NoiseModel(name="data", p=p, data_before_round=p)


_FACTORIES: dict[str, Callable[[float], NoiseModel]] = {
    "uniform": UniformDepolarizing,
    "si1000": SI1000,
    "data": DataDepolarizing,
}


def noise_model(name: str, p: float) -> NoiseModel:
    """The noise model that recipes and the command line call by this name.

    Parameters
    ----------
    name
        "uniform", "si1000" or "data".
    p
        Nominal strength.

    Raises
    ------
    CascadeError
        If the name is unknown or p is out of the model's range.
    """
    if name not in _FACTORIES:
        raise unknown("noise model", name, _FACTORIES)
    return _FACTORIES[name](p)


def _check_rate(what: str, rate: Rate, maximum: float) -> None:
    if maximum != 3 / 4 or not isinstance(rate, tuple):
        _check_probability(what, rate, maximum)
        return
    if len(rate) != 3:
        raise CascadeError(f"{what} must be a number or three, of X, Y and Z, got {rate!r}")
    for each in (*rate, sum(rate)):
        _check_probability(what, each, 1)


def _check_probability(what: str, value: object, maximum: float) -> None:
    if isinstance(value, int | float | np.floating) and not isinstance(value, bool) and 0 <= value <= maximum:
        return
    raise CascadeError(f"{what} must be a number between 0 and {maximum:g}, got {value!r}")
