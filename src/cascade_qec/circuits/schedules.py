"""Order of the CNOTs in one round of syndrome extraction, per code family."""

from __future__ import annotations

from dataclasses import dataclass

from cascade_qec.codes import BivariateBicycleCode, CSSCode, RotatedSurfaceCode
from cascade_qec.errors import CascadeError


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


# Slots are NE, NW, SE, SW. A fault halfway through a check spreads to its last two neighbours. X checks end
# on two in a row, across the vertical logical X, and Z checks on two in a column, across the horizontal
# logical Z, so that the distance is not halved. It is the order of Stim's generated circuits.
_NE, _NW, _SE, _SW = range(4)
_SURFACE = Schedule(x=(_SE, _SW, _NE, _NW), z=(_SE, _NE, _SW, _NW))

# Bravyi et al., Nature 627, 778 (2024), eq. (9): depth 7 with the layers in which one kind of check rests.
_BICYCLE = Schedule(x=(None, 1, 4, 3, 5, 0, 2), z=(3, 5, 0, 1, 2, 4, None))


def schedule(code: CSSCode) -> Schedule:
    """The order in which the checks of a code touch their neighbours.

    Parameters
    ----------
    code
        A rotated surface code, or a bivariate bicycle code whose polynomials have three terms each.

    Raises
    ------
    CascadeError
        If no schedule is known for the code.
    """
    if isinstance(code, RotatedSurfaceCode):
        return _SURFACE
    if isinstance(code, BivariateBicycleCode):
        terms = len(code.a_terms), len(code.b_terms)
        if terms != (3, 3):
            raise CascadeError(
                f"expected polynomials of three terms each for the bicycle schedule, "
                f"got {terms[0]} and {terms[1]} in {code.name}"
            )
        return _BICYCLE
    raise CascadeError(f"expected a rotated surface or bivariate bicycle code to schedule, got {code!r}")
