"""Order of the CNOTs in one round of syndrome extraction."""

from __future__ import annotations

from dataclasses import dataclass

from cascade_qec.codes.basis import Basis


@dataclass(frozen=True)
class Schedule:
    """Which neighbour slot every check of one kind touches in each layer of CNOTs.

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
