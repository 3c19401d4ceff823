"""A folded model in PyTorch: by Triton's kernels on CUDA devices, else by operations that everything has."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

from cascade_qec import kernels
from cascade_qec.engine import Block, LocalHead, LocalTables, LogicalHead, LogicalTables, Program, Table, Tables, Weights
from cascade_qec.errors import CascadeWarning
from cascade_qec.kernels import folded
from cascade_qec.kernels.choice import attempt
from cascade_qec.kernels.folded import FP8, Asked, Ending, Product, Readers, Sites
from cascade_qec.kernels.graphs import captured

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16, "fp8": torch.bfloat16}
"""Of the activations by a program's precision; products are of another type in fp8."""

_FP8_INPUTS = 32
"""Numbers that a product in FP8 sums at least: as many as a matrix unit takes at a time."""

_CHUNK_ACTIVATIONS = {"cpu": 1 << 22, "cuda": 1 << 28}
"""Activations of the residual stream at a time: on a CPU what its caches hold, on a GPU a part of memory."""

_MAX_CHUNK_SHOTS = 8192

_GRAPH_SHOTS, _GRAPH_ACTIVATIONS = 1024, 1 << 26
"""The most of a graph: more of either keep a GPU busy for longer than it takes to launch the kernels one by one."""

_LEAST_SHOTS = 16
"""Of a graph, but for that of a single shot: fewer take as long, as tiles of the matrix units have so many rows."""


class TorchProgram(Program):
    """A model folded for inference, for one experiment, in PyTorch.

    On a CUDA device the launches of a batch are recorded as a graph, one for each power of two of shots; batches are
    filled up with silent shots to the next. Larger ones are launched as they are. Threads wait for each other.

    Parameters
    ----------
    weights, tables, head_tables
    device
    precision
        "float32", "bfloat16" or "float16": of the activations; sums are in float32. "fp8" is bfloat16 with products in
        FP8 (e4m3), where they sum at least 32 numbers: the blocks' convolutions, and of wide networks the products
        before and behind them. The head's are not. Devices without FP8 emulate it slowly.
    """

    def __init__(
        self,
        weights: Weights,
        tables: Tables,
        head_tables: LogicalTables | LocalTables,
        device: torch.device,
        precision: str,
    ) -> None:
        super().__init__(head_tables)
        self._device, self._dtype, self._fp8 = device, DTYPES[precision], precision == "fp8"
        trunk, head = weights.trunk, weights.head
        first = trunk.blocks[0]
        width, count = trunk.embedding.shape[1], len(tables.byte)
        self._sites = Sites(
            *(torch.from_numpy(array).to(device) for array in _of_sites(tables)),
            torch.from_numpy(trunk.embedding).to(device, self._dtype),
            folded.stored(_first_narrow(trunk.embedding, first), self._type(first.convolutions[0].weight)).to(device),
        )
        reads = [count, *(len(step.plane) for step in tables.steps)]
        self._steps = [self._readers(step, sites) for step, sites in zip(tables.steps, reads, strict=False)]
        self._blocks = [
            (
                [self._product(step.weight, step.bias) for step in block.convolutions],
                self._ending(block, following, weights),
            )
            for block, following in zip(trunk.blocks, [*trunk.blocks[1:], None], strict=True)
        ]
        asked = 0
        if isinstance(head, LogicalHead):
            assert isinstance(head_tables, LogicalTables)
            self._to_data = Product.of(head.to_data, None, self._dtype, device)
            self._data = self._readers(head_tables.to_data, 2 * len(head_tables.sites))
            self._asked = self._operators(head, head_tables)
            asked = len(head_tables.start) - 1
        else:
            assert isinstance(head_tables, LocalTables)
            self._owner, self._type_of = (
                torch.from_numpy(array).long().to(device) for array in (head_tables.owner, head_tables.type)
            )
        self._local = isinstance(head, LocalHead)
        self._chunk = max(1, min(_MAX_CHUNK_SHOTS, _CHUNK_ACTIVATIONS[device.type] // (width * max(count, asked))))
        self._graph_shots = min(_GRAPH_SHOTS, _GRAPH_ACTIVATIONS // (width * count))
        self._graphs: dict[int, Callable[..., torch.Tensor]] = {}
        self._pool: object = None
        self._lock = threading.Lock()

    def evidence(self, packed: NDArray[np.uint8]) -> NDArray[np.float32]:
        parts = [self._evidence(packed[start : start + self._chunk]) for start in range(0, len(packed), self._chunk)]
        return np.concatenate(parts or [self._evidence(packed)])

    def _evidence(self, packed: NDArray[np.uint8]) -> NDArray[np.float32]:
        if not len(packed):  # of which no kernel is launched
            return self._evidence(np.zeros((1, packed.shape[1]), dtype=np.uint8))[:0]
        with torch.inference_mode():
            if kernels.backend(self._device) != "triton":
                return self._plain(packed)
            return attempt(lambda: self._fused(packed), lambda: self._plain(packed))

    def _plain(self, packed: NDArray[np.uint8]) -> NDArray[np.float32]:
        return self._run(folded, self._on_device(packed)).cpu().numpy()

    def _fused(self, packed: NDArray[np.uint8]) -> NDArray[np.float32]:
        shots = len(packed)
        size = 1 if shots == 1 else max(_LEAST_SHOTS, 1 << (shots - 1).bit_length())
        if self._device.type != "cuda" or size > self._graph_shots:
            return self._by_triton(self._on_device(packed)).cpu().numpy()
        filled = np.zeros((size, packed.shape[1]), dtype=np.uint8)
        filled[:shots] = packed
        with self._lock, torch.cuda.device(self._device):
            on_device = self._on_device(filled)
            if size not in self._graphs:
                self._graphs[size] = self._captured(on_device)
            return self._graphs[size](on_device)[:shots].cpu().numpy()

    def _captured(self, packed: torch.Tensor) -> Callable[..., torch.Tensor]:
        """Their evidence as a graph, or as it is where none can be captured."""
        self._pool = torch.cuda.graph_pool_handle() if self._pool is None else self._pool
        try:
            return captured(self._by_triton, packed, pool=self._pool)
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:
            warnings.warn(f"decodes without a CUDA graph, which could not be captured: {error}", CascadeWarning, 2)
            return self._by_triton

    def _by_triton(self, packed: torch.Tensor) -> torch.Tensor:
        from cascade_qec.kernels.fused import folded as fused

        return self._run(fused, packed)

    def _run(self, by, packed: torch.Tensor) -> torch.Tensor:
        """float32 [shots, asked] from uint8 [shots, bytes], by the operations of a module."""
        states, stream, x = by.begin(packed.t().contiguous(), self._sites)
        for (*convolutions, last), ending in self._blocks:
            for convolution, readers in zip(convolutions, self._steps, strict=False):
                x = by.convolve(x, convolution, readers, last.weight.dtype)
            stream, x = by.end_block(x, last, self._steps[-1], stream, ending)
        if self._local:
            return x[self._owner, :, self._type_of].t().contiguous()
        read = by.convolve(by.over_time(x, self._asked), self._to_data, self._data, torch.float32, activate=False)
        return by.operators(read, states, self._asked)

    def _on_device(self, packed: NDArray[np.uint8]) -> torch.Tensor:
        # PyTorch warns of arrays that cannot be written, such as files'
        return torch.from_numpy(np.require(packed, requirements="CW")).to(self._device)

    def _readers(self, table: Table, sites: int) -> Readers:
        return Readers.of(table.read, table.plane, sites, self._device)

    def _type(self, weight: NDArray[np.float32]) -> torch.dtype:
        """Of a product's operands."""
        return FP8 if self._fp8 and np.prod(weight.shape[-3:-1]) >= _FP8_INPUTS else self._dtype

    def _product(self, weight: NDArray[np.float32], bias: NDArray[np.float32] | None) -> Product:
        return Product.of(weight, bias, self._type(weight), self._device)

    def _ending(self, block: Block, following: Block | None, weights: Weights) -> Ending:
        head = weights.head
        if following is not None:
            behind = following
            then = self._product(following.down, following.down_bias)
            dtype = self._type(following.convolutions[0].weight)
        elif isinstance(head, LocalHead):
            behind, then, dtype = weights.trunk, Product.of(head.output, head.bias, self._dtype, self._device), torch.float32
        else:
            behind, then, dtype = weights.trunk, None, self._dtype
        scale, shift = (torch.from_numpy(array).to(self._device) for array in (behind.scale, behind.shift))
        return Ending(self._product(block.up, None), scale, shift, then, following is None, dtype)

    def _operators(self, head: LogicalHead, tables: LogicalTables) -> Asked:
        operator, check = np.nonzero(tables.members)
        begin = np.searchsorted(operator, np.arange(len(tables.members) + 1)) * tables.checks.shape[1]
        arrays = (
            tables.sites,
            tables.order,
            np.argsort(tables.order).astype(np.int32),
            tables.start,
            tables.place,
            begin.astype(np.int32),
            tables.checks[check].reshape(-1),
        )
        return Asked(
            *(torch.from_numpy(np.ascontiguousarray(array)).to(self._device) for array in arrays),
            share=tables.share,
            hidden=Product.of(head.hidden, head.hidden_bias, torch.float32, self._device),
            output=torch.from_numpy(head.output).to(self._device),
            output_bias=head.output_bias,
            exact=self._dtype == torch.float32,
        )


def _of_sites(tables: Tables) -> tuple[NDArray[np.integer], ...]:
    return tables.byte, tables.kind, tables.shift, tables.mask, tables.fill


def _first_narrow(embedding: NDArray[np.float32], block: Block) -> torch.Tensor:
    """What a block's convolution reads of rows of the embedding, float32 [rows, channels]."""
    rows, scale, shift, down, bias = map(
        torch.from_numpy, (embedding, block.scale, block.shift, block.down, block.down_bias)
    )
    return folded.silu(folded.silu(scale * rows + shift) @ down + bias)
