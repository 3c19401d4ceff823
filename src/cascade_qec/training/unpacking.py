"""Packed shots to what the network takes, on its own device: an eighth of the bytes travels there."""

from __future__ import annotations

import numpy as np
import torch

from cascade_qec import codes
from cascade_qec.codes import Operators
from cascade_qec.lattice import ABSENT, Lattice, LogicalOperators, logical_operators, memory_lattice
from cascade_qec.training.recipe import Recipe

_NOWHERE = -1


class Unpacker:
    """Unpacks the micro-batches of a recipe.

    Parameters
    ----------
    recipe : Recipe
    device : torch.device
    operators : {"observables", "translations", "lightest", "light"}, optional
        Whose values are the labels; by default those that the recipe learns.
    """

    def __init__(self, recipe: Recipe, device: torch.device, operators: Operators | None = None) -> None:
        self.device = device
        sites, observables, start = [], [], 0  # for each site and observable the bit of a row that it is read from
        self._labels: list[_Labels] = []
        offset = 0
        for basis in recipe.bases:
            lattice = memory_lattice(codes.get(recipe.code), recipe.rounds, basis)
            read = np.full(lattice.sites, _NOWHERE)
            read[lattice.detector_sites] = start + np.arange(lattice.detectors)
            sites.append(read)
            start += _whole_bytes(lattice.detectors)
            observables.append(start + np.arange(lattice.code.k))
            start += _whole_bytes(lattice.code.k)
            self._labels.append(
                _Labels(lattice, logical_operators(lattice.code, basis, operators or recipe.operators), offset).to(
                    device
                )
            )
            offset += lattice.sites
        self._sites = offset
        bit = torch.from_numpy(np.concatenate(sites + observables)).to(device)
        self._nowhere = (bit == _NOWHERE)[:, None]
        self._byte = (bit // 8).clamp(min=0)
        self._shift = (bit % 8).to(torch.uint8)[:, None]

    def __call__(self, packed: np.ndarray | torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """States and labels of a micro-batch; the sites and the operators of the bases follow one another.

        Parameters
        ----------
        packed : uint8 [shots, bytes]
            As `data.sample` gives it; on any device.

        Returns
        -------
        states : uint8 [sites, shots]
            As `Lattice.scatter` gives them.
        labels : float32 [shots, operators]
            The value of each logical operator.
        """
        columns = torch.as_tensor(packed).to(self.device, non_blocking=True).t().contiguous()
        bits = columns.index_select(0, self._byte)
        bits.bitwise_right_shift_(self._shift).bitwise_and_(1).masked_fill_(self._nowhere, ABSENT)
        states = bits[: self._sites]
        flips = bits[self._sites :].split([labels.k for labels in self._labels])
        of_bases = [labels(states, flip) for labels, flip in zip(self._labels, flips, strict=True)]
        return states, torch.cat(of_bases).t().contiguous()


class _Labels(torch.nn.Module):
    """Values of logical operators: sums of observables, which the sampler knows, and of checks, which events tell."""

    def __init__(self, lattice: Lattice, asked: LogicalOperators, offset: int) -> None:
        super().__init__()
        self.k = lattice.code.k
        self.check_sites: torch.Tensor
        self.register_buffer("check_sites", torch.from_numpy(offset + lattice.check_sites(lattice.basis)))
        self.parities: torch.Tensor
        self.register_buffer("parities", torch.from_numpy(np.hstack([asked.logicals, asked.checks])).float())

    def forward(self, states: torch.Tensor, flips: torch.Tensor) -> torch.Tensor:
        """uint8 [all sites, shots] and [k, shots] to float32 [operators, shots]."""
        # A check's last value is the parity of its events over time.
        values = states[self.check_sites].sum(dim=0)
        return (self.parities @ torch.cat([flips.float(), values.float()])) % 2


def _whole_bytes(bits: int) -> int:
    return -(-bits // 8) * 8
