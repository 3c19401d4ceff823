"""The network in NumPy: the way from packed events to log-odds, to be read, and run where nothing else is."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from cascade_qec.engine.program import Program
from cascade_qec.engine.tables import LocalTables, LogicalTables, Table, Tables
from cascade_qec.engine.weights import Array, LocalHead, LogicalHead, Weights

_MOST_FLOATS = 1 << 21
"""Of the neighbours that are gathered at a time."""


class NumPyProgram(Program):
    """A model folded for inference, for one experiment, in NumPy."""

    def __init__(self, weights: Weights, tables: Tables, head_tables: LogicalTables | LocalTables) -> None:
        super().__init__(weights, head_tables)
        self._weights, self._tables = weights, tables
        self._readers = [_by_relation(step) for step in tables.steps]
        width = weights.trunk.embedding.shape[1]
        self._chunk = max(1, _MOST_FLOATS // (len(tables.byte) * width))

    def evidence(self, packed: NDArray[np.uint8]) -> NDArray[np.float32]:
        parts = [self._evidence(packed[start : start + self._chunk]) for start in range(0, len(packed), self._chunk)]
        return np.concatenate(parts or [self._evidence(packed)])

    def states(self, packed: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """States of sites, uint8 [sites, shots], from packed events, uint8 [shots, bytes]."""
        t = self._tables
        return (packed.T[t.byte] >> t.shift[:, None]) & t.mask[:, None] | t.fill[:, None]

    def _evidence(self, packed: NDArray[np.uint8]) -> NDArray[np.float32]:
        states = self.states(packed)
        features, head = self.features(states), self._weights.head
        if isinstance(head, LocalHead):
            assert isinstance(self._head_tables, LocalTables)
            by_type = features @ head.output + head.bias  # [sites, shots, types]
            return np.ascontiguousarray(by_type[self._head_tables.owner, :, self._head_tables.type].T)
        assert isinstance(self._head_tables, LogicalTables)
        return logical(sums_over_time(features, self._head_tables), states, head, self._head_tables)

    def features(self, states: NDArray[np.uint8]) -> Array:
        """What the head reads of states, uint8 [sites, shots]: float32 [sites, shots, width]."""
        return deque(self.layers(states), maxlen=1).pop()

    def layers(self, states: NDArray[np.uint8]) -> Iterator[Array]:
        """What the trunk makes of states, uint8 [sites, shots]: float32 [sites, shots, width].

        Behind the embedding, behind each block, and at last as the head reads them.
        """
        trunk = self._weights.trunk
        x: Array = trunk.embedding[self._tables.kind[:, None] + states]
        yield x
        for block in trunk.blocks:
            y = silu(silu(block.scale * x + block.shift) @ block.down + block.down_bias)
            for convolution, table, readers in zip(block.convolutions, self._tables.steps, self._readers, strict=True):
                y = silu(_convolved(y, convolution.weight, table, readers) + convolution.bias)
            x = x + (y @ block.up).astype(x.dtype, copy=False)
            yield x
        yield silu(trunk.scale * x + trunk.shift)


def sums_over_time(features: Array, tables: LogicalTables) -> Array:
    """What a logical head's convolution reads of each segment, float32 [segments, inputs, shots, width]."""
    sums = []
    for segment in range(len(tables.segments)):
        sites, own = tables.read(segment)
        by_place = features[sites]  # [places, slices, shots, width]
        both = np.stack([by_place[:, :own].sum(axis=1), by_place[:, 1:].sum(axis=1)], axis=1)
        sums.append(both.reshape(2 * len(sites), *features.shape[1:])[tables.order])
    return np.stack(sums)


def silence(weights: Weights, tables: Tables, head_tables: LogicalTables) -> Array:
    """What operators read of a shot without events, in the mean over them: float32 [segments, hidden]."""
    assert isinstance(weights.head, LogicalHead)
    head = replace(weights.head, in_segments=False)
    program = NumPyProgram(replace(weights, head=head), tables, head_tables)
    features = program.features(program.states(np.zeros((1, tables.bytes), dtype=np.uint8)))
    sums = sums_over_time(features, head_tables)
    return np.stack([operator_sums(of_segment, head, head_tables).mean(axis=(0, 1)) for of_segment in sums])


def with_silence(weights: Weights, silent: Array) -> Weights:
    """Weights that read differences from silence as such that read sums of an experiment.

    Parameters
    ----------
    silent : float32 [segments, hidden]
        What is subtracted, see `silence`.
    """
    assert isinstance(weights.head, LogicalHead)
    bias = weights.head.hidden_bias - silent
    return replace(weights, head=replace(weights.head, hidden_bias=bias, in_segments=False))


def operator_sums(sums: Array, head: LogicalHead, tables: LogicalTables) -> Array:
    """What the hidden layer reads of each operator in a segment, without its bias: float32 [operators, shots, hidden].

    Parameters
    ----------
    sums : float32 [inputs, shots, width]
    """
    read = _convolved(sums, head.to_data, tables.to_data, _by_relation(tables.to_data))
    hidden = read @ head.hidden  # [data places, shots, hidden]: there may be more operators than places
    operator = np.repeat(np.arange(len(tables.start) - 1), np.diff(tables.start))
    support = np.zeros((len(tables.start) - 1, len(read)), dtype=np.float32)
    support[operator, tables.place] = tables.share
    return np.tensordot(support, hidden, axes=1)


def logical(sums: Array, states: NDArray[np.uint8], head: LogicalHead, tables: LogicalTables) -> NDArray[np.float32]:
    """The evidence of each operator, float32 [shots, operators], from `sums_over_time`."""
    by_segment = (
        silu(operator_sums(each, head, tables) + bias) @ head.output + np.float32(head.output_bias)
        for each, bias in zip(sums, head.biases(len(sums)), strict=True)
    )
    logits = reduce(either, by_segment)
    odd = tables.members @ (states[tables.checks] & 1).sum(axis=1, dtype=np.float32) % 2  # [operators, shots]
    return np.ascontiguousarray((logits * (1 - 2 * odd)).T)


def _by_relation(table: Table) -> list[list[tuple[int, NDArray[np.intp]]]]:
    """For each relation its readers by plane: a plane and sites of it that read somebody."""
    present, planes = table.read >= 0, range(int(table.plane.max()) + 1)
    of_plane = [(table.plane == plane)[:, None] & present for plane in planes]
    return [[(plane, np.flatnonzero(of_plane[plane][:, r])) for plane in planes] for r in range(table.read.shape[1])]


def _convolved(x: Array, weight: Array, table: Table, readers: list[list[tuple[int, NDArray[np.intp]]]]) -> Array:
    """``y[s] = sum_r x[read[s, r]] weight[plane[s], r]``, from [sites_in, shots, channels] to as many sites_out."""
    y = np.zeros((len(table.plane), x.shape[1], weight.shape[3]), dtype=x.dtype)
    for r, of_planes in enumerate(readers):
        for plane, sites in of_planes:
            y[sites] += x[table.read[sites, r]] @ weight[plane, r]
    return y


def either(a: Array, b: Array) -> Array:
    """Log-odds that one of two things holds and the other does not, from theirs."""
    return np.logaddexp(a, b) - np.logaddexp(0, a + b)


def silu(x: Array) -> Array:
    """``x / (1 + exp(-x))``, elementwise."""
    return (x / (1 + np.exp(np.minimum(-x, 88)))).astype(x.dtype, copy=False)
