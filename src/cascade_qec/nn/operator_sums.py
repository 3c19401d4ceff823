"""The network's last convolution, from checks to data qubits, and its sum over each logical operator's support."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import numpy as np
import torch
from jaxtyping import Float, Float32
from numpy.typing import NDArray

from cascade_qec.kernels import Relations, lattice_convolution
from cascade_qec.kernels.folded import either
from cascade_qec.lattice import Lattice, concatenate, segments, sums_over_time


class OperatorSums(torch.nn.Module):
    """What each of many logical operators reads of one or several experiments.

    The sum over an operator's data qubits in space and time and the convolution before it are linear. The sum over time
    comes first, then the convolution at each data place, which all operators share, and the sum over each operator's
    places last. Of an experiment in several segments, each is read on its own. Sums are divided by the sites of the
    heaviest operator, so that where all weigh the same they are the paper's means. The mean of a lighter operator would
    not tell among how few qubits a flip was seen: the network would learn to read those of which there are most, and
    the others no better than a guess.

    Parameters
    ----------
    lattices : sequence of Lattice
        Side by side, as in `Geometry`.
    supports : sequence of bool [operators, data places]
        For each lattice, in its frame.
    slices : sequence of int, optional
        By what each lattice's sums over time are divided; by default by its own, so that they are means over time.
        Means of ever more rounds would dilute what is seen of one flip.
    segment_rounds : int, optional
        Most rounds of a segment; by default an experiment is one.
    """

    def __init__(
        self,
        lattices: Sequence[Lattice],
        supports: Sequence[NDArray[np.bool_]],
        slices: Sequence[int] | None = None,
        segment_rounds: int | None = None,
    ) -> None:
        super().__init__()
        self._experiments = [(lattice.rounds, lattice.basis) for lattice in lattices]
        self._segment_rounds = segment_rounds
        self._segments = [segments(lattice.rounds, segment_rounds) for lattice in lattices]
        read = [sums_over_time(one.frame) for one, parts in zip(lattices, self._segments, strict=True) for _ in parts]
        orders, tables = zip(*read, strict=True)
        self.relations = Relations(concatenate(tables))
        starts = np.cumsum([0, *map(len, orders)])
        self.order: torch.Tensor
        order = np.concatenate([start + order for start, order in zip(starts, orders, strict=False)])
        self.register_buffer("order", torch.from_numpy(order), persistent=False)
        self._counts = list(map(len, supports))
        self.operators = sum(self._counts)
        self._shapes = [(lattice.slices, lattice.frame.plane_sizes) for lattice in lattices]
        slices = slices or [lattice.slices for lattice in lattices]
        for index, (divisor, support) in enumerate(zip(slices, supports, strict=True)):
            share = support / (divisor * support.sum(axis=1).max())
            self.register_buffer(f"share_{index}", torch.from_numpy(share).float(), persistent=False)

    def forward(
        self, x: Float[torch.Tensor, "sites shots channels"], weight: Float[torch.Tensor, "features inputs"]
    ) -> Float32[torch.Tensor, "read shots features"]:
        """Features of each operator in each segment: lattice by lattice, segment by segment.

        Parameters
        ----------
        x : [sites, shots, channels]
        weight : [features, data planes * relations * channels]

        Returns
        -------
        float32 [read, shots, features]
        """
        shots = x.shape[1]
        planes = iter(x.split([slices * size for slices, sizes in self._shapes for size in sizes]))
        sums = []
        for parts, (slices, sizes) in zip(self._segments, self._shapes, strict=True):
            by_plane = [_SumsOverTime.apply(next(planes).view(slices, size, *x.shape[1:]), parts) for size in sizes]
            sums.append(torch.cat(by_plane, dim=1).flatten(0, 1))
        by_plane = weight.to(x.dtype).view(len(weight), self.relations.planes_out, -1).transpose(0, 1).contiguous()
        by_kind = torch.cat(sums).to(x.dtype).index_select(0, self.order)
        read = lattice_convolution(by_kind, by_plane, self.relations).float()
        shares = [self.get_buffer(f"share_{i}") for i, parts in enumerate(self._segments) for _ in parts]
        places = read.flatten(1).split([share.shape[1] for share in shares])
        parts = [share @ of_segment for share, of_segment in zip(shares, places, strict=True)]
        return torch.cat(parts).view(-1, shots, read.shape[2])

    def silence(self, sums: Float32[torch.Tensor, "read 1 features"]) -> Float32[torch.Tensor, "read 1 features"]:
        """By how much those of a silent shot, in the mean over a segment, differ from the same of an experiment of
        `segment_rounds`, which must be among the lattices in the same basis.
        """
        # of each lattice [segments, 1, features]
        means = [torch.stack(of_lattice).mean(dim=1) for of_lattice in self._by_segment(sums)]
        seen = list(zip(means, self._experiments, strict=True))
        of_own = {basis: mean for mean, (rounds, basis) in seen if rounds == self._segment_rounds}
        differing = zip([mean - of_own[basis] for mean, (_, basis) in seen], self._counts, strict=True)
        return torch.cat([mean.repeat_interleave(count, dim=0) for mean, count in differing])

    def together(self, logits: Float32[torch.Tensor, "read shots"]) -> Float32[torch.Tensor, "operators shots"]:
        """Log-odds that an odd number of segments flip an operator, from those of each segment."""
        return torch.cat([reduce(either, of_lattice) for of_lattice in self._by_segment(logits)])

    def _by_segment(self, read: torch.Tensor) -> list[tuple[torch.Tensor, ...]]:
        """For each lattice what was read in each of its segments."""
        numbers = [len(parts) for parts in self._segments]
        by_lattice = read.split([n * count for n, count in zip(numbers, self._counts, strict=True)])
        return [part.chunk(n) for part, n in zip(by_lattice, numbers, strict=True)]


class _SumsOverTime(torch.autograd.Function):
    """float32 [segments, 2 * places, ...] from [slices, places, ...]: a segment's slices summed, and those one later.

    A data qubit reads its checks in its own slice and the next. The gradient is written in one go.
    """

    @staticmethod
    def forward(ctx, by_time, parts):  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx.shape, ctx.dtype, ctx.parts = by_time.shape, by_time.dtype, parts
        sums = []
        for start, stop in parts:
            own = by_time[start:stop].sum(dim=0, dtype=torch.float32)
            entering = by_time[stop] if stop < len(by_time) else 0
            sums.append(torch.cat([own, own - by_time[start] + entering]))
        return torch.stack(sums)

    @staticmethod
    def backward(ctx, of_sums):  # pyright: ignore[reportIncompatibleMethodOverride]
        gradient = of_sums.new_empty(ctx.shape, dtype=ctx.dtype)
        of_entering = 0
        for (start, stop), of_segment in zip(ctx.parts, of_sums, strict=True):
            of_own, of_later = of_segment.chunk(2)
            gradient[start] = of_own + of_entering
            gradient[start + 1 : stop] = of_own + of_later
            of_entering = of_later
        return gradient, None
