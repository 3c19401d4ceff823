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

    @property
    def values(self) -> Bits:
        """The sum's part of observables in each logical class, uint8 [operators, 2^k]; see `logical_classes`."""
        return self.logicals @ logical_classes(self.logicals.shape[1]).T % 2

    @property
    def votes(self) -> NDArray[np.float32]:
        """What an operator's logit adds to the log-odds of each logical class, float32 [operators, 2^k].

        Added up as if they were independent, which they are not: they come from the same events. So the sum is scaled
        as if two classes differed in k operators, the number of independent ones. With one observable that is the mean.
        """
        operators, k = self.logicals.shape
        differing = operators * 2 ** (k - 1) / (2**k - 1)  # between two classes, in the mean over all pairs
        return (self.values * (k / differing)).astype(np.float32)


def logical_classes(k: int) -> Bits:
    """The joint values of k observables, uint8 [2^k, k]; the first is that of none flipped."""
    return ((np.arange(2**k)[:, None] >> np.arange(k)) & 1).astype(np.uint8)


@lru_cache(maxsize=16)
def logical_operators(code: CSSCode, basis: Basis, which: Operators = "translations") -> LogicalOperators:
    """The operators that the network is asked about in an experiment of a basis; see `CSSCode.operators`."""
    asked = code.operators(basis, which)
    sums = gf2.combinations(asked, of=np.vstack([code.logicals(basis), code.checks(basis)]))
    support = asked[:, code.frame(basis).data_qubit]
    return LogicalOperators(support.astype(bool), sums[:, : code.k], sums[:, code.k :])
