"""Batch norm and SiLU where no matrix product is at hand to do them along the way."""

from __future__ import annotations

import torch
import triton
import triton.language as tl

from cascade_qec.kernels.fused.epilogue import GATE, activated, coefficient, finish, leave_sums, normalised
from cascade_qec.kernels.fused.launch import config, padded, tiles, tuned

_TILE = 4096
"""Numbers in a tile; a program has a few hundred rows of narrow tensors, and tens of wide ones."""

_CONFIGS = [config(1, 4), config(1, 8)]


def total(partials: torch.Tensor) -> torch.Tensor:
    """Add up the sums of tiles, in a fixed order: float32 [tiles, 2, channels] to float64 [2, channels]."""
    return partials.sum(dim=0, dtype=torch.float64)


def coefficients(
    sums: torch.Tensor, rows: int, gamma: torch.Tensor, beta: torch.Tensor, epsilon: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """A norm's coefficients from its input's sums.

    Parameters
    ----------
    sums : float64 [2, channels]
        Of the values and of their squares, over all rows.
    rows : int
    gamma, beta : float32 [channels]
    epsilon : float

    Returns
    -------
    norm : float32 [4, channels]
        Scale, shift, mean, reciprocal standard deviation.
    variance : float32 [channels]
        Of the batch, without Bessel's correction.
    """
    mean = sums[0] / rows
    variance = (sums[1] / rows - mean * mean).clamp(min=0)
    return fixed_coefficients(mean, variance, gamma, beta, epsilon), variance.float()


def fixed_coefficients(
    mean: torch.Tensor, variance: torch.Tensor, gamma: torch.Tensor, beta: torch.Tensor, epsilon: float
) -> torch.Tensor:
    """A norm's coefficients from a mean and a variance; see `coefficients`."""
    rstd = (variance + epsilon).rsqrt()
    scale = gamma * rstd
    return torch.stack([scale, beta - mean * scale, mean, rstd]).float()


@triton.jit
def _tile(rows, C: tl.constexpr, TILE_C: tl.constexpr, ROWS: tl.constexpr):
    row = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    channel = tl.arange(0, TILE_C)
    inside = (row < rows)[:, None] & (channel < C)[None, :]
    return channel, row[:, None] * C + channel[None, :], inside


@tuned(_CONFIGS, ["C"])
@triton.jit
def _moments(x, partials, rows, C: tl.constexpr, TILE_C: tl.constexpr, ROWS: tl.constexpr):
    channel, offsets, inside = _tile(rows, C, TILE_C, ROWS)  # pyright: ignore[reportGeneralTypeIssues]
    value = tl.load(x + offsets, mask=inside, other=0.0).to(tl.float32)
    leave_sums(partials, tl.program_id(0), value, value * value, channel, channel < C, C)


@tuned(_CONFIGS, ["C"])
@triton.jit
def _activate(x, norm, y, rows, C: tl.constexpr, TILE_C: tl.constexpr, ROWS: tl.constexpr):
    channel, offsets, inside = _tile(rows, C, TILE_C, ROWS)  # pyright: ignore[reportGeneralTypeIssues]
    scale = coefficient(norm, 0, channel, channel < C, C)
    shift = coefficient(norm, 1, channel, channel < C, C)
    value = activated(tl.load(x + offsets, mask=inside, other=0.0), scale, shift)
    tl.store(y + offsets, value.to(y.dtype.element_ty), mask=inside)


@tuned(_CONFIGS, ["C"])
@triton.jit
def _activate_gradient(
    dy, x, norm, dz, partials, rows, GATE: tl.constexpr, C: tl.constexpr, TILE_C: tl.constexpr, ROWS: tl.constexpr
):
    channel, offsets, inside = _tile(rows, C, TILE_C, ROWS)  # pyright: ignore[reportGeneralTypeIssues]
    gradient = tl.load(dy + offsets, mask=inside, other=0.0).to(tl.float32)
    there = channel < C
    finish(gradient, offsets, inside, channel, there, dz, x, x, norm, norm, partials, tl.program_id(0), GATE, C)


@tuned(_CONFIGS, ["C"])
@triton.jit
def _normalise_gradient(dz, x, norm, means, dx, rows, C: tl.constexpr, TILE_C: tl.constexpr, ROWS: tl.constexpr):
    channel, offsets, inside = _tile(rows, C, TILE_C, ROWS)  # pyright: ignore[reportGeneralTypeIssues]
    scale = coefficient(norm, 0, channel, channel < C, C)
    mean = coefficient(norm, 2, channel, channel < C, C)
    rstd = coefficient(norm, 3, channel, channel < C, C)
    gradient = tl.load(dz + offsets, mask=inside, other=0.0).to(tl.float32)
    xhat = (tl.load(x + offsets, mask=inside, other=0.0).to(tl.float32) - mean[None, :]) * rstd[None, :]
    value = normalised(gradient, xhat, scale, channel, channel < C, means, C)
    tl.store(dx + offsets, value.to(dx.dtype.element_ty), mask=inside)


def _sizes(x: torch.Tensor) -> tuple[int, dict[str, int]]:
    tile = padded(x.shape[-1])
    return x.numel() // x.shape[-1], {"C": x.shape[-1], "TILE_C": tile, "ROWS": max(1, _TILE // tile)}


def moments(x: torch.Tensor) -> torch.Tensor:
    """Sums of values and of squares over all rows: [..., channels] to float64 [2, channels]."""
    rows, sizes = _sizes(x)
    count = tiles(rows, sizes["ROWS"])
    partials = x.new_empty(count, 2, x.shape[-1], dtype=torch.float32)
    _moments[(count,)](x, partials, rows, **sizes)
    return total(partials)


def activate(x: torch.Tensor, norm: torch.Tensor) -> torch.Tensor:
    """silu(scale x + shift), of x's shape and type."""
    rows, sizes = _sizes(x)
    y = torch.empty_like(x)
    _activate[(tiles(rows, sizes["ROWS"]),)](x, norm, y, rows, **sizes)
    return y


def activate_gradient(dy: torch.Tensor, x: torch.Tensor, norm: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The gradient of `activate` to the norm's output, and float64 [2, channels], its sums and those with xhat."""
    rows, sizes = _sizes(x)
    count = tiles(rows, sizes["ROWS"])
    dz = torch.empty_like(x)
    partials = x.new_empty(count, 2, x.shape[-1], dtype=torch.float32)
    _activate_gradient[(count,)](dy, x, norm, dz, partials, rows, GATE=GATE, **sizes)
    return dz, total(partials)


def normalise_gradient(dz: torch.Tensor, x: torch.Tensor, norm: torch.Tensor, means: torch.Tensor) -> torch.Tensor:
    """Batch norm's gradient to its input.

    Parameters
    ----------
    dz, x : [..., channels]
        Gradient to the norm's output, and its input.
    norm : float32 [4, channels]
    means : float32 [2, channels]
        Of dz and of dz xhat, over all rows.

    Returns
    -------
    [..., channels], of x's type
    """
    rows, sizes = _sizes(x)
    dx = torch.empty_like(x)
    _normalise_gradient[(tiles(rows, sizes["ROWS"]),)](dz, x, norm, means, dx, rows, **sizes)
    return dx
