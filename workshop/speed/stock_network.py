"""The network as one writes it without kernels of one's own: what every speed is compared with."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from cascade_qec.codes import CSSCode
from cascade_qec.kernels import Relations
from cascade_qec.model import NetworkSettings
from cascade_qec.nn import CascadeNetwork, Geometry, LogicalHead
from cascade_qec.nn.convolution import LatticeConvolution
from cascade_qec.nn.layers import BatchNorm, Bottleneck


class StockNetwork(CascadeNetwork):
    """The Cascade network in stock PyTorch operations; parameters, their names and results are the same.

    Neighbours are gathered by `index_select`, a matrix product for each plane follows, and autograd does the rest.
    Activations are [shots, sites, channels], as is usual, or [sites, shots, channels]: the first needs no transposed
    copy of what was gathered, the second gathers longer rows, and either may be the faster one. The network only
    trains: there are no stored statistics. The readout of logical operators is shared, so where there are kernels, use
    this network within `kernels.use("reference")`.

    Parameters
    ----------
    code, settings
        As for `CascadeNetwork`.
    site_major : bool
        Sites before shots.
    """

    def __init__(self, code: CSSCode, settings: NetworkSettings, *, site_major: bool = False) -> None:
        super().__init__(code, settings)
        self.site_major = site_major

    def forward(self, states: torch.Tensor, geometry: Geometry, dtype: torch.dtype = torch.float32) -> torch.Tensor:
        """Logits, float32 [shots, observables], of states, uint8 [sites, shots]."""
        index = geometry.embedding_offset[:, None] + states
        # cast after the lookup: its gradient sums over all sites, which takes float32
        x = F.embedding(index if self.site_major else index.t(), self.trunk.embedding).to(dtype)
        for block in self.trunk.blocks:
            x = self._bottleneck(x, block, geometry)  # pyright: ignore[reportArgumentType]
        x = F.silu(_normalised(x, self.trunk.norm_out))
        head = self.head
        assert isinstance(head, LogicalHead)
        logical = geometry.operator_sums(x if self.site_major else x.transpose(0, 1), head.to_data.weight)
        hidden = F.silu(F.linear(_normalised(logical, head.norm), head.hidden.weight) + head.hidden_bias)
        return F.linear(hidden, head.output, head.output_bias).squeeze(-1).t()

    def _bottleneck(self, x: torch.Tensor, block: Bottleneck, geometry: Geometry) -> torch.Tensor:
        y = F.linear(F.silu(_normalised(x, block.norm_in)), block.down.weight.to(x.dtype))
        for norm, convolution, relations in zip(block.norms, block.convolutions, geometry.steps, strict=True):
            y = F.silu(_normalised(y, norm))  # pyright: ignore[reportArgumentType]
            y = self._convolution(y, convolution, relations)  # pyright: ignore[reportArgumentType]
        y = F.linear(F.silu(_normalised(y, block.norm_out)), block.up.weight.to(x.dtype))
        return x + block.scale * y

    def _convolution(self, x: torch.Tensor, layer: LatticeConvolution, relations: Relations) -> torch.Tensor:
        convolution = site_major_convolution if self.site_major else shot_major_convolution
        return convolution(x, layer.weight.to(x.dtype), relations, layer.depthwise)


def shot_major_convolution(
    x: torch.Tensor, weight: torch.Tensor, relations: Relations, depthwise: bool
) -> torch.Tensor:
    """The lattice convolution of x [shots, sites, channels] over gathered neighbours.

    `weight` is [planes * channels_out, relations * channels], or [planes, relations * channels] if depthwise.
    """
    padded = F.pad(x, (0, 0, 0, 1))  # the row that absent neighbours read
    gathered = padded.index_select(1, relations.table.flatten()).view(len(x), relations.sites_out, -1)
    by_plane = weight.view(relations.planes_out, -1, weight.shape[1])
    parts = []
    for span in relations.spans_out:
        rows, matrix = gathered[:, span.start : span.stop], by_plane[span.plane]
        if depthwise:
            parts.append((rows * matrix).unflatten(2, (relations.relations, -1)).sum(dim=2))
        else:
            parts.append(rows @ matrix.t())
    return torch.cat(parts, dim=1)


def site_major_convolution(
    x: torch.Tensor, weight: torch.Tensor, relations: Relations, depthwise: bool
) -> torch.Tensor:
    """The same of x [sites, shots, channels]."""
    padded = F.pad(x, (0, 0, 0, 0, 0, 1))
    gathered = padded.index_select(0, relations.table.flatten()).unflatten(0, relations.table.shape)
    by_plane = weight.view(relations.planes_out, -1, relations.relations, x.shape[2])
    parts = []
    for span in relations.spans_out:
        rows, matrix = gathered[span.start : span.stop], by_plane[span.plane]
        if depthwise:
            parts.append((rows * matrix[0][:, None]).sum(dim=1))
        else:
            parts.append(torch.einsum("srbc,orc->sbo", rows, matrix))
    return torch.cat(parts)


def _normalised(x: torch.Tensor, norm: BatchNorm) -> torch.Tensor:
    flat = x.flatten(0, 1)
    return F.batch_norm(flat, None, None, norm.weight, norm.bias, True, 0.0, norm.epsilon).view(x.shape)
