"""The sizes of a code that the cost of decoding it depends on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cascade_qec import codes
from cascade_qec.errors import CascadeError
from cascade_qec.lattice import convolution_tables, memory_lattice


@dataclass(frozen=True)
class CodeShape:
    """A code as cost formulas see it.

    Attributes
    ----------
    code
        Its name.
    distance
        The code's d.
    positions
        Syndrome positions of one round: the number of checks, ``d^2 - 1`` for a surface code, n for a BB code.
    rounds
        Rounds decoded together; only full attention depends on them.
    relations
        Positions that one position's convolution reads, summed over its steps: 27 for a surface code, 12 in each of
        the two bipartite steps of a BB code.
    matrices
        Weight matrices of one block's convolution: as many as relations for each kind of site with weights of its own.
    neighbours
        Positions that a position's local attention sees: those of the direct convolution, 27 or 66.
    time_steps
        Earlier or later rounds that a block reads besides the one that it is at: 2, one on either side.
    """

    code: str
    distance: int
    positions: int
    rounds: int
    relations: int
    matrices: int
    neighbours: int
    time_steps: int = 2


def shape_of(
    code: str, *, rounds: int | None = None, convolution: Literal["direct", "bipartite"] | None = None
) -> CodeShape:
    """Look up a code's sizes, relations as they are in the network's own tables.

    Parameters
    ----------
    code
        Name of the code.
    rounds
        Rounds decoded together; d by default.
    convolution
        As in `NetworkSettings`; by default the one that suits the code.

    Raises
    ------
    CascadeError
        For an unknown code, one without a known distance, or a number of rounds below 1.
    """
    family = codes.get(code)
    if family.d is None:
        raise CascadeError(f"expected a code whose distance is known, got {code}")
    if rounds is not None and rounds < 1:
        raise CascadeError(f"expected at least 1 round, got {rounds}")
    lattice = memory_lattice(family, 1, "Z")
    style = convolution or family.convolution
    steps = convolution_tables(lattice.frame, style, lattice.slices)
    (direct,) = convolution_tables(lattice.frame, "direct", lattice.slices)
    return CodeShape(
        code=code,
        distance=family.d,
        positions=lattice.sites // lattice.slices,
        rounds=rounds or family.d,
        # A step may leave from or arrive at data qubits; its cost is shared out among the checks.
        relations=sum(step.relations * step.sites_out for step in steps) // lattice.sites,
        matrices=sum(step.relations * step.planes_out for step in steps),
        neighbours=direct.relations,
    )
