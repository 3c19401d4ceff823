"""Logical operators that the network is asked about, and what their values say of the code's observables."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from cascade_qec.codes import Basis, CSSCode, Operators, gf2
from cascade_qec.codes.gf2 import Bits


@dataclass(frozen=True, eq=False)
class LogicalOperators:
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
def logical_operators(code: CSSCode, basis: Basis, which: Operators = "translations") -> LogicalOperators:
    """The operators that the network is asked about in an experiment of a basis; see `CSSCode.operators`."""
    asked = code.operators(basis, which)
    sums = gf2.combinations(asked, of=np.vstack([code.logicals(basis), code.checks(basis)]))
    support = asked[:, code.frame(basis).data_qubit]
    return LogicalOperators(support.astype(bool), sums[:, : code.k], sums[:, code.k :])
