"""What the trunk's operation is told of the weights, block by block."""

from __future__ import annotations

from typing import NamedTuple

import torch


class Norm(NamedTuple):
    """A batch norm's parameters, float32 [channels]; mean and variance where they are fixed, not the batch's."""

    gamma: torch.Tensor
    beta: torch.Tensor
    epsilon: float
    mean: torch.Tensor | None = None
    variance: torch.Tensor | None = None


class Block(NamedTuple):
    """A bottleneck block's parameters.

    Attributes
    ----------
    norms : Norm of the input, of each convolution's input, and of the up-projection's input
    down : float32 [channels, width]
    convolutions : float32 [planes * channels, relations * channels] each, or depthwise [planes, relations * channels]
    up : float32 [width, channels]
    scale : float
        Of what the block adds to its input.
    """

    norms: list[Norm]
    down: torch.Tensor
    convolutions: list[torch.Tensor]
    up: torch.Tensor
    scale: float

    def parameters(self) -> list[torch.Tensor]:
        """Everything that has a gradient, in the order of use."""
        affine = [parameter for norm in self.norms for parameter in (norm.gamma, norm.beta)]
        return [*affine, self.down, *self.convolutions, self.up]
