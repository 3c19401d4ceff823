"""The network's trunk as one operation, and what it is told of the weights, block by block."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch

from cascade_qec.kernels.choice import attempt
from cascade_qec.kernels.relations import Relations

Statistics = list[tuple[torch.Tensor, torch.Tensor]]


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


def trunk(
    x: torch.Tensor,
    blocks: Sequence[Block],
    last: Norm,
    steps: Sequence[Relations],
    reference: Callable[[torch.Tensor], torch.Tensor],
) -> tuple[torch.Tensor, Statistics | None]:
    """Run x through the blocks, then through a last batch norm and SiLU, by Triton's kernels.

    Parameters
    ----------
    x : [sites, shots, width]
        float32, bfloat16 or float16; weights are converted to its type, sums and weights' gradients are float32.
    blocks : sequence of Block
    last : Norm
    steps : sequence of Relations
        One for each convolution of a block.
    reference : function
        The same in plain PyTorch, for where the kernels fail.

    Returns
    -------
    y : [sites, shots, width]
    statistics : list of (mean, variance), float32 [channels] each
        Of the batch, for each norm in the order of use; empty where norms are fixed, None from the reference.
    """

    def fused() -> tuple[torch.Tensor, Statistics | None]:
        from cascade_qec.kernels.fused.trunk import FusedTrunk

        parameters = [parameter for block in blocks for parameter in block.parameters()]
        weights = (last.gamma, last.beta, *parameters)
        y, *statistics = FusedTrunk.apply(x, blocks, last, steps, reference, *weights)
        return y, list(zip(statistics[::2], statistics[1::2], strict=True))

    return attempt(fused, lambda: (reference(x), None))
