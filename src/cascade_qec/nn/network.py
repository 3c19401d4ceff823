"""The Cascade network (arXiv 2604.08358): detection events in, one logit per logical observable out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, cast

import torch
import torch.nn.functional as F
from pydantic import BaseModel, ConfigDict, Field

from cascade_qec import kernels
from cascade_qec.codes import CSSCode
from cascade_qec.lattice import convolution_tables, memory_lattice
from cascade_qec.nn.geometry import STATES, Geometry, readout_relations
from cascade_qec.nn.layers import BatchNorm, Bottleneck, Pointwise


class NetworkSettings(BaseModel):
    """What shapes the weights. One set of weights serves any distance, basis and number of rounds of a family."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    width: int = Field(ge=4, description="channels H of the residual stream")
    depth: int = Field(ge=1, description="number of bottleneck blocks L")
    bottleneck: int = Field(default=4, ge=1, description="width divided by the convolution's channels")
    convolution: Literal["direct", "bipartite"] = Field(
        description="surface codes: direct (27 relations); BB codes: bipartite (12 a step) or direct (66)"
    )
    depthwise: bool = Field(default=False, description="convolve every channel on its own")

    @property
    def channels(self) -> int:
        return max(1, self.width // self.bottleneck)


class CascadeNetwork(torch.nn.Module):
    """Embedding, bottleneck blocks, last convolution to data qubits, sum over each logical's support, MLP.

    Parameters
    ----------
    code : CSSCode
        Gives the number of relations and planes; any code of the same family and check weights fits.
    settings : NetworkSettings
    """

    def __init__(self, code: CSSCode, settings: NetworkSettings) -> None:
        super().__init__()
        self.settings = settings
        lattice = memory_lattice(code, 1, "Z")
        tables = convolution_tables(lattice.frame, settings.convolution, lattice.slices)
        steps = [(table.planes_out, table.relations) for table in tables]
        width = settings.width
        self.embedding = torch.nn.Parameter(torch.randn(lattice.frame.kinds * STATES, width))
        self.blocks = torch.nn.ModuleList(
            Bottleneck(
                width,
                settings.channels,
                steps=steps,
                depthwise=settings.depthwise,
                scale=(2 * settings.depth) ** -0.5,
            )
            for _ in range(settings.depth)
        )
        self.norm_out = BatchNorm(width)
        self.readout = Pointwise(readout_relations(lattice) * width, width)
        self.norm_readout = BatchNorm(width)
        self.hidden = Pointwise(width, 2 * width)
        self.hidden_bias = torch.nn.Parameter(torch.zeros(2 * width))
        self.output = torch.nn.Parameter(torch.zeros(1, 2 * width))
        self.output_bias = torch.nn.Parameter(torch.zeros(1))

    def forward(self, states: torch.Tensor, geometry: Geometry, dtype: torch.dtype = torch.float32) -> torch.Tensor:
        """Logits of the logical operators that the geometry asks about.

        Parameters
        ----------
        states : uint8 [sites, shots]
            0 silence, 1 event, 2 no detector here.
        geometry : Geometry
        dtype : torch.dtype
            Of the activations; batch statistics, the readout's MLP and the logits are float32.

        Returns
        -------
        float32 [shots, operators]
        """
        x = self.trunk(self.embed(states, geometry, dtype), geometry)
        logical = self.norm_readout(geometry.readout(x, self.readout.weight))
        hidden = F.silu(self.hidden(logical) + self.hidden_bias)
        logits = F.linear(hidden, self.output, self.output_bias)
        return logits.squeeze(-1).t()

    def embed(self, states: torch.Tensor, geometry: Geometry, dtype: torch.dtype) -> torch.Tensor:
        """[sites, shots] to [sites, shots, width]; a product with one-hot rows, whose gradient is one too."""
        index = geometry.embedding_offset[:, None] + states
        one_hot = index[..., None] == torch.arange(len(self.embedding), device=states.device)
        return one_hot.to(dtype) @ self.embedding.to(dtype)

    def trunk(self, x: torch.Tensor, geometry: Geometry) -> torch.Tensor:
        """Blocks, batch norm and SiLU: [sites, shots, width] to the same."""

        def layers(x: torch.Tensor) -> torch.Tensor:
            for block in self.blocks:
                x = block(x, geometry.steps)
            return F.silu(self.norm_out(x))

        # the kernels' gradient is that of training, where batch norm depends on the batch
        if kernels.backend(x.device) == "reference" or (torch.is_grad_enabled() and not self.training):
            return layers(x)
        blocks = cast(Sequence[Bottleneck], self.blocks)
        described = [block.parameters_for_kernels() for block in blocks]
        steps = cast(Sequence[kernels.Relations], geometry.steps)
        y, statistics = kernels.trunk(x, described, self.norm_out.parameters_for_kernels(), steps, layers)
        norms = [norm for block in blocks for norm in block.all_norms]
        for norm, (mean, variance) in zip([*norms, self.norm_out], statistics or [], strict=False):
            norm.collect(mean, variance, x.shape[0] * x.shape[1])
        return y
