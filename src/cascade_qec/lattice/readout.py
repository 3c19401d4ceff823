"""Logical operators that the network is asked about, and what their values say of the code's observables."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from cascade_qec.codes import BivariateBicycleCode, CSSCode, gf2
from cascade_qec.codes.css import Basis
from cascade_qec.codes.gf2 import Bits
from cascade_qec.lattice.frames import frame_of


@dataclass(frozen=True, eq=False)
class Readout:
    """Logical operators of one basis, each a sum of the code's observables and of checks.

    Attributes
    ----------
    support : bool [operators, data places]
        Their supports, in the frame of the basis.
    logicals : uint8 [operators, k]
        The code's observables in each sum.
    checks : uint8 [operators, checks]
        The checks of the basis in each sum, in the order of the code.
    """

    support: NDArray[np.bool_]
    logicals: Bits
    checks: Bits


@lru_cache(maxsize=16)
def readout(code: CSSCode, basis: Basis) -> Readout:
    """The operators that look to the network like the code's observables: these, and where the lattice can be
    translated all their translations.
    """
    logicals, checks = code.logicals(basis), code.hx if basis == "X" else code.hz
    if not isinstance(code, BivariateBicycleCode):
        return Readout(
            frame_of(code, basis).support, np.eye(code.k, dtype=np.uint8), np.zeros((code.k, len(checks)), np.uint8)
        )
    blocks = logicals.reshape(code.k, 2, code.l, code.m)
    shifted = [np.roll(blocks, divmod(shift, code.m), axis=(2, 3)) for shift in range(code.l * code.m)]
    operators = np.unique(np.concatenate(shifted).reshape(-1, code.n), axis=0)
    sums = gf2.combinations(operators, of=np.vstack([logicals, checks]))
    support = operators[:, code.dual_qubit] if basis == "X" else operators
    return Readout(support.astype(bool), sums[:, : code.k], sums[:, code.k :])
