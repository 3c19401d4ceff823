"""The network's trunk as one operation."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from cascade_qec.kernels.choice import attempt
from cascade_qec.kernels.parameters import Block, Norm
from cascade_qec.kernels.relations import Relations

Statistics = list[tuple[torch.Tensor, torch.Tensor]]


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
