"""The lattice convolution as a layer: what mixes sites in the network's blocks."""

from __future__ import annotations

import torch

from cascade_qec.kernels import Relations, lattice_convolution


class LatticeConvolution(torch.nn.Module):
    """A convolution over a relation table, with weights of its own for each plane and relation."""

    def __init__(self, channels: int, *, planes: int, relations: int, depthwise: bool) -> None:
        super().__init__()
        self.planes, self.depthwise = planes, depthwise
        fan_in = relations if depthwise else relations * channels
        shape = (planes, fan_in * channels) if depthwise else (planes * channels, fan_in)
        # the planes' matrices stacked into one, since optimizers of matrices take two dimensions
        self.weight = torch.nn.Parameter(torch.randn(shape) * fan_in**-0.5)

    def forward(self, x: torch.Tensor, relations: Relations) -> torch.Tensor:
        weight = self.weight.to(x.dtype)
        if not self.depthwise:
            weight = weight.view(self.planes, -1, weight.shape[1])
        return lattice_convolution(x, weight, relations)
