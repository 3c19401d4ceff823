"""Layers of the network; activations are site-major, [sites, shots, channels], channels last everywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import cast

import torch
import torch.nn.functional as F

from cascade_qec.engine import EPSILON
from cascade_qec.kernels import Block, Norm
from cascade_qec.nn.convolution import LatticeConvolution


class Pointwise(torch.nn.Module):
    """A product over channels, the same at every site. MuP initialisation: variance 1 / fan_in."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.randn(channels_out, channels_in) * channels_in**-0.5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.linear(x, self.weight.to(x.dtype))


class BatchNorm(torch.nn.Module):
    """Batch normalisation over all sites and shots.

    Training normalises by the batch and leaves the statistics alone: they belong to a set of weights (the averaged
    ones, as a rule) and to the training noise, and are measured on purpose, by `collect_statistics`. Statistics
    re-estimated at another noise rate imitate an error floor.
    """

    def __init__(self, channels: int, epsilon: float = EPSILON) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(channels))
        self.bias = torch.nn.Parameter(torch.zeros(channels))
        self.mean: torch.Tensor
        self.variance: torch.Tensor
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("variance", torch.ones(channels))
        self.epsilon = epsilon
        self.batches: int | None = None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        flat = x.reshape(-1, x.shape[-1])
        if not self.training:
            y = F.batch_norm(flat, self.mean, self.variance, self.weight, self.bias, False, 0.0, self.epsilon)
        elif self.batches is None:
            y = F.batch_norm(flat, None, None, self.weight, self.bias, True, 0.0, self.epsilon)
        else:
            self.batches += 1
            momentum = 1 / self.batches  # the mean over all batches collected so far
            y = F.batch_norm(flat, self.mean, self.variance, self.weight, self.bias, True, momentum, self.epsilon)
        return y.view(x.shape)

    def parameters_for_kernels(self) -> Norm:
        """What `cascade_qec.kernels.trunk` is told of this norm."""
        if self.training:
            return Norm(self.weight, self.bias, self.epsilon)
        return Norm(self.weight, self.bias, self.epsilon, self.mean, self.variance)

    def collect(self, mean: torch.Tensor, variance: torch.Tensor, count: int) -> None:
        """Add a batch's statistics, [channels] each over `count` rows, if they are being collected."""
        if self.batches is None:
            return
        self.batches += 1
        self.mean.lerp_(mean, 1 / self.batches)
        self.variance.lerp_(variance * (count / (count - 1)), 1 / self.batches)


@contextmanager
def collect_statistics(network: torch.nn.Module) -> Iterator[None]:
    """Within this context every forward pass adds to the statistics of all batch norms; they start afresh."""
    norms = cast(Iterable[BatchNorm], [m for m in network.modules() if isinstance(m, BatchNorm)])
    training = network.training
    network.train()
    for norm in norms:
        norm.batches = 0
    try:
        yield
    finally:
        for norm in norms:
            norm.batches = None
        network.train(training)


class Bottleneck(torch.nn.Module):
    """Pre-activation bottleneck: BN, SiLU, H to C; then BN, SiLU before each mixer of sites; C to H.

    Parameters
    ----------
    mixers : sequence of functions
        Each makes a layer that takes [sites, shots, C] and a step of the geometry to [sites, shots, C]: the steps of a
        convolution, or an attention.
    """

    def __init__(
        self, width: int, channels: int, *, mixers: Sequence[Callable[[], torch.nn.Module]], scale: float
    ) -> None:
        super().__init__()
        self.scale = scale
        self.norm_in = BatchNorm(width)
        self.down = Pointwise(width, channels)
        self.norms = torch.nn.ModuleList(BatchNorm(channels) for _ in mixers)
        # called so in the files of all models, whatever they are
        self.convolutions = torch.nn.ModuleList(mixer() for mixer in mixers)
        self.norm_out = BatchNorm(channels)
        self.up = Pointwise(channels, width)

    def forward(self, x: torch.Tensor, steps: Iterable[torch.nn.Module]) -> torch.Tensor:
        y = self.down(F.silu(self.norm_in(x)))
        for norm, mixer, step in zip(self.norms, self.convolutions, steps, strict=True):
            y = mixer(F.silu(norm(y)), step)
        y = self.up(F.silu(self.norm_out(y)))
        return torch.add(x, y, alpha=self.scale)

    @property
    def all_norms(self) -> list[BatchNorm]:
        """In the order of use."""
        return [self.norm_in, *cast(Iterable[BatchNorm], self.norms), self.norm_out]

    def parameters_for_kernels(self) -> Block:
        """What `cascade_qec.kernels.trunk` is told of this block, if it convolves."""
        convolutions = cast(Iterable[LatticeConvolution], self.convolutions)
        return Block(
            norms=[norm.parameters_for_kernels() for norm in self.all_norms],
            down=self.down.weight,
            convolutions=[convolution.weight for convolution in convolutions],
            up=self.up.weight,
            scale=self.scale,
        )
