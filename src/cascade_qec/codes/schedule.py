"""Order of the CNOTs in one round of syndrome extraction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cascade_qec.codes.basis import BASES, Basis, opposite
from cascade_qec.codes.gf2 import Bits

Pairs = list[tuple[int, int]]
"""Control and target of each CNOT."""


@dataclass(frozen=True)
class Schedule:
    """Which neighbour slot every check of one kind touches in each layer of CNOTs, each by an ancilla of its own.

    None means that the ancillas of that kind take no part in the layer. In the first layer they are then
    reset, and in the last layer measured, instead of between two rounds.

    Attributes
    ----------
    x, z
        Slot of `CSSCode.neighbours("X")` and `("Z")` per layer; both have the same length.
    """

    x: tuple[int | None, ...]
    z: tuple[int | None, ...]

    def slots(self, kind: Basis) -> tuple[int | None, ...]:
        return self.x if kind == "X" else self.z

    @property
    def depth(self) -> int:
        return len(self.x)

    def rests(self, kind: Basis, layer: int) -> bool:
        """Whether the ancillas of a kind take no part in a layer."""
        return self.slots(kind)[layer] is None

    def layers(
        self, neighbours: Mapping[Basis, NDArray[np.int64]], ancillas: Mapping[Basis, Sequence[int]]
    ) -> list[Pairs]:
        """The CNOTs of each layer.

        Parameters
        ----------
        neighbours : int64 [checks, slots] of each basis
            As `CSSCode.neighbours`; data qubits have the numbers that they have in the code.
        ancillas
            The qubits that measure the checks of each basis.
        """
        return [
            [
                pair
                for kind in BASES
                if (slot := self.slots(kind)[layer]) is not None
                for pair in _touching(kind, neighbours[kind][:, slot], ancillas[kind])
            ]
            for layer in range(self.depth)
        ]

    def turned(self, kind: Basis, operators: Bits, neighbours: Mapping[Basis, NDArray[np.int64]]) -> Bits:
        """Checks of a kind whose outcomes in a round turn operators on the data qubits: uint8 [operators, checks].

        None: such a round leaves operators that commute with all checks as they are.
        """
        return np.zeros((len(operators), len(neighbours[kind])), dtype=np.uint8)


@dataclass(frozen=True)
class SuperdenseSchedule:
    """X and Z checks on the same data qubits, measured by two ancillas together (Gidney & Jones, arXiv:2312.08813).

    Check c of X and check c of Z share the ancillas c of both kinds. These are entangled first; then each touches its
    part of the slots for the Z check, and once more for the X check; then they are disentangled, and the X ancilla
    tells the X check, the Z ancilla the Z check. What a fault of one spreads to data qubits, the other one notices.

    Attributes
    ----------
    x_ancilla, z_ancilla
        Slots that the ancillas of each kind touch, in order, as many of one as of the other.
    """

    x_ancilla: tuple[int, ...]
    z_ancilla: tuple[int, ...]

    @property
    def depth(self) -> int:
        return 2 * len(self.x_ancilla) + 2

    def rests(self, kind: Basis, layer: int) -> bool:
        """As `Schedule.rests`: never."""
        return False

    def layers(
        self, neighbours: Mapping[Basis, NDArray[np.int64]], ancillas: Mapping[Basis, Sequence[int]]
    ) -> list[Pairs]:
        """As `Schedule.layers`."""
        entangle = list(zip(ancillas["X"], ancillas["Z"], strict=True))
        by: dict[Basis, tuple[int, ...]] = {"X": self.x_ancilla, "Z": self.z_ancilla}
        touch = [
            [pair for own in BASES for pair in _touching(kind, neighbours[kind][:, by[own][turn]], ancillas[own])]
            for kind in map(opposite, BASES)
            for turn in range(len(self.x_ancilla))
        ]
        return [entangle, *touch, entangle]

    def turned(self, kind: Basis, operators: Bits, neighbours: Mapping[Basis, NDArray[np.int64]]) -> Bits:
        """As `Schedule.turned`: an operator of Z that meets the part of an X ancilla oddly spreads to both ancillas."""
        part = neighbours[kind][:, self.x_ancilla]
        meets = np.where(part >= 0, operators[:, part], 0).sum(axis=2) % 2
        return (meets * (kind == "Z")).astype(np.uint8)


def _touching(kind: Basis, qubits: NDArray[np.int64], ancillas: Sequence[int]) -> Pairs:
    """CNOTs for checks of one kind, on the data qubits that there are."""
    pairs = [(ancilla, data) for ancilla, data in zip(ancillas, qubits.tolist(), strict=True) if data >= 0]
    return pairs if kind == "X" else [(data, ancilla) for ancilla, data in pairs]
