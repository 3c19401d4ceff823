"""The network as nodes: what `cascade_qec.engine.reference` does, shot by shot.

Activations are [shots, sites, channels]. The lattice convolution gathers what a site reads, side by side, and is then
one product for each plane: [sites, relations * channels] by [relations * channels, channels]. The other order,
[sites, shots, channels], needs a transposition of all that was gathered: docs/onnx.md has the times of both.
"""

from __future__ import annotations

from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cascade_qec.engine import LocalHead, LocalTables, LogicalHead, LogicalTables, Table, Tables, Trunk
from cascade_qec.export.graph import Graph

CONVOLUTION = "convolution"
"""What the names of nodes have where a block convolves, by which they are found again."""


def features(g: Graph, events: str, trunk: Trunk, tables: Tables, detectors: int, dtype: Any) -> str:
    """What the trunk makes of events, float32 [shots, detectors]: [shots, sites, width] of `dtype`."""
    with g.at("embedding"):
        x = g.add("Gather", trunk.embedding.astype(dtype), _rows(g, events, tables, detectors), axis=0)
    sites = len(tables.byte)
    for number, block in enumerate(trunk.blocks):
        with g.at(f"block{number}"):
            y = g.silu(_affine(g, x, block.scale, block.shift, dtype))
            y = g.silu(_product(g, y, sites, block.down, block.down_bias, dtype))
            for step, (convolution, table) in enumerate(zip(block.convolutions, tables.steps, strict=True)):
                with g.at(f"{CONVOLUTION}{step}"):
                    y = g.silu(_convolved(g, y, sites, convolution.weight, convolution.bias, table, dtype))
                    sites = len(table.plane)
            x = g.add("Add", x, _product(g, y, sites, block.up, None, dtype))
    return g.silu(_affine(g, x, trunk.scale, trunk.shift, dtype))


def logical_evidence(
    g: Graph, x: str, events: str, head: LogicalHead, tables: LogicalTables, bits: Tables, detectors: int, dtype: Any
) -> str:
    """Log-odds that each operator's sum of observables is odd: float32 [shots, operators]."""
    with g.at("head"):
        biases = head.biases(len(tables.segments))
        logits = [_of_segment(g, x, head, bias, tables, number, dtype) for number, bias in enumerate(biases)]
        logits = reduce(lambda a, b: _either(g, a, b), logits)
        values = g.add("MatMul", events, _checks(tables, bits, detectors))  # of each check, up to parity
        odd = g.odd(g.add("MatMul", values, tables.members.T.astype(np.float32)))
        return g.add("Mul", logits, g.add("Sub", 1.0, g.add("Mul", odd, 2.0)))


def _of_segment(
    g: Graph, x: str, head: LogicalHead, bias: NDArray[np.float32], tables: LogicalTables, number: int, dtype: Any
) -> str:
    """Log-odds that a segment flips each operator, float32 [shots, operators]."""
    with g.at(f"segment{number}"):
        sites, slices = tables.read(number)
        own = g.add("Gather", x, sites[:, 0], axis=1)
        if slices > 1:
            later = g.add("ReduceSum", g.add("Gather", x, sites[:, 1:slices], axis=1), np.array([2]), keepdims=0)
            own = g.add("Add", later, own)
        else:
            later = g.add("Mul", own, np.zeros((), dtype))
        if slices < sites.shape[1]:
            later = g.add("Add", later, g.add("Gather", x, sites[:, -1], axis=1))
        sums = g.add("Concat", own, later, axis=1)  # [shots, 2 * places, width]
        places = len(sites)
        at = tables.order // 2 + places * (tables.order % 2)  # of each input of the convolution, in these
        read = np.where(tables.to_data.read >= 0, at[tables.to_data.read], -1)
        to_data = Table(read, tables.to_data.plane)
        data = _convolved(g, sums, 2 * places, head.to_data, None, to_data, dtype)
        logical = g.add("MatMul", _support(tables).astype(dtype), data)  # [shots, operators, width]
        hidden = g.silu(_product(g, logical, len(tables.start) - 1, head.hidden, bias, dtype))
        logits = g.cast(g.add("MatMul", hidden, head.output[:, None].astype(dtype)), np.float32)
        return g.add("Add", g.add("Reshape", logits, np.array([0, -1])), head.output_bias)


def _either(g: Graph, a: str, b: str) -> str:
    """Log-odds that one of two things holds and the other does not, from theirs.

    ``max(a, b) - max(0, a + b) + ln(1 + e^-|a - b|) - ln(1 + e^-|a + b|)``, which does not overflow.
    """

    def rest(x: str) -> str:
        return g.add("Log", g.add("Add", g.add("Exp", g.add("Min", x, g.add("Neg", x))), 1.0))

    total = g.add("Add", a, b)
    largest = g.add("Sub", g.add("Max", a, b), g.add("Max", total, 0.0))
    return g.add("Add", largest, g.add("Sub", rest(g.add("Sub", a, b)), rest(total)))


def local_log_odds(
    g: Graph,
    x: str,
    sites: int,
    head: LocalHead,
    tables: LocalTables,
    known: NDArray[np.bool_],
    prior: NDArray[np.float32],
) -> str:
    """Log-odds that each component is flipped, float32 [shots, components].

    Parameters
    ----------
    known : bool [components]
        Whether the network knows a component's type; of others `prior` is told, the log-odds before any event.
    """
    with g.at("head"):
        by_type = _product(g, g.cast(x, np.float32), sites, head.output, head.bias, np.float32)  # [shots, sites, types]
        flat = g.add("Reshape", by_type, np.array([0, -1]))
        told = g.add("Gather", flat, tables.owner * np.int32(len(head.bias)) + tables.type, axis=1)
        return told if known.all() else g.add("Where", known, told, prior)


def _rows(g: Graph, events: str, tables: Tables, detectors: int) -> str:
    """The row of the embedding for each site, int32 [shots, sites]."""
    padded = g.add("Pad", g.cast(events, np.int32), np.array([0, 0, 0, 1]))  # a detector that is silent
    bit = np.where(tables.mask > 0, 8 * tables.byte + tables.shift, detectors).astype(np.int32)
    return g.add("Add", g.add("Gather", padded, bit, axis=1), (tables.kind + tables.fill).astype(np.int32))


def _affine(g: Graph, x: str, scale: NDArray[Any], shift: NDArray[Any], dtype: Any) -> str:
    return g.add("Add", g.add("Mul", x, scale.astype(dtype)), shift.astype(dtype))


def _product(g: Graph, x: str, rows: int, weight: NDArray[Any], bias: NDArray[Any] | None, dtype: Any) -> str:
    """``x weight + bias``, of [shots, rows, inputs] or of the same in any other number of axes.

    It is written as one of two matrices: onnxruntime adds the bias within such a product, and only there.
    """
    inputs, outputs = weight.shape
    y = g.add("MatMul", g.add("Reshape", x, np.array([-1, inputs])), weight.astype(dtype))
    if bias is not None:
        y = g.add("Add", y, bias.astype(dtype))
    return g.add("Reshape", y, np.array([-1, rows, outputs]))


def _convolved(
    g: Graph, x: str, sites: int, weight: NDArray[Any], bias: NDArray[Any] | None, table: Table, dtype: Any
) -> str:
    """``y[s] = sum_r x[read[s, r]] weight[plane[s], r] + bias``, from [shots, sites, channels] to as many sites_out."""
    planes, relations, channels, outputs = weight.shape
    padded = g.add("Pad", x, np.array([0, 0, 0, 0, 1, 0]))  # one more site, all zeros, for those that read nobody
    parts = []
    for plane in range(planes):
        read = table.read[table.plane == plane]
        neighbours = g.add("Gather", padded, np.where(read < 0, sites, read).astype(np.int32), axis=1)
        matrix = weight[plane].reshape(relations * channels, outputs)
        parts.append(_product(g, neighbours, len(read), matrix, bias, dtype))
    return parts[0] if planes == 1 else g.add("Concat", *parts, axis=1)  # sites come plane by plane


def _support(tables: LogicalTables) -> NDArray[np.float32]:
    """What each data place counts for in each operator, float32 [operators, data places]."""
    operators = len(tables.start) - 1
    support = np.zeros((operators, len(tables.to_data.plane)), np.float32)
    support[np.repeat(np.arange(operators), np.diff(tables.start)), tables.place] = tables.share
    return support


def _checks(tables: LogicalTables, bits: Tables, detectors: int) -> NDArray[np.float32]:
    """The detectors of each check, float32 [detectors, checks]."""
    checks, slices = tables.checks.shape
    check, site = np.repeat(np.arange(checks), slices), tables.checks.ravel()
    told = bits.mask[site] > 0  # whether there is a detector
    found = np.zeros((detectors, checks), np.float32)
    found[8 * bits.byte[site[told]] + bits.shift[site[told]], check[told]] = 1
    return found
