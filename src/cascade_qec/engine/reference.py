"""The network in NumPy: the way from packed events to log-odds, to be read, and run where nothing else is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cascade_qec.engine.tables import LocalTables, LogicalTables, Table, Tables
from cascade_qec.engine.weights import Array, LocalHead, LogicalHead, Weights

_MOST_FLOATS = 1 << 21
"""Of the neighbours that are gathered at a time."""


class NumPyProgram:
    """A model folded for inference, for one experiment.

    Parameters
    ----------
    weights, tables
    head_tables
        LogicalTables or LocalTables, as the weights' head is.
    """

    def __init__(self, weights: Weights, tables: Tables, head_tables: LogicalTables | LocalTables) -> None:
        self._weights, self._tables, self._head = weights, tables, head_tables
        self._steps = [_by_relation(step) for step in tables.steps]
        width = weights.trunk.embedding.shape[1]
        self._chunk = max(1, _MOST_FLOATS // (len(tables.byte) * width))

    def evidence(self, packed: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Log-odds of what the head is asked about, float32 [shots, asked], of uint8 [shots, bytes].

        Of a logical head: that an operator's sum of observables is odd, the checks in it being what events say.
        """
        parts = [self._evidence(packed[start : start + self._chunk]) for start in range(0, len(packed), self._chunk)]
        return np.concatenate(parts or [self._evidence(packed)])

    def _evidence(self, packed: NDArray[np.uint8]) -> NDArray[np.float32]:
        t = self._tables
        states = (packed.T[t.byte] >> t.shift[:, None]) & t.mask[:, None] | t.fill[:, None]  # [sites, shots]
        features = self.features(states)
        head = self._weights.head
        if isinstance(head, LocalHead):
            assert isinstance(self._head, LocalTables)
            by_type = features @ head.output + head.bias  # [sites, shots, types]
            return np.ascontiguousarray(by_type[self._head.owner, :, self._head.type].T)
        assert isinstance(self._head, LogicalTables)
        return _logical(features, states, head, self._head)

    def features(self, states: NDArray[np.uint8]) -> Array:
        """What the trunk makes of states, uint8 [sites, shots]: float32 [sites, shots, width]."""
        trunk = self._weights.trunk
        x = trunk.embedding[self._tables.kind[:, None] + states]
        for block in trunk.blocks:
            y = silu(silu(block.scale * x + block.shift) @ block.down + block.down_bias)
            for convolution, relations in zip(block.convolutions, self._steps, strict=True):
                y = silu(_convolved(y, convolution.weight, relations) + convolution.bias)
            x = x + y @ block.up
        return silu(trunk.scale * x + trunk.shift)


def _logical(
    features: Array, states: NDArray[np.uint8], head: LogicalHead, tables: LogicalTables
) -> NDArray[np.float32]:
    by_place = features[tables.sites]  # [places, slices, shots, width]
    sums = np.stack([by_place.sum(axis=1), by_place[:, 1:].sum(axis=1)], axis=1).reshape(-1, *features.shape[1:])
    read = _convolved(sums[tables.order], head.to_data, _by_relation(tables.to_data))  # [data places, shots, width]
    operator = np.repeat(np.arange(len(tables.start) - 1), np.diff(tables.start))
    support = np.zeros((len(tables.start) - 1, len(read)), dtype=np.float32)
    support[operator, tables.place] = tables.share
    logical = np.tensordot(support, read, axes=1)  # [operators, shots, width]
    logits = silu(logical @ head.hidden + head.hidden_bias) @ head.output + np.float32(head.output_bias)
    odd = tables.members @ (states[tables.checks] & 1).sum(axis=1, dtype=np.float32) % 2  # [operators, shots]
    return np.ascontiguousarray((logits * (1 - 2 * odd)).T, dtype=np.float32)


Relation = tuple[int, NDArray[np.intp], NDArray[np.intp]]
"""A plane, sites of it, and the sites that they read."""


def _by_relation(table: Table) -> list[tuple[int, list[Relation]]]:
    """For each relation its index and its readers by plane; and first, as the number of sites, len(plane)."""
    relations = []
    for r in range(table.read.shape[1]):
        of_planes = []
        for plane in np.unique(table.plane).tolist():
            readers = np.flatnonzero((table.plane == plane) & (table.read[:, r] >= 0))
            if len(readers):
                of_planes.append((plane, readers, table.read[readers, r].astype(np.intp)))
        relations.append((len(table.plane), of_planes))
    return relations


def _convolved(x: Array, weight: Array, relations: list[tuple[int, list[Relation]]]) -> Array:
    """[sites_in, shots, channels] to [sites_out, shots, channels]: ``y[s] = sum_r x[read[s, r]] weight[plane[s], r]``."""
    y = np.zeros((relations[0][0], x.shape[1], weight.shape[3]), dtype=x.dtype)
    for r, (_, of_planes) in enumerate(relations):
        for plane, readers, read in of_planes:
            y[readers] += x[read] @ weight[plane, r]
    return y


def silu(x: Array) -> Array:
    """``x / (1 + exp(-x))``, elementwise."""
    return x / (1 + np.exp(np.minimum(-x, np.float32(88))))
