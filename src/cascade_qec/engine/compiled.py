"""The network by the kernels in C++: the same way as the reference's, at the speed of the chip."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from cascade_qec.engine.decision import MOST_EXACT, Decided
from cascade_qec.engine.program import Program
from cascade_qec.engine.tables import LocalTables, LogicalTables, Tables
from cascade_qec.engine.weights import LogicalHead, Weights
from cascade_qec.native import threads

_MOST_DECIDED = 64
"""Observables that the kernels decide together: the bits of a word."""


class NativeProgram(Program):
    """A model folded for inference, for one experiment, by the kernels of `cascade-qec-native`.

    Parameters
    ----------
    native
        The package.
    weights, tables, head_tables
    bfloat16
        Whether products are of bfloat16, sums and the residual stream being in float32: for chips that multiply it.
    peaks : float32 [convolutions, channels], optional
        Beside bfloat16: convolve in eight bits, of values up to these, see `peaks`.
    """

    def __init__(
        self,
        native: ModuleType,
        weights: Weights,
        tables: Tables,
        head_tables: LogicalTables | LocalTables,
        *,
        bfloat16: bool = False,
        peaks: NDArray[np.float32] | None = None,
    ) -> None:
        super().__init__(weights, head_tables)
        local = isinstance(head_tables, LocalTables)
        self._exact = (
            isinstance(head_tables, LogicalTables)
            and head_tables.logicals.shape[1] <= MOST_EXACT
            and len(head_tables.wanted) <= _MOST_DECIDED
        )
        head = weights.head
        if isinstance(head, LogicalHead):
            assert isinstance(head_tables, LogicalTables)
            head = replace(head, hidden_bias=head.biases(len(head_tables.segments)))
        self._program = native.Program(
            weights.trunk,
            head,
            tables,
            head_tables,
            local=local,
            exact=self._exact,
            bfloat16=bfloat16,
            peaks=peaks,
        )

    def evidence(self, packed: NDArray[np.uint8]) -> NDArray[np.float32]:
        return self._program.evidence(packed, threads=threads())

    def peaks(self, packed: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The largest value of what each convolution reads of these shots, float32 [convolutions, channels].

        Channels are padded to a multiple of 16.
        """
        return self._program.peaks(packed)

    def decide(self, packed: NDArray[np.uint8]) -> Decided:
        if not self._exact:
            return super().decide(packed)
        return Decided(*self._program.decide(packed, threads=threads()))
