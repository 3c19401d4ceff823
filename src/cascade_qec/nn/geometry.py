"""What the network is told of one or several experiments: tables, kinds of site, and where logicals are read."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from cascade_qec.kernels import Relations
from cascade_qec.lattice import ABSENT, Lattice, RelationTable, concatenate

STATES = ABSENT + 1


class Geometry(torch.nn.Module):
    """The lattices of one or several experiments side by side, ready for the network.

    Several experiments (both bases, say) share one batch: their sites follow one another, and shot b of each of
    them stands in column b. The network sees one longer list of sites; its statistics are those of the mixture.

    Parameters
    ----------
    lattices : sequence of Lattice
        Of one code family.
    convolution : {"direct", "bipartite"}

    Attributes
    ----------
    steps : list of Relations
        One (direct) or two (bipartite) tables that make up a block's convolution.
    sites, observables : int
        Totals over all experiments.
    """

    def __init__(self, lattices: Sequence[Lattice], convolution: str) -> None:
        super().__init__()
        tables = [lattice.frame.convolution(convolution, lattice.slices) for lattice in lattices]
        self.steps = torch.nn.ModuleList(Relations(concatenate(step)) for step in zip(*tables, strict=True))
        self.sites = sum(lattice.sites for lattice in lattices)
        self.observables = sum(lattice.code.k for lattice in lattices)
        self.embedding_offset: torch.Tensor
        offsets = np.concatenate([STATES * lattice.site_kind for lattice in lattices])
        self.register_buffer("embedding_offset", torch.from_numpy(offsets), persistent=False)
        self._spans: list[slice] = []
        start = 0
        for index, lattice in enumerate(lattices):
            self._spans.append(slice(start, start + lattice.sites))
            start += lattice.sites
            pool = torch.from_numpy(_pooling(lattice)).float()
            self.register_buffer(f"pool_{index}", pool, persistent=False)

    def pool(self, x: torch.Tensor) -> torch.Tensor:
        """Mean over each logical's support of what its data qubits read.

        Parameters
        ----------
        x : [sites, shots, channels]

        Returns
        -------
        [observables, shots, readout planes * relations * channels]
            The last convolution is linear, so it commutes with the mean; pooling first leaves k rows to multiply
            by its weights instead of one for each data qubit and slice.
        """
        shots, channels = x.shape[1:]
        parts = []
        for index, sites in enumerate(self._spans):
            weights = self.get_buffer(f"pool_{index}").to(x.dtype)
            pooled = weights.flatten(0, 1) @ x[sites].reshape(-1, shots * channels)
            pooled = pooled.view(*weights.shape[:2], shots, channels).transpose(1, 2)
            parts.append(pooled.reshape(len(weights), shots, -1))
        return torch.cat(parts)


def readout_relations(lattice: Lattice) -> int:
    """Planes times relations of the last convolution, from checks to data qubits."""
    table = lattice.frame.readout(lattice.slices)
    return table.planes_out * table.relations


def _pooling(lattice: Lattice) -> np.ndarray:
    """float64 [k, planes * relations, sites]: how much of each site each relation brings to each logical."""
    table: RelationTable = lattice.frame.readout(lattice.slices)
    weights = lattice.logical_weights
    pool = np.zeros((len(weights), table.planes_out, table.relations, lattice.sites))
    for span in table.spans_out:
        for r in range(table.relations):
            read = table.table[span.start : span.stop, r]
            present = read >= 0
            np.add.at(pool[:, span.plane, r].T, read[present], weights[:, span.start : span.stop][:, present].T)
    return pool.reshape(len(weights), -1, lattice.sites)
