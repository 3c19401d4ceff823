"""The whole trunk as one operation: bottleneck blocks, then batch norm and SiLU; forward and backward by hand.

Written out, the backward pass knows what autograd cannot: that the gradient to the residual stream can be added
where the block's own is computed, that an activation is cheaper to compute again than to read back, and that batch
norm's sums can be taken while the tensor they are of is in registers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch

from cascade_qec.kernels.choice import attempt, gradients
from cascade_qec.kernels.fused.convolution import by_relation, convolve, convolve_weight_gradient
from cascade_qec.kernels.fused.epilogue import GATE, GATE_APPLY, GATE_SUMS, MOMENTS, STORE
from cascade_qec.kernels.fused.norm import (
    activate,
    activate_gradient,
    coefficients,
    fixed_coefficients,
    moments,
    normalise_gradient,
)
from cascade_qec.kernels.fused.pointwise import multiply, multiply_gradient, multiply_weight_gradient
from cascade_qec.kernels.parameters import Block, Norm
from cascade_qec.kernels.relations import Relations


class _Saved(NamedTuple):
    """What a block's backward pass reads again."""

    x: torch.Tensor
    norms: list[torch.Tensor]
    narrow: list[torch.Tensor]  # before each norm but the first: what down and each convolution wrote
    activated: list[torch.Tensor]  # what each convolution read
    weights: list[torch.Tensor]  # down, convolutions, up, in the type of x


class FusedTrunk(torch.autograd.Function):
    """`cascade_qec.kernels.trunk`; the batch's means and variances follow the result."""

    @staticmethod
    def forward(ctx, x, blocks, last, steps, reference, *parameters):  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx.reference, ctx.inputs = reference, (x, *parameters)
        x = x.contiguous()
        norms = _Norms(x, fixed=last.mean is not None)
        saved: list[_Saved] = []
        for block in blocks:
            x = _forward(x, block, steps, norms, saved)
            if not any(ctx.needs_input_grad):
                saved.clear()
        y = activate(x, norms.next(last))
        ctx.saved, ctx.last, ctx.blocks, ctx.steps = saved, (x, norms.latest), blocks, steps
        ctx.mark_non_differentiable(*norms.statistics)
        return y, *norms.statistics

    @staticmethod
    def backward(ctx, dy, *_):  # pyright: ignore[reportIncompatibleMethodOverride]
        def fused() -> tuple[torch.Tensor, ...]:
            x, norm = ctx.last
            dz, sums = activate_gradient(dy.contiguous(), x, norm)
            dx = normalise_gradient(dz, x, norm, _means(sums, x))
            last = [sums[1].float(), sums[0].float()]
            of_parameters: list[torch.Tensor] = []
            for block in reversed(ctx.blocks):
                dx, of_block = _backward(dx, block, ctx.steps, ctx.saved.pop())  # whose memory is free from here on
                of_parameters = of_block + of_parameters
            return dx, *of_parameters, *last

        def reference() -> tuple[torch.Tensor, ...]:
            return gradients(lambda: ctx.reference(ctx.inputs[0]), ctx.inputs, dy)

        dx, *of_parameters = attempt(fused, reference)
        return dx, None, None, None, None, *of_parameters


class _Norms:
    """Coefficients of one norm after another, of the batch or fixed, and the batch's statistics."""

    def __init__(self, x: torch.Tensor, *, fixed: bool) -> None:
        self.epilogue = STORE if fixed else MOMENTS
        self.sums = None if fixed else moments(x)
        self.statistics: list[torch.Tensor] = []
        self.latest: torch.Tensor
        self._rows = x.shape[0] * x.shape[1]

    def next(self, norm: Norm) -> torch.Tensor:
        if norm.mean is not None and norm.variance is not None:
            self.latest = fixed_coefficients(norm.mean, norm.variance, norm.gamma, norm.beta, norm.epsilon)
        else:
            assert self.sums is not None
            self.latest, variance = coefficients(self.sums, self._rows, norm.gamma, norm.beta, norm.epsilon)
            self.statistics += [self.latest[2].clone(), variance]
        return self.latest


def _forward(
    x: torch.Tensor, block: Block, steps: Sequence[Relations], norms: _Norms, saved: list[_Saved]
) -> torch.Tensor:
    convolutions = zip(block.convolutions, steps, strict=True)
    weights = [w.to(x.dtype) for w in (block.down, *(_by_plane(w, r) for w, r in convolutions), block.up)]
    used = [norms.next(block.norms[0])]
    y, norms.sums = multiply(x, used[0], weights[0], norms.epilogue)
    narrow, activated = [y], []
    for norm, weight, relations in zip(block.norms[1:], weights[1:], steps, strict=False):
        used.append(norms.next(norm))
        activated.append(activate(y, used[-1]))
        y, norms.sums = convolve(activated[-1], weight, relations.forward_links, norms.epilogue)
        narrow.append(y)
    used.append(norms.next(block.norms[-1]))
    saved.append(_Saved(x, used, narrow, activated, weights))
    x, norms.sums = multiply(y, used[-1], weights[-1], norms.epilogue, residual=x, alpha=block.scale)
    return x


def _backward(
    dx: torch.Tensor, block: Block, steps: Sequence[Relations], saved: _Saved
) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """From the gradient to a block's output to that to its input, and those to its parameters in their order."""
    down, *convolutions, up = saved.weights
    depthwise = convolutions[0].dim() == 3
    x, norms, narrow = saved.x, saved.norms, saved.narrow
    affine: list[torch.Tensor] = []

    dz, sums = multiply_gradient(dx, up, narrow[-1], norms[-1], GATE, alpha=block.scale)
    of_weights = [multiply_weight_gradient(dx, narrow[-1], norms[-1], alpha=block.scale)]
    for i in reversed(range(len(steps))):
        affine = [sums[1].float(), sums[0].float(), *affine]
        dy = normalise_gradient(dz, narrow[i + 1], norms[i + 2], _means(sums, dz))
        of_weight = convolve_weight_gradient(saved.activated[i], dy, steps[i], depthwise=depthwise)
        of_weights.append(of_weight.reshape(block.convolutions[i].shape))
        dz, sums = convolve(
            dy,
            convolutions[i],
            steps[i].backward_links,
            GATE,
            transposed=True,
            before=narrow[i],
            norm=norms[i + 1],
        )
    affine = [sums[1].float(), sums[0].float(), *affine]
    dy = normalise_gradient(dz, narrow[0], norms[1], _means(sums, dz))
    of_weights.append(multiply_weight_gradient(dy, x, norms[0]))
    # twice through the wide tensor: once for the sums, and again with them, which is less than to write dz and read it
    _, sums = multiply_gradient(dy, down, x, norms[0], GATE_SUMS)
    affine = [sums[1].float(), sums[0].float(), *affine]
    dx, _ = multiply_gradient(dy, down, x, norms[0], GATE_APPLY, means=_means(sums, x), add=dx)
    return dx, [*affine, *reversed(of_weights)]


def _means(sums: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    return (sums / (x.shape[0] * x.shape[1])).float()


def _by_plane(weight: torch.Tensor, relations: Relations) -> torch.Tensor:
    """A convolution's stacked weights as [planes, channels, relations, channels], or [planes, relations, channels]."""
    weight = by_relation(weight, relations)
    depthwise = len(weight) == relations.planes_out  # or of one channel, which is the same
    return weight if depthwise else weight.unflatten(0, (relations.planes_out, -1))
