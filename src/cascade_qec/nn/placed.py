"""A folded model and an experiment's tables on a device, as the operations of folded inference take them."""

from __future__ import annotations

from functools import reduce
from types import ModuleType

import numpy as np
import torch
from numpy.typing import NDArray

from cascade_qec.engine import Block, LocalHead, LocalTables, LogicalHead, LogicalTables, Table, Tables, Weights
from cascade_qec.kernels import folded
from cascade_qec.kernels.folded import FP8, Asked, Ending, Product, Readers, Sites

_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16, "fp8": torch.bfloat16}
"""Of the activations by a program's precision."""

_FP8_INPUTS = 32
"""Numbers that a product in FP8 sums at least: as many as a matrix unit takes at a time."""


class Placed:
    """A model folded for inference, for one experiment, on a device.

    Parameters
    ----------
    weights, tables, head_tables
    device
    precision
        As `cascade_qec.nn.TorchProgram` has it.

    Attributes
    ----------
    sites, width : int
    """

    def __init__(
        self,
        weights: Weights,
        tables: Tables,
        head_tables: LogicalTables | LocalTables,
        device: torch.device,
        precision: str,
    ) -> None:
        self._device, self._dtype, self._fp8 = device, _DTYPES[precision], precision == "fp8"
        trunk = weights.trunk
        self.sites, self.width = len(tables.byte), trunk.embedding.shape[1]
        self._begin = self._first(tables, trunk.embedding, trunk.blocks[0])
        reads = [self.sites, *(len(step.plane) for step in tables.steps)]
        self._steps = [self._readers(step, sites) for step, sites in zip(tables.steps, reads, strict=False)]
        self._blocks = [
            ([self._product(step.weight, step.bias) for step in block.convolutions], self._ending(block, then, weights))
            for block, then in zip(trunk.blocks, [*trunk.blocks[1:], None], strict=True)
        ]
        if isinstance(head_tables, LogicalTables):
            assert isinstance(weights.head, LogicalHead)
            self._to_data = Product.of(weights.head.to_data, None, self._dtype, device)
            self._data = self._readers(head_tables.to_data, 2 * len(head_tables.sites))
            self._asked = self._segments(weights.head, head_tables)
        else:
            self._owner, self._type_of = self._moved(head_tables.owner).long(), self._moved(head_tables.type).long()
            self._asked = []

    @property
    def operators(self) -> int:
        """Logical operators that a logical head is asked about."""
        return len(self._asked[0].start) - 1 if self._asked else 0

    def evidence(self, packed: torch.Tensor, by: ModuleType) -> torch.Tensor:
        """float32 [shots, asked] from packed events, uint8 [shots, bytes], on the device.

        Parameters
        ----------
        packed
        by
            `cascade_qec.kernels.folded` or `cascade_qec.kernels.fused.folded`.
        """
        states, stream, x = by.begin(packed.t().contiguous(), self._begin)
        for (*convolutions, last), ending in self._blocks:
            for convolution, readers in zip(convolutions, self._steps, strict=False):
                x = by.convolve(x, convolution, readers, last.weight.dtype)
            stream, x = by.end_block(x, last, self._steps[-1], stream, ending)
        if not self._asked:
            return x[self._owner, :, self._type_of].t().contiguous()
        return reduce(folded.either, [self._of_segment(x, states, asked, by) for asked in self._asked])

    def _of_segment(self, x: torch.Tensor, states: torch.Tensor, asked: Asked, by: ModuleType) -> torch.Tensor:
        read = by.convolve(by.over_time(x, asked), self._to_data, self._data, torch.float32, activate=False)
        return by.operators(read, states, asked)

    def _moved(self, array: NDArray[np.generic]) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(self._device)

    def _readers(self, table: Table, sites: int) -> Readers:
        return Readers.of(table.read, table.plane, sites, self._device)

    def _type(self, weight: NDArray[np.float32]) -> torch.dtype:
        """Of a product's operands."""
        return FP8 if self._fp8 and np.prod(weight.shape[-3:-1]) >= _FP8_INPUTS else self._dtype

    def _product(self, weight: NDArray[np.float32], bias: NDArray[np.float32] | None) -> Product:
        return Product.of(weight, bias, self._type(weight), self._device)

    def _first(self, tables: Tables, embedding: NDArray[np.float32], block: Block) -> Sites:
        arrays = (embedding, block.scale, block.shift, block.down, block.down_bias)
        rows, scale, shift, down, bias = map(torch.from_numpy, arrays)
        narrow = folded.silu(folded.silu(scale * rows + shift) @ down + bias)
        return Sites(
            *map(self._moved, (tables.byte, tables.kind, tables.shift, tables.mask, tables.fill)),
            stream=rows.to(self._device, self._dtype),
            narrow=folded.stored(narrow, self._type(block.convolutions[0].weight)).to(self._device),
        )

    def _ending(self, block: Block, following: Block | None, weights: Weights) -> Ending:
        head = weights.head
        behind = following or weights.trunk
        then, dtype = None, self._dtype
        if following is not None:
            then = self._product(following.down, following.down_bias)
            dtype = self._type(following.convolutions[0].weight)
        elif isinstance(head, LocalHead):
            then, dtype = Product.of(head.output, head.bias, self._dtype, self._device), torch.float32
        up = self._product(block.up, None)
        return Ending(up, self._moved(behind.scale), self._moved(behind.shift), then, following is None, dtype)

    def _segments(self, head: LogicalHead, tables: LogicalTables) -> list[Asked]:
        operator, check = np.nonzero(tables.members)
        begin = np.searchsorted(operator, np.arange(len(tables.members) + 1)) * tables.checks.shape[1]
        position = np.argsort(tables.order).astype(np.int32)
        sites, own = tables.read(0)
        biases = self._moved(head.biases(len(tables.segments)))
        hidden = Product.of(head.hidden, None, torch.float32, self._device)._replace(bias=biases[0])
        arrays = (
            tables.order,
            position,
            tables.start,
            tables.place,
            begin.astype(np.int32),
            tables.checks[check].ravel(),
        )
        first = Asked(
            self._moved(sites),
            own,
            *map(self._moved, arrays),
            share=tables.share,
            hidden=hidden,
            output=self._moved(head.output),
            output_bias=head.output_bias,
            exact=self._dtype == torch.float32,
        )
        later = first._replace(begin=torch.zeros_like(first.begin), check=first.check[:0])
        asked = [first]
        for segment, bias in enumerate(biases[1:], start=1):
            sites, own = tables.read(segment)
            asked.append(later._replace(sites=self._moved(sites), own=own, hidden=hidden._replace(bias=bias)))
        return asked
