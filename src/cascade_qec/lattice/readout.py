"""Logical operators that the network is asked about, and what their values say of the code's observables."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cascade_qec.codes import BivariateBicycleCode, CSSCode, RotatedSurfaceCode, gf2
from cascade_qec.codes.css import Basis
from cascade_qec.codes.gf2 import Bits
from cascade_qec.lattice.frames import frame_of

Operators = Literal["observables", "translations", "lightest", "light"]
"""The code's own observables; all their translations: by any shift on a torus, parallel lines on a planar code; or, of
bicycle codes, besides these all logical operators that are no heavier, whatever their class; or those, too, that are
heavier by two, the next weight that there is."""

_HEAVIER = {"lightest": (0,), "light": (0, 2)}


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
def readout(code: CSSCode, basis: Basis, operators: Operators = "translations") -> Readout:
    """The operators that the network is asked about in an experiment of a basis."""
    logicals, checks = code.logicals(basis), code.hx if basis == "X" else code.hz
    asked = logicals if operators == "observables" else _translations(code, basis)
    if operators in _HEAVIER and isinstance(code, BivariateBicycleCode):
        light = [code.light_logicals(basis, heavier=heavier) for heavier in _HEAVIER[operators]]
        asked = np.unique(np.concatenate([asked, *light]), axis=0)
    sums = gf2.combinations(asked, of=np.vstack([logicals, checks]))
    support = asked[:, frame_of(code, basis).data_qubit]
    return Readout(support.astype(bool), sums[:, : code.k], sums[:, code.k :])


def _translations(code: CSSCode, basis: Basis) -> Bits:
    """Every translation of the observables once, uint8 [operators, n]."""
    logicals = code.logicals(basis)
    if isinstance(code, RotatedSurfaceCode):
        lines = logicals.reshape(code.k, code.d, code.d)
        across = 1 if basis == "Z" else 2  # logical Z is a row, logical X a column
        shifted = np.concatenate([np.roll(lines, shift, axis=across) for shift in range(code.d)])
    else:
        assert isinstance(code, BivariateBicycleCode)  # there are no other lattices
        shifted = logicals[:, code.translations]
    return np.unique(shifted.reshape(-1, code.n), axis=0)
