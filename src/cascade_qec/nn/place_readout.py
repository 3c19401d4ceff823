"""The network's last convolution for many logical operators at once."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from cascade_qec.lattice import Lattice, Span
from cascade_qec.lattice.relations import site_index


class PlaceReadout(torch.nn.Module):
    """What `Geometry.pool` and the readout after it give, in an order that is cheap for many operators.

    The mean over an operator's data qubits in space and time and the convolution before it are linear. Training pools
    first, as it asks about k operators; here the sum over time comes first, then the convolution at each data place,
    and the mean over each operator's places last.

    Parameters
    ----------
    lattice : Lattice
    support : bool [operators, data places]
        In the lattice's frame.
    """

    def __init__(self, lattice: Lattice, support: NDArray[np.bool_]) -> None:
        super().__init__()
        frame = lattice.frame
        places = sum(frame.plane_sizes)
        self._slices = lattice.slices
        self._planes: list[Span] = []
        start = 0
        for plane, size in enumerate(frame.data_plane_sizes):
            self._planes.append(Span(start, start + size, plane))
            start += size
        # A data qubit reads its checks in its own slice and the next: read off the first of two slices.
        table = frame.readout(2).table
        site_at = site_index(frame.plane_sizes, 2)
        place_of = np.empty(site_at.size, dtype=np.int64)
        place_of[site_at] = np.arange(places) + places * np.arange(2)[:, None]
        first = table[site_index(frame.data_plane_sizes, 2)[0]]
        absent = 2 * places
        self.reads: torch.Tensor
        self.register_buffer("reads", torch.from_numpy(np.where(first >= 0, place_of[first], absent)), persistent=False)
        self.sites: torch.Tensor
        sites = site_index(frame.plane_sizes, self._slices)
        self.register_buffer("sites", torch.from_numpy(sites), persistent=False)
        self.mean: torch.Tensor
        mean = support / (self._slices * support.sum(axis=1, keepdims=True))
        self.register_buffer("mean", torch.from_numpy(mean).float(), persistent=False)

    def forward(self, x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        """Features of each operator.

        Parameters
        ----------
        x : [sites, shots, channels]
        weight : [features, data planes * relations * channels]
            Of the readout.

        Returns
        -------
        float32 [operators, shots, features]
        """
        shots, channels = x.shape[1:]
        now = x[self.sites.flatten()].view(*self.sites.shape, shots, channels).float()
        whole = now.sum(dim=0)
        # The next slice of slice t: all but the first.
        sums = torch.cat([whole, whole - now[0], torch.zeros_like(whole[:1])]).to(x.dtype)
        weights = weight.to(x.dtype).view(len(weight), len(self._planes), -1)
        features = []
        for span in self._planes:
            read = sums[self.reads[span.start : span.stop]]  # [places, relations, shots, channels]
            read = read.transpose(1, 2).reshape(span.stop - span.start, shots, -1)
            features.append((read @ weights[:, span.plane].t()).float())
        by_place = torch.cat(features)
        return (self.mean @ by_place.flatten(1)).view(len(self.mean), shots, -1)
