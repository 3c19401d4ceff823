"""The data qubits of each check of a code whose data qubits meet three checks of each basis, from the mechanisms."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cascade_qec.codes import CSSCode
from cascade_qec.codes.gf2 import Bits
from cascade_qec.error_models import Mechanisms
from cascade_qec.errors import CascadeError
from cascade_qec.recognition.dem.chains import Chains

DEGREE = 3
"""Checks of each basis that a data qubit meets."""


def supports(mechanisms: Mechanisms, chains: Chains, primary: NDArray[np.bool_], code: CSSCode) -> NDArray[np.uint8]:
    """Data qubits of each check, in an order of their own: uint8 [chains, n].

    A data qubit is three checks of the experiment's basis that one mechanism flips alone, together with the three
    checks of the other basis, if they have detectors, that Y errors add.

    Raises
    ------
    CascadeError
        If these are not the sets of a code with as many data qubits and checks of the same weights.
    """
    own, own_weight = _flipped(mechanisms, chains, primary)
    other, other_weight = _flipped(mechanisms, chains, ~primary)
    qubits = np.unique(own[(own_weight == DEGREE) & (other_weight == 0)], axis=0)
    if len(qubits) != code.n:
        raise CascadeError(
            f"expected a set of three checks for each of {code.name}'s {code.n} data qubits, got {len(qubits)} sets"
        )
    found = _incidence(qubits, len(primary))
    if not primary.all():
        # Faults of gates bring the sets of two data qubits together too, but rarely next to Y errors.
        both = (own_weight == DEGREE) & (other_weight == DEGREE)
        pairs, which = np.unique(np.hstack([own[both], other[both]]), axis=0, return_inverse=True)
        likely = np.bincount(which.ravel(), weights=mechanisms.probability[both], minlength=len(pairs))
        pairs = pairs[np.lexsort((-likely, *pairs[:, 2::-1].T))]
        firsts = np.unique(pairs[:, :DEGREE], axis=0, return_index=True)[1]
        partners = pairs[firsts]
        if not np.array_equal(partners[:, :DEGREE], qubits):
            raise CascadeError(
                f"expected Y errors of each of {code.name}'s {code.n} data qubits, "
                f"got mechanisms that flip three checks of both bases for {len(partners)}"
            )
        found |= _incidence(partners[:, DEGREE:], len(primary))
    weights, expected = (np.unique(h.sum(axis=1)).tolist() for h in (found, np.vstack([code.hx, code.hz])))
    if weights != expected:
        raise CascadeError(f"expected checks of weights {expected} for {code.name}, got weights {weights}")
    if np.any(found[primary].astype(np.int64) @ found[~primary].T % 2):
        raise CascadeError(f"expected the checks of {code.name} to commute, but those of two bases meet in odd numbers")
    return found


def _flipped(
    mechanisms: Mechanisms, chains: Chains, kind: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Chains of one kind that each mechanism flips: sorted, int64 [mechanisms, 3], and how many, int64 [mechanisms].

    Rows of three different chains alone are filled in and counted as 3.
    """
    check = chains.check[mechanisms.detector]
    of_kind = (check >= 0) & kind[check]
    owner = mechanisms.owner[of_kind]
    weight = np.bincount(owner, minlength=len(mechanisms.probability))
    rows = np.full((len(weight), DEGREE), -1)
    rows[weight == DEGREE] = np.sort(check[of_kind][weight[owner] == DEGREE].reshape(-1, DEGREE), axis=1)
    different = (rows[:, 0] < rows[:, 1]) & (rows[:, 1] < rows[:, 2])
    return rows, np.where((weight == DEGREE) & ~different, -1, weight)


def _incidence(members: NDArray[np.int64], checks: int) -> Bits:
    """uint8 [checks, qubits] from the checks of each qubit, int64 [qubits, 3]."""
    matrix = np.zeros((checks, len(members)), dtype=np.uint8)
    matrix[members.ravel(), np.repeat(np.arange(len(members)), members.shape[1])] = 1
    return matrix
