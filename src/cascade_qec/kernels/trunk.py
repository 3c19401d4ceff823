"""The network's trunk as one operation."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from cascade_qec.kernels.choice import Backend, attempt
from cascade_qec.kernels.compiled import NativeTrunk, parameters, trunk_fits
from cascade_qec.kernels.parameters import Block, Norm
from cascade_qec.kernels.relations import Relations
from cascade_qec.native import native

Statistics = list[tuple[torch.Tensor, torch.Tensor]]


def trunk(
    x: torch.Tensor,
    blocks: Sequence[Block],
    last: Norm,
    steps: Sequence[Relations],
    reference: Callable[[torch.Tensor], torch.Tensor],
    by: Backend,
) -> tuple[torch.Tensor, Statistics | None]:
    """Run x through the blocks, then through a last batch norm and SiLU, by the kernels of Triton or in C++.

    Parameters
    ----------
    x : [sites, shots, width]
        float32, bfloat16 or float16; weights are converted to its type, sums and weights' gradients are float32.
    blocks : sequence of Block
    last : Norm
    steps : sequence of Relations
        One for each convolution of a block.
    reference : function
        The same in plain PyTorch, for what the kernels cannot do.
    by : {"triton", "native"}
        Whose kernels.

    Returns
    -------
    y : [sites, shots, width]
    statistics : list of (mean, variance), float32 [channels] each
        Of the batch, for each norm in the order of use; empty where norms are fixed, None from the reference.
    """

    module = native()
    if by == "native" and module is not None:
        if not trunk_fits(module, x, blocks, steps):
            return reference(x), None
        y, *statistics = NativeTrunk.apply(x, module, blocks, last, steps, *parameters(blocks, last))
        return y, list(zip(statistics[::2], statistics[1::2], strict=True))

    def fused() -> tuple[torch.Tensor, Statistics | None]:
        from cascade_qec.kernels.fused.trunk import FusedTrunk

        y, *statistics = FusedTrunk.apply(x, blocks, last, steps, reference, *parameters(blocks, last))
        return y, list(zip(statistics[::2], statistics[1::2], strict=True))

    return attempt(fused, lambda: (reference(x), None))
