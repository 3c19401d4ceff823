"""Training by the kernels in C++: the trunk with the batch's own statistics, and a convolution alone, on CPUs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from numpy.typing import NDArray

from cascade_qec.kernels.parameters import Block, Norm
from cascade_qec.kernels.relations import Relations

_made: WeakKeyDictionary[Relations, dict[tuple[torch.dtype | int, ...], Any]] = WeakKeyDictionary()
"""The kernels' tables, made once for each geometry."""


def convolution_fits(native: ModuleType, x: torch.Tensor, weight: torch.Tensor) -> bool:
    """Whether the kernels in C++ can do it: numbers that they multiply, dense, channels in multiples of a vector."""
    dense = weight.dim() == 3 and _multiplied(native, x.dtype) and x.numel() > 0
    return dense and weight.shape[1] % native.lanes() == x.shape[2] % native.lanes() == 0


def trunk_fits(native: ModuleType, x: torch.Tensor, blocks: Sequence[Block], steps: Sequence[Relations]) -> bool:
    """Whether the kernels in C++ can do it: numbers that they multiply, dense, channels in multiples of a vector."""
    (channels, width), first = blocks[0].down.shape, blocks[0].convolutions[0]
    dense = first.shape == (steps[0].planes_out * channels, steps[0].relations * channels)
    whole = width % native.lanes() == channels % native.lanes() == 0
    return _multiplied(native, x.dtype) and x.numel() > 0 and dense and whole


def _multiplied(native: ModuleType, dtype: torch.dtype) -> bool:
    return dtype == torch.float32 or (dtype == torch.bfloat16 and native.has_bfloat16())


class NativeTrunk(torch.autograd.Function):
    """`cascade_qec.kernels.trunk`; the batch's means and variances follow the result."""

    @staticmethod
    def forward(ctx, x, native, blocks, last, steps, *parameters):  # pyright: ignore[reportIncompatibleMethodOverride]
        trunk = _trunk(native, steps, x, blocks[0])
        norms = [norm for block in blocks for norm in block.norms]
        fixed = [] if last.mean is None else [part for norm in [*norms, last] for part in (norm.mean, norm.variance)]
        y, statistics, saved = trunk.forward(
            _array(x),
            [_array(parameter) for parameter in parameters],
            [_array(part) for part in fixed],
            [block.scale for block in blocks],
            epsilon=last.epsilon,
            keep=any(ctx.needs_input_grad),
            threads=torch.get_num_threads(),
        )
        ctx.trunk, ctx.kept = trunk, saved
        found = [torch.from_numpy(part) for pair in statistics for part in pair] if last.mean is None else []
        ctx.mark_non_differentiable(*found)
        return _tensor(y), *found

    @staticmethod
    def backward(ctx, dy, *_):  # pyright: ignore[reportIncompatibleMethodOverride]
        dx, gradients = ctx.trunk.backward(_array(dy), ctx.kept, threads=torch.get_num_threads())
        return _tensor(dx), None, None, None, None, *map(torch.from_numpy, gradients)


class NativeConvolution(torch.autograd.Function):
    """`cascade_qec.kernels.lattice_convolution` of dense weights."""

    @staticmethod
    def forward(ctx, x, weight, native, relations):  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx.save_for_backward(x, weight)
        of_type = native.TrainingConvolution if x.dtype == torch.float32 else native.TrainingConvolutionBfloat16
        ctx.kernel = _once(relations, (x.dtype,), lambda: of_type(*relations.arrays(), sites_in=relations.sites_in))
        return _tensor(ctx.kernel.forward(_array(x), _array(weight.float()), threads=torch.get_num_threads()))

    @staticmethod
    def backward(ctx, dy):  # pyright: ignore[reportIncompatibleMethodOverride]
        x, weight = ctx.saved_tensors
        threads = torch.get_num_threads()
        dx, of_weight = ctx.kernel.backward(_array(x), _array(weight.float()), _array(dy), threads=threads)
        return _tensor(dx), torch.from_numpy(of_weight).to(weight.dtype), None, None


def parameters(blocks: Sequence[Block], last: Norm) -> list[torch.Tensor]:
    """All that has a gradient, in the order in which the kernels take it."""
    return [*(parameter for block in blocks for parameter in block.parameters()), last.gamma, last.beta]


def _trunk(native: ModuleType, steps: Sequence[Relations], x: torch.Tensor, block: Block) -> Any:
    channels, width = block.down.shape
    of_type = native.TrainingTrunk if x.dtype == torch.float32 else native.TrainingTrunkBfloat16
    return _once(
        steps[0],
        (x.dtype, width, channels),
        lambda: of_type([step.arrays() for step in steps], sites=x.shape[0], width=width, channels=channels),
    )


def _once(of: Relations, key: tuple[torch.dtype | int, ...], make: Callable[[], Any]) -> Any:
    made = _made.setdefault(of, {})
    if key not in made:
        made[key] = make()
    return made[key]


def _array(tensor: torch.Tensor) -> NDArray[np.float32] | NDArray[np.uint16]:
    """A tensor's numbers; those of bfloat16, which NumPy does not know, by their bits."""
    tensor = tensor.detach()
    bits = tensor if tensor.dtype == torch.float32 else tensor.view(torch.uint16)
    return np.ascontiguousarray(bits.numpy())


def _tensor(array: NDArray[np.float32] | NDArray[np.uint16]) -> torch.Tensor:
    """The inverse of `_array`."""
    tensor = torch.from_numpy(array)
    return tensor if tensor.dtype == torch.float32 else tensor.view(torch.bfloat16)
