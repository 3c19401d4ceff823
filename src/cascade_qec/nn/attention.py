"""Attention among sites, which may stand in the convolution's place: to its neighbours, or to all sites."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float

from cascade_qec import lattice
from cascade_qec.lattice import Lattice, relative_positions
from cascade_qec.model import HEAD_CHANNELS
from cascade_qec.nn.layers import Pointwise


class Views(torch.nn.Module):
    """What the sites of one or several experiments side by side see, ready for `Attention`.

    Attributes
    ----------
    sizes : list of int
        Sites of each experiment; none sees another's.
    """

    def __init__(self, lattices: Sequence[Lattice], attention: lattice.Attention) -> None:
        super().__init__()
        self.sizes = [one.sites for one in lattices]
        for number, one in enumerate(lattices):
            positions = relative_positions(one.frame, one.slices, attention)
            self.register_buffer(f"positions_{number}", torch.from_numpy(positions), persistent=False)

    def __iter__(self) -> Iterator[torch.Tensor]:
        """The table of each experiment, see `relative_positions`."""
        return (self.get_buffer(f"positions_{number}") for number in range(len(self.sizes)))


class Attention(torch.nn.Module):
    """Multi-head attention with a bias for each head and relative position.

    Scores are dense, sites by sites: this is for studies of small codes. Biases begin with variance 1, so that heads
    look in different directions from the first step on.

    Parameters
    ----------
    channels : int
        A multiple of `HEAD_CHANNELS`.
    positions : int
        Relative positions, see `cascade_qec.lattice.count_positions`.
    """

    def __init__(self, channels: int, positions: int) -> None:
        super().__init__()
        self.query, self.key, self.value, self.output = (Pointwise(channels, channels) for _ in range(4))
        self.position_bias = torch.nn.Parameter(torch.randn(positions, channels // HEAD_CHANNELS))

    def forward(
        self, x: Float[torch.Tensor, "sites shots channels"], views: Views
    ) -> Float[torch.Tensor, "sites shots channels"]:
        projected = [of(x).split(views.sizes) for of in (self.query, self.key, self.value)]
        # the last row is that of -1
        unseen = torch.full_like(self.position_bias[:1], -np.inf)
        biases = torch.cat([self.position_bias, unseen]).to(x.dtype)
        mixed = [
            _attend(query, key, value, F.embedding(positions % len(biases), biases).permute(2, 0, 1))
            for query, key, value, positions in zip(*projected, views, strict=True)
        ]
        return self.output(torch.cat(mixed))


def _attend(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    """[sites, shots, channels] of queries, keys and values, with the bias of their scores, [heads, sites, sites]."""
    by_head = (part.unflatten(2, (len(bias), -1)).permute(1, 2, 0, 3) for part in (query, key, value))
    mixed = F.scaled_dot_product_attention(*by_head, attn_mask=bias)
    return mixed.permute(2, 0, 1, 3).flatten(2)
