"""A circuit whose gates are not equally good."""

from __future__ import annotations

import numpy as np
import stim

from cascade_qec.circuits.locations import Location, Strengths, with_strengths
from cascade_qec.errors import CascadeError

_MOST = 0.5


def scattered(circuit: stim.Circuit, factor: float, seed: int) -> stim.Circuit:
    """Give every noise channel of a circuit a strength of its own.

    A channel's strength is multiplied by a factor between ``1 / factor`` and ``factor``, uniform in the logarithm. The
    same channel on the same qubits has the same factor wherever it comes: as devices have better and worse pairs.

    Parameters
    ----------
    circuit
        With noise of any kind; loops are kept.
    factor
        At least 1.
    seed
        The same one gives the same circuit.

    Raises
    ------
    CascadeError
        If the factor is less than 1.

    Examples
    --------
    >>> print(scattered(stim.Circuit("DEPOLARIZE1(0.01) 0 1"), 2, seed=1))
    DEPOLARIZE1(0.0101652) 0
    DEPOLARIZE1(0.0186727) 1
    """
    if not factor >= 1:
        raise CascadeError(f"expected a factor of at least 1, got {factor!r}")
    rng = np.random.default_rng(seed)
    known: dict[Location, float] = {}

    def change(location: Location, strengths: Strengths) -> Strengths:
        if location not in known:
            known[location] = factor ** rng.uniform(-1, 1)
        scale = min(known[location], _MOST / max(sum(strengths), 1e-300))
        return [scale * strength for strength in strengths]

    return with_strengths(circuit, change)
