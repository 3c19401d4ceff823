"""What a network makes of shots on its way to a decision: features of every layer, what they depend on, votes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cascade_qec.codes import BASES, Basis
from cascade_qec.decoders.prepared import logical_tables, prepared
from cascade_qec.engine import MOST_EXACT, NumPyProgram, Weights, votes
from cascade_qec.errors import CascadeError
from cascade_qec.lattice import Lattice, logical_operators
from cascade_qec.model import ModelDescription


@dataclass(frozen=True, eq=False)
class Explanation:
    """What a network makes of some shots. Made by `BoundCascade.explain`.

    A site is a check in a slice of time: slice t holds what round t brings, and the last one the readout.

    Attributes
    ----------
    features : float32 [layers, sites, shots, width]
        Behind the embedding, behind each block, and at last as the head reads them.
    kind : str [sites]
        "X" or "Z", the kind of check.
    check : int64 [sites]
        Which of this kind, in the order of the code.
    slice : int64 [sites]
    detector : int64 [sites]
        The detector of the experiment that the site shows, -1 for none.
    evidence : float32 [shots, operators]
        What each logical operator says: log-odds that its sum of observables is odd, the checks in it being what events
        say they are.
    operators : bool [operators, n]
        The data qubits of each operator.
    logicals : uint8 [operators, k]
        The code's observables in each operator; those of a circuit may be others.
    """

    features: NDArray[np.float32]
    kind: NDArray[np.str_]
    check: NDArray[np.int64]
    slice: NDArray[np.int64]
    detector: NDArray[np.int64]
    evidence: NDArray[np.float32]
    operators: NDArray[np.bool_]
    logicals: NDArray[np.uint8]
    _steps: tuple[NDArray[np.int32], ...]  # who reads whom, [sites_out, relations] of each convolution of a block

    def __repr__(self) -> str:
        layers, sites, shots, width = self.features.shape
        of = f"{shots:,} shot{'s' * (shots != 1)}"
        read = f"{layers} layers of {width} features at {sites:,} sites, {len(self.operators):,} logical operators"
        return f"Explanation of {of}: {read}"

    @property
    def votes(self) -> NDArray[np.float32]:
        """What each operator adds to the log-odds of each logical class: float32 [shots, operators, 2^k].

        Class c has the code's observable i flipped where bit i of c is 1. The decision is the class of the greatest sum
        over operators.

        Raises
        ------
        CascadeError
            Of a code with too many observables to look at all classes.
        """
        k = self.logicals.shape[1]
        if k > MOST_EXACT:
            raise CascadeError(f"expected a code of at most {MOST_EXACT} observables to list its classes, got {k}")
        return np.multiply(self.evidence[:, :, None], votes(self.logicals), dtype=np.float32)

    def receptive_field(self, site: int, layer: int) -> NDArray[np.bool_]:
        """The sites whose states can change the features of a site in a layer: bool [sites].

        Raises
        ------
        CascadeError
            If there is no such site or layer.
        """
        layers, sites = self.features.shape[:2]
        if not (0 <= site < sites and 0 <= layer < layers):
            raise CascadeError(
                f"expected a site of 0..{sites - 1} and a layer of 0..{layers - 1}, got {site} and {layer}"
            )
        field = np.zeros(sites, dtype=np.bool_)
        field[site] = True
        for _ in range(min(layer, layers - 2)):  # the last layer only scales what the last block leaves
            read = field
            for step in reversed(self._steps):
                sources = step[read]
                read = np.zeros(sites if step is self._steps[0] else self._steps[0].shape[0], dtype=np.bool_)
                read[sources[sources >= 0]] = True
            field = field | read  # the residual stream keeps what was there
        return field


def explanation(
    weights: Weights, description: ModelDescription, lattice: Lattice, packed: NDArray[np.uint8]
) -> Explanation:
    """What a network makes of packed events, uint8 [shots, bytes], of the experiment that a lattice is bound to."""
    code, basis = lattice.code, lattice.basis
    logical = logical_tables(description, lattice)
    weights, tables = prepared(weights, description, lattice, logical)
    program = NumPyProgram(weights, tables, logical)
    kind, check, of_slice = _sites(lattice)
    frame, asked = code.frame(basis), logical_operators(code, basis, description.operators)
    operators = np.zeros(asked.support.shape, dtype=np.bool_)
    operators[:, frame.data_qubit] = asked.support
    return Explanation(
        features=np.stack(list(program.layers(program.states(packed)))),
        kind=kind,
        check=check,
        slice=of_slice,
        detector=lattice.bits[0],
        evidence=program.evidence(packed),
        operators=operators,
        logicals=asked.logicals,
        _steps=tuple(step.read for step in tables.steps),
    )


def _sites(lattice: Lattice) -> tuple[NDArray[np.str_], NDArray[np.int64], NDArray[np.int64]]:
    """Kind, check and slice of each site."""
    kind = np.empty(lattice.sites, dtype="<U1")
    check, of_slice = np.empty((2, lattice.sites), dtype=np.int64)
    each: Basis
    for each in BASES:
        sites = lattice.check_sites(each)  # [slices, checks]
        kind[sites] = each
        check[sites] = np.arange(sites.shape[1])
        of_slice[sites] = np.arange(lattice.slices)[:, None]
    return kind, check, of_slice
