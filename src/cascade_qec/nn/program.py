"""The network in PyTorch as a program: on GPUs, and on CPUs where no faster one is installed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from cascade_qec.codes import Operators
from cascade_qec.components import Components
from cascade_qec.engine import LocalTables, LogicalTables, Program
from cascade_qec.lattice import Lattice
from cascade_qec.nn.geometry import Geometry
from cascade_qec.nn.network import CascadeNetwork
from cascade_qec.nn.questions import Questions
from cascade_qec.nn.unpacking import Unpacking

_CHUNK_ACTIVATIONS = {"cpu": 1 << 22, "cuda": 1 << 28}
"""Activations of the residual stream at a time: on a CPU what its caches hold, on a GPU a part of memory."""

_MAX_CHUNK_SHOTS = 8192


class TorchProgram(Program):
    """A network for one experiment.

    Parameters
    ----------
    network
        In evaluation mode, on its device.
    lattice
    asked
        Logical operators, or the components of the experiment's error model.
    head_tables
        What is decided.
    dtype
        Of the activations.
    noise : float32 [sites, told], optional
        See `cascade_qec.components.Priors`.
    """

    def __init__(
        self,
        network: CascadeNetwork,
        lattice: Lattice,
        asked: Operators | Sequence[Components],
        head_tables: LogicalTables | LocalTables,
        dtype: torch.dtype,
        noise: NDArray[np.float32] | None = None,
    ) -> None:
        super().__init__(head_tables)
        self._network, self._dtype = network, dtype
        device = network.trunk.embedding.device
        self._noise = None if noise is None else torch.from_numpy(noise).to(device)
        self._geometry = Geometry([lattice], network.settings.convolution, asked).to(device)
        self._unpacking = Unpacking([lattice]).to(device)
        self._questions = Questions([lattice], asked).to(device) if isinstance(asked, str) else None
        of_shot = network.settings.width * max(lattice.sites, sum(self._questions.counts) if self._questions else 0)
        self._chunk = max(1, min(_MAX_CHUNK_SHOTS, _CHUNK_ACTIVATIONS[device.type] // of_shot))

    def evidence(self, packed: NDArray[np.uint8]) -> NDArray[np.float32]:
        parts = [self._evidence(packed[start : start + self._chunk]) for start in range(0, len(packed), self._chunk)]
        return np.concatenate(parts or [self._evidence(packed)])

    def _evidence(self, packed: NDArray[np.uint8]) -> NDArray[np.float32]:
        packed = np.require(packed, requirements="W")  # PyTorch warns of arrays that cannot be written, such as files'
        with torch.inference_mode():
            states, _ = self._unpacking(packed)
            features = self._network.trunk(states, self._geometry, self._dtype, self._noise)
            logits = self._network.head(features, self._geometry)
            if self._questions is not None:
                logits = logits * (1 - 2 * self._questions.parities(states))
            return logits.cpu().numpy()
