"""A folded model in PyTorch: by Triton's kernels on CUDA devices, else by operations that PyTorch has everywhere."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

from cascade_qec import kernels
from cascade_qec.engine import LocalTables, LogicalTables, Program, Tables, Weights
from cascade_qec.errors import CascadeWarning
from cascade_qec.kernels import folded
from cascade_qec.kernels.choice import attempt
from cascade_qec.kernels.graphs import captured
from cascade_qec.nn.placed import Placed

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
    filled up with silent shots to the next. Large ones are launched as they are. Threads wait for each other's graphs.

    Parameters
    ----------
    weights, tables, head_tables
    device
    precision
        "float32", "bfloat16" or "float16": of the activations; sums are in float32. "fp8" is bfloat16 with the blocks'
        products in FP8 (e4m3) where they sum 32 numbers or more: the convolutions, the product before them, and the one
        behind them of at least 32 channels. Without Triton's kernels FP8 is emulated, slowly.
    """

    def __init__(
        self,
        weights: Weights,
        tables: Tables,
        head_tables: LogicalTables | LocalTables,
        device: torch.device,
        precision: str,
    ) -> None:
        super().__init__(weights, head_tables)
        self._device = device
        self._placed = Placed(weights, tables, head_tables, device, precision)
        of_shot = self._placed.width * max(self._placed.sites, self._placed.operators)
        self._chunk = max(1, min(_MAX_CHUNK_SHOTS, _CHUNK_ACTIVATIONS[device.type] // of_shot))
        self._graph_shots = min(_GRAPH_SHOTS, _GRAPH_ACTIVATIONS // of_shot)
        self._graphs: dict[int, Callable[..., torch.Tensor]] = {}
        self._pool: object = None
        self._lock = threading.Lock()

    def evidence(self, packed: NDArray[np.uint8]) -> NDArray[np.float32]:
        if not len(packed):  # of which no kernel is launched
            return self.evidence(np.zeros((1, packed.shape[1]), dtype=np.uint8))[:0]
        parts = [packed[start : start + self._chunk] for start in range(0, len(packed), self._chunk)]
        # kernels are launched on the current device
        with torch.inference_mode(), torch.cuda.device(self._device if self._device.type == "cuda" else -1):
            return np.concatenate([self._evidence(part) for part in parts])

    def _evidence(self, packed: NDArray[np.uint8]) -> NDArray[np.float32]:
        def plain() -> NDArray[np.float32]:
            return self._placed.evidence(self._moved(packed), folded).cpu().numpy()

        if kernels.backend(self._device) != "triton":
            return plain()
        return attempt(lambda: self._fused(packed), plain)

    def _fused(self, packed: NDArray[np.uint8]) -> NDArray[np.float32]:
        shots = len(packed)
        size = 1 if shots == 1 else max(_LEAST_SHOTS, 1 << (shots - 1).bit_length())
        if self._device.type != "cuda" or size > self._graph_shots:
            return self._by_triton(self._moved(packed)).cpu().numpy()
        filled = np.zeros((size, packed.shape[1]), dtype=np.uint8)
        filled[:shots] = packed
        with self._lock:
            on_device = self._moved(filled)
            if size not in self._graphs:
                self._graphs[size] = self._captured(on_device)
            return self._graphs[size](on_device)[:shots].cpu().numpy()

    def _captured(self, packed: torch.Tensor) -> Callable[..., torch.Tensor]:
        """Their evidence as a graph, or as it is where none can be captured."""
        if self._pool is None:
            self._pool = torch.cuda.graph_pool_handle()
        try:
            return captured(self._by_triton, packed, pool=self._pool)
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:
            warnings.warn(f"decodes without a CUDA graph, which could not be captured: {error}", CascadeWarning, 2)
            return self._by_triton

    def _by_triton(self, packed: torch.Tensor) -> torch.Tensor:
        from cascade_qec.kernels.fused import folded as fused

        return self._placed.evidence(packed, fused)

    def _moved(self, packed: NDArray[np.uint8]) -> torch.Tensor:
        # PyTorch warns of arrays that cannot be written, such as files'
        return torch.from_numpy(np.require(packed, requirements=["C", "W"])).to(self._device)
