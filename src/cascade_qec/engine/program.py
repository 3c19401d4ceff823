"""What runs a folded model: the one interface of all runtimes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cascade_qec.engine.decision import Decided, Decision
from cascade_qec.engine.tables import LocalTables, LogicalTables
from cascade_qec.engine.weights import LogicalHead, Weights
from cascade_qec.errors import CascadeError


class Program(ABC):
    """A model that is ready for the packed shots of one experiment."""

    def __init__(self, weights: Weights, head_tables: LogicalTables | LocalTables) -> None:
        if isinstance(weights.head, LogicalHead) and weights.head.in_segments:
            raise CascadeError(
                "expected weights that cascade_qec.engine.with_silence made ready for an experiment, got those of any"
            )
        self._head_tables = head_tables

    @cached_property
    def _decision(self) -> Decision:
        """Made when it is first asked for, as it has a number for each operator and class."""
        assert isinstance(self._head_tables, LogicalTables)
        return Decision(self._head_tables.logicals, self._head_tables.wanted)

    @abstractmethod
    def evidence(self, packed: NDArray[np.uint8]) -> NDArray[np.float32]:
        """What the head is asked about, float32 [shots, asked], from packed events, uint8 [shots, bytes].

        Of a logical head: log-odds that an operator's sum of observables is odd, the checks in it being what events say
        they are. Of a local head: log-odds that a component is flipped.
        """

    def decide(self, packed: NDArray[np.uint8]) -> Decided:
        """What a logical head decides of the wanted observables, from uint8 [shots, bytes].

        Log-odds are NaN where the network's numbers are not finite.
        """
        evidence = self.evidence(packed)
        good: NDArray[np.bool_] = np.logical_and.reduce(np.isfinite(evidence), axis=1)
        decided = self._decision(np.where(good[:, None], evidence, 0))
        decided.log_odds[~good] = np.nan
        return decided
