"""Packed shots to what the network takes, on its own device: an eighth of the bytes travels there."""

from __future__ import annotations

import numpy as np
import torch

from cascade_qec import codes
from cascade_qec.lattice import ABSENT, memory_lattice
from cascade_qec.training.recipe import Recipe

_NOWHERE = -1


class Unpacker:
    """Unpacks the micro-batches of a recipe.

    Parameters
    ----------
    recipe : Recipe
    device : torch.device
    """

    def __init__(self, recipe: Recipe, device: torch.device) -> None:
        self.device = device
        sites, labels, start = [], [], 0  # for each site and label the bit of a row that it is read from
        for basis in recipe.bases:
            lattice = memory_lattice(codes.get(recipe.code), recipe.rounds, basis)
            read = np.full(lattice.sites, _NOWHERE)
            read[lattice.detector_sites] = start + np.arange(lattice.detectors)
            sites.append(read)
            start += _whole_bytes(lattice.detectors)
            labels.append(start + np.arange(lattice.code.k))
            start += _whole_bytes(lattice.code.k)
        self._sites = sum(map(len, sites))
        bit = torch.from_numpy(np.concatenate(sites + labels)).to(device)
        self._nowhere = (bit == _NOWHERE)[:, None]
        self._byte = (bit // 8).clamp(min=0)
        self._shift = (bit % 8).to(torch.uint8)[:, None]

    def __call__(self, packed: np.ndarray | torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """States and labels of a micro-batch; the sites and the observables of the bases follow one another.

        Parameters
        ----------
        packed : uint8 [shots, bytes]
            As `data.sample` gives it; on any device.

        Returns
        -------
        states : uint8 [sites, shots]
            As `Lattice.scatter` gives them.
        labels : float32 [shots, observables]
        """
        columns = torch.as_tensor(packed).to(self.device, non_blocking=True).t().contiguous()
        bits = columns.index_select(0, self._byte)
        bits.bitwise_right_shift_(self._shift).bitwise_and_(1).masked_fill_(self._nowhere, ABSENT)
        return bits[: self._sites], bits[self._sites :].t().float()


def _whole_bytes(bits: int) -> int:
    return -(-bits // 8) * 8
