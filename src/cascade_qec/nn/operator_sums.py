"""The network's last convolution, from checks to data qubits, and its sum over each logical operator's support."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, Float32
from numpy.typing import NDArray

from cascade_qec.kernels import Relations, lattice_convolution
from cascade_qec.lattice import Lattice, concatenate, sums_over_time


class OperatorSums(torch.nn.Module):
    """What each of many logical operators reads of one or several experiments.

    The sum over an operator's data qubits in space and time and the convolution before it are linear. The sum over
    time comes first, then the convolution at each data place, which all operators share, and the sum over each
    operator's places last. Sums are divided by the sites of the heaviest operator, so that where all weigh the same
    they are the paper's means. The mean of a lighter operator would not tell among how few qubits a flip was seen: the
    network would learn to read those of which there are most, and the others no better than a guess.

    Parameters
    ----------
    lattices : sequence of Lattice
        Side by side, as in `Geometry`.
    supports : sequence of bool [operators, data places]
        For each lattice, in its frame.
    slices : int, optional
        By what sums over time are divided; by default by each lattice's own, so that they are means over time. Means of
        ever more rounds would dilute what is seen of one flip.
    """

    def __init__(
        self, lattices: Sequence[Lattice], supports: Sequence[NDArray[np.bool_]], slices: int | None = None
    ) -> None:
        super().__init__()
        orders, tables = zip(*(sums_over_time(lattice.frame) for lattice in lattices), strict=True)
        self.relations = Relations(concatenate(tables))
        starts = np.cumsum([0, *map(len, orders)])
        self.order: torch.Tensor
        order = np.concatenate([start + order for start, order in zip(starts, orders, strict=False)])
        self.register_buffer("order", torch.from_numpy(order), persistent=False)
        self._counts = list(map(len, supports))
        self.operators = sum(self._counts)
        self._shapes = [(lattice.slices, size) for lattice in lattices for size in lattice.frame.plane_sizes]
        self._places: list[slice] = []
        start = 0
        for index, (lattice, support) in enumerate(zip(lattices, supports, strict=True)):
            self._places.append(slice(start, start + support.shape[1]))
            start += support.shape[1]
            share = support / ((slices or lattice.slices) * support.sum(axis=1).max())
            self.register_buffer(f"share_{index}", torch.from_numpy(share).float(), persistent=False)

    def forward(
        self, x: Float[torch.Tensor, "sites shots channels"], weight: Float[torch.Tensor, "features inputs"]
    ) -> Float32[torch.Tensor, "operators shots features"]:
        """Features of each operator; the operators of the lattices follow one another.

        Parameters
        ----------
        x : [sites, shots, channels]
        weight : [features, data planes * relations * channels]

        Returns
        -------
        float32 [operators, shots, features]
        """
        shots = x.shape[1]
        planes = x.split([slices * size for slices, size in self._shapes])
        sums = []
        for plane, (slices, size) in zip(planes, self._shapes, strict=True):
            # A data qubit reads its checks in its own slice and the next, and all slices but the first are a next.
            sums += _SumsOverTime.apply(plane.view(slices, size, *x.shape[1:]))
        by_plane = weight.to(x.dtype).view(len(weight), self.relations.planes_out, -1).transpose(0, 1).contiguous()
        by_kind = torch.cat(sums).to(x.dtype).index_select(0, self.order)
        read = lattice_convolution(by_kind, by_plane, self.relations).float()
        parts = [self.get_buffer(f"share_{i}") @ read[places].flatten(1) for i, places in enumerate(self._places)]
        return torch.cat(parts).view(self.operators, shots, -1)

    def means(self, sums: Float32[torch.Tensor, "operators shots features"]) -> torch.Tensor:
        """For each operator the mean over those of its lattice, float32 [operators, shots, features]."""
        parts = sums.split(self._counts)
        return torch.cat([part.mean(dim=0, keepdim=True).expand_as(part) for part in parts])


class _SumsOverTime(torch.autograd.Function):
    """float32 sums over all slices and over all but the first; its gradient is written in one go."""

    @staticmethod
    def forward(ctx, by_time):  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx.shape, ctx.dtype = by_time.shape, by_time.dtype
        whole = by_time.sum(dim=0, dtype=torch.float32)
        return whole, whole - by_time[0]

    @staticmethod
    def backward(ctx, of_whole, of_later):  # pyright: ignore[reportIncompatibleMethodOverride]
        gradient = of_whole.new_empty(ctx.shape, dtype=ctx.dtype)
        gradient[0] = of_whole
        gradient[1:] = of_whole + of_later
        return gradient
