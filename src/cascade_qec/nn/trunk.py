"""The network's trunk: detectors in, features at every site out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import cast

import torch
import torch.nn.functional as F
from jaxtyping import Float, Float32, UInt8

from cascade_qec import kernels
from cascade_qec.codes import CSSCode, Frame
from cascade_qec.lattice import convolution_tables, count_positions
from cascade_qec.model import NetworkSettings
from cascade_qec.nn.attention import Attention
from cascade_qec.nn.convolution import LatticeConvolution
from cascade_qec.nn.geometry import STATES, Geometry
from cascade_qec.nn.layers import BatchNorm, Bottleneck


class Trunk(torch.nn.Module):
    """Embedding and bottleneck blocks.

    Parameters
    ----------
    code : CSSCode
        Gives the number of relations and planes; any code of the same family and check weights fits.
    settings : NetworkSettings
    told : int
        Numbers that it is told of the noise at each site; 0 for none.
    """

    def __init__(self, code: CSSCode, settings: NetworkSettings, told: int = 0) -> None:
        super().__init__()
        frame = code.frame("Z")
        self.convolves = settings.mixer == "convolution"
        width, scale = settings.width, (2 * settings.depth) ** -0.5
        self.embedding = torch.nn.Parameter(torch.randn(frame.kinds * STATES, width))
        self.blocks = torch.nn.ModuleList(
            Bottleneck(width, settings.channels, mixers=_mixers(frame, settings), scale=scale)
            for _ in range(settings.depth)
        )
        self.norm_out = BatchNorm(width)
        if told:
            self.told = torch.nn.Parameter(torch.zeros(told, width))

    def forward(
        self,
        states: UInt8[torch.Tensor, "sites shots"],
        geometry: Geometry,
        dtype: torch.dtype,
        noise: Float32[torch.Tensor, "sites told"] | None = None,
    ) -> Float[torch.Tensor, "sites shots width"]:
        """Features of every site, [sites, shots, width] in `dtype`, from states, uint8 [sites, shots]."""
        x = self.embed(states, geometry, dtype)
        if noise is not None:
            x = x + (noise @ self.told).to(dtype)[:, None]
        return self.layers(x, geometry)

    def layers(
        self, x: Float[torch.Tensor, "sites shots width"], geometry: Geometry
    ) -> Float[torch.Tensor, "sites shots width"]:
        """Blocks, batch norm and SiLU: [sites, shots, width] to the same."""

        def plain(x: torch.Tensor) -> torch.Tensor:
            for block in self.blocks:
                x = block(x, geometry.steps)
            return F.silu(self.norm_out(x))

        # the kernels' gradient is that of training, where batch norm depends on the batch
        by = kernels.backend(x.device)
        if not self.convolves or by == "reference" or (torch.is_grad_enabled() and not self.training):
            return plain(x)
        blocks = cast(Sequence[Bottleneck], self.blocks)
        described = [block.parameters_for_kernels() for block in blocks]
        steps = cast(Sequence[kernels.Relations], geometry.steps)
        y, statistics = kernels.trunk(x, described, self.norm_out.parameters_for_kernels(), steps, plain, by)
        norms = [norm for block in blocks for norm in block.all_norms]
        for norm, (mean, variance) in zip([*norms, self.norm_out], statistics or [], strict=False):
            norm.collect(mean, variance, x.shape[0] * x.shape[1])
        return y

    def embed(
        self, states: UInt8[torch.Tensor, "sites shots"], geometry: Geometry, dtype: torch.dtype
    ) -> Float[torch.Tensor, "sites shots width"]:
        """[sites, shots] to [sites, shots, width]; on a GPU a product with one-hot rows, whose gradient is one too."""
        index = geometry.embedding_offset[:, None] + states
        if not states.is_cuda:
            return F.embedding(index, self.embedding).to(dtype)
        one_hot = index[..., None] == torch.arange(len(self.embedding), device=states.device)
        return one_hot.to(dtype) @ self.embedding.to(dtype)


def _mixers(frame: Frame, settings: NetworkSettings) -> list[Callable[[], torch.nn.Module]]:
    """What makes the layers between sites of a block, one for each step of the geometry."""
    channels = settings.channels
    if settings.mixer != "convolution":
        return [partial(Attention, channels, count_positions(frame, settings.mixer))]
    return [
        partial(
            LatticeConvolution,
            channels,
            planes=table.planes_out,
            relations=table.relations,
            depthwise=settings.depthwise,
        )
        for table in convolution_tables(frame, settings.convolution, 2)
    ]
