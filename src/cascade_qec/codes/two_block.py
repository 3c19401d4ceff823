"""Two-block codes: one orbit of checks of each basis on two orbits of data qubits."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cascade_qec.codes.css import frozen
from cascade_qec.codes.lifted_product import LiftedProductCode
from cascade_qec.codes.polynomial import group_of, parse_polynomial


class TwoBlockCode(LiftedProductCode):
    """Code with checks H_X = [A | B], H_Z = [B^T | A^T] for polynomials A, B in the generators of an abelian group.

    Data qubits are two copies of the group: of N elements g in block L (0) is qubit g, in block R (1) qubit N + g. X
    check g touches g * a_t in L and g * b_t in R, Z check g touches g / b_t in L and g / a_t in R. Slots are in the
    order of the terms as written: A_1, A_2, ..., B_1, B_2, ... for X checks, and B_1^T, B_2^T, ..., A_1^T, A_2^T, ...
    for Z checks.

    Inverting the group and swapping the blocks turns X checks into Z checks, and X logicals into Z logicals:
    ``neighbours("Z")[dual_check][:, dual_slot] == dual_qubit[neighbours("X")]``.

    Parameters
    ----------
    group
        As of `GroupCode`.
    a, b
        Polynomials as text: terms joined by "+", each "1" or a product of powers of the generators, such as
        "x^3 + x*y + 1". Exponents are taken modulo the generators' orders.
    name, family
        As `CSSCode` has them.
    d
        Distance if known, see `GroupCode`.
    layers
        The layer of CNOTs of each slot of X checks; see `LiftedProductCode.schedule`.

    Attributes
    ----------
    a_terms, b_terms : tuple of tuples of int
        Exponents of the terms of A and B, in the order written.
    dual_check : int64 [N]
        The Z check that X check g becomes.
    dual_qubit : int64 [2 N]
        The data qubit that each data qubit becomes; its own inverse.
    dual_slot : int64 [slots]
        The slot of the Z check that each slot of an X check becomes.

    Raises
    ------
    CascadeError
        If an order is no positive integer, a polynomial cannot be read or has a term twice, or no logical qubit
        is encoded (k = 0).
    """

    def __init__(
        self,
        group: int | Sequence[int],
        a: str,
        b: str,
        *,
        name: str,
        family: str,
        d: int | None = None,
        layers: Sequence[int] | None = None,
    ) -> None:
        group = group_of(group)
        self.a_terms, self.b_terms = parse_polynomial(a, group), parse_polynomial(b, group)
        self._given = f"group {[*group]}, A={a!r}, B={b!r}"
        super().__init__(group, [[self.a_terms]], [[self.b_terms]], name=name, family=family, d=d, layers=layers)
        slots = len(self.a_terms) + len(self.b_terms)
        self.dual_slot: NDArray[np.int64] = frozen((np.arange(slots) + len(self.b_terms)) % slots, np.int64)

    @property
    def dual_check(self) -> NDArray[np.int64]:
        assert self.duality is not None
        return self.duality.check["X"]

    @property
    def dual_qubit(self) -> NDArray[np.int64]:
        assert self.duality is not None
        return self.duality.qubit
