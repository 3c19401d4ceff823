"""Products over channels in Triton, with batch norm and SiLU on the way in and on the way back.

An element is loaded once for a product over channels, so its activation costs no memory traffic here: the
activated tensor, four times as wide as anything the lattice convolution sees, is never written.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl

from cascade_qec.kernels.fused.epilogue import GATE_APPLY, GATE_SUMS, STORE, activated, coefficient, finish
from cascade_qec.kernels.fused.launch import accumulate, config, padded, precision, splits, tiles, tuned
from cascade_qec.kernels.fused.norm import total


@tuned(
    [
        config(3, 4, BLOCK_ROWS=64, BLOCK_IN=64, BLOCK_OUT=64),
        config(3, 8, BLOCK_ROWS=128, BLOCK_IN=64, BLOCK_OUT=64),
        config(3, 8, BLOCK_ROWS=128, BLOCK_IN=128, BLOCK_OUT=64),
        config(3, 8, BLOCK_ROWS=64, BLOCK_IN=64, BLOCK_OUT=128),
        config(3, 8, BLOCK_ROWS=128, BLOCK_IN=64, BLOCK_OUT=128),
    ],
    ["C_IN", "C_OUT", "ACTIVATE", "EPILOGUE"],
)
@triton.jit
def _multiply(
    x,  # [rows, C_IN]
    weight,
    y,  # [rows, C_OUT]
    residual,  # [rows, C_OUT]
    norm_in,
    before,  # [rows, C_OUT]
    norm_out,
    means,
    partials,
    rows,
    alpha,
    weight_in,  # strides of the weights, in elements
    weight_out,
    C_IN: tl.constexpr,
    C_OUT: tl.constexpr,
    ACTIVATE: tl.constexpr,
    RESIDUAL: tl.constexpr,
    EPILOGUE: tl.constexpr,
    PRECISION: tl.constexpr,
    BLOCK_ROWS: tl.constexpr,
    BLOCK_IN: tl.constexpr,
    BLOCK_OUT: tl.constexpr,
):
    out_tiles: tl.constexpr = (C_OUT + BLOCK_OUT - 1) // BLOCK_OUT
    tile = tl.program_id(0) // out_tiles
    row = tile.to(tl.int64) * BLOCK_ROWS + tl.arange(0, BLOCK_ROWS)
    out = (tl.program_id(0) % out_tiles) * BLOCK_OUT + tl.arange(0, BLOCK_OUT)
    result = tl.zeros([BLOCK_ROWS, BLOCK_OUT], dtype=tl.float32)
    for first in range(0, C_IN, BLOCK_IN):
        channel = first + tl.arange(0, BLOCK_IN)
        there = channel < C_IN
        factor = tl.load(
            x + row[:, None] * C_IN + channel[None, :], mask=(row < rows)[:, None] & there[None, :], other=0.0
        )
        if ACTIVATE:
            scale = coefficient(norm_in, 0, channel, there, C_IN)
            shift = coefficient(norm_in, 1, channel, there, C_IN)
            factor = activated(factor, scale, shift).to(x.dtype.element_ty)
        matrix = tl.load(
            weight + channel[:, None] * weight_in + out[None, :] * weight_out,
            mask=there[:, None] & (out < C_OUT)[None, :],
            other=0.0,
        )
        result = accumulate(result, factor, matrix, PRECISION)
    result *= alpha
    offsets = row[:, None] * C_OUT + out[None, :]
    inside = (row < rows)[:, None] & (out < C_OUT)[None, :]
    if RESIDUAL:
        result += tl.load(residual + offsets, mask=inside, other=0.0).to(tl.float32)
    finish(
        result,
        offsets,
        inside,
        out,
        out < C_OUT,
        y,
        before,
        residual,
        norm_out,
        means,
        partials,
        tile,
        EPILOGUE,
        C_OUT,
    )


@tuned(
    [config(3, 8, BLOCK_ROWS=64), config(2, 8, BLOCK_ROWS=128), config(3, 4, BLOCK_ROWS=64)],
    ["C_IN", "C_OUT"],
)
@triton.jit
def _multiply_weight_gradient(
    dy,  # [rows, C_OUT]
    x,  # [rows, C_IN]
    norm,
    partials,  # float32 [SPLITS, C_OUT, C_IN]
    rows,
    C_IN: tl.constexpr,
    C_OUT: tl.constexpr,
    SPLITS: tl.constexpr,
    PRECISION: tl.constexpr,
    BLOCK_IN: tl.constexpr,
    BLOCK_OUT: tl.constexpr,
    BLOCK_ROWS: tl.constexpr,
):
    split = tl.program_id(0)
    channel = tl.program_id(1) * BLOCK_IN + tl.arange(0, BLOCK_IN)
    out = tl.program_id(2) * BLOCK_OUT + tl.arange(0, BLOCK_OUT)
    scale = coefficient(norm, 0, channel, channel < C_IN, C_IN)
    shift = coefficient(norm, 1, channel, channel < C_IN, C_IN)
    row_tiles = tl.cdiv(rows, BLOCK_ROWS)
    share = tl.cdiv(row_tiles, SPLITS)
    result = tl.zeros([BLOCK_OUT, BLOCK_IN], dtype=tl.float32)
    for tile in range(split * share, tl.minimum((split + 1) * share, row_tiles)):
        row = tl.cast(tile, tl.int64) * BLOCK_ROWS + tl.arange(0, BLOCK_ROWS)
        gradients = tl.load(
            dy + row[:, None] * C_OUT + out[None, :],
            mask=(row < rows)[:, None] & (out < C_OUT)[None, :],
            other=0.0,
        )
        factor = tl.load(
            x + row[:, None] * C_IN + channel[None, :],
            mask=(row < rows)[:, None] & (channel < C_IN)[None, :],
            other=0.0,
        )
        factor = activated(factor, scale, shift).to(x.dtype.element_ty)
        result = accumulate(result, tl.trans(gradients), factor, PRECISION)
    places = partials + split * (C_OUT * C_IN) + out[:, None] * C_IN + channel[None, :]
    tl.store(places, result, mask=(out < C_OUT)[:, None] & (channel < C_IN)[None, :])


def multiply(
    x: torch.Tensor,
    norm: torch.Tensor,
    weight: torch.Tensor,
    epilogue: int,
    *,
    residual: torch.Tensor | None = None,
    alpha: float = 1.0,
) -> tuple[torch.Tensor, torch.Tensor]:
    """residual + alpha silu(scale x + shift) weight^T, and the sums of it and of its squares.

    Parameters
    ----------
    x : [sites, shots, channels_in]
        Contiguous.
    norm : float32 [4, channels_in]
    weight : [channels_out, channels_in]
        In x's dtype.
    epilogue : int
        MOMENTS, or STORE where the sums are not wanted.
    residual : [sites, shots, channels_out], optional
    alpha : float

    Returns
    -------
    y : [sites, shots, channels_out]
    sums : float64 [2, channels_out], empty for STORE
    """
    y = x.new_empty(*x.shape[:-1], weight.shape[0])
    return y, _launch(x, weight, y, epilogue, norm_in=norm, residual=residual, alpha=alpha)


def multiply_gradient(
    dy: torch.Tensor,
    weight: torch.Tensor,
    x: torch.Tensor,
    norm: torch.Tensor,
    epilogue: int,
    *,
    alpha: float = 1.0,
    means: torch.Tensor | None = None,
    add: torch.Tensor | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """The gradient of `multiply` to its input, as far back as the epilogue says.

    Parameters
    ----------
    dy : [sites, shots, channels_out]
    weight : [channels_out, channels_in]
    x : [sites, shots, channels_in]
        The input of `multiply`, before its norm.
    norm : float32 [4, channels_in]
    epilogue : int
        GATE: to the norm's output, and sums. GATE_SUMS: sums alone. GATE_APPLY: to x.
    alpha : float
    means : float32 [2, channels_in]
        For GATE_APPLY: of dz and of dz xhat.
    add : [sites, shots, channels_in]
        For GATE_APPLY: another gradient to x, added.

    Returns
    -------
    gradient : [sites, shots, channels_in], empty for GATE_SUMS
    sums : float64 [2, channels_in], empty for GATE_APPLY
    """
    y = x.new_empty(0) if epilogue == GATE_SUMS else torch.empty_like(x)
    return y, _launch(dy, weight.t(), y, epilogue, before=x, norm_out=norm, means=means, residual=add, alpha=alpha)


def _launch(
    x: torch.Tensor,
    weight: torch.Tensor,  # [channels_out, channels_in]
    y: torch.Tensor,
    epilogue: int,
    *,
    alpha: float,
    residual: torch.Tensor | None,
    norm_in: torch.Tensor | None = None,
    before: torch.Tensor | None = None,
    norm_out: torch.Tensor | None = None,
    means: torch.Tensor | None = None,
) -> torch.Tensor:
    """Launch the kernel, and return the sums it left, if any. Stand-ins for tensors it has no use for are not read."""
    channels_out, channels_in = weight.shape
    rows = x.numel() // channels_in
    summed = epilogue not in (STORE, GATE_APPLY)
    smallest = min(c.kwargs["BLOCK_ROWS"] for c in _multiply.configs)
    partials = x.new_empty(tiles(rows, smallest) if summed else 0, 2, channels_out, dtype=torch.float32)
    unused = partials

    def grid(meta: dict[str, int]) -> tuple[int]:
        return (tiles(rows, meta["BLOCK_ROWS"]) * tiles(channels_out, meta["BLOCK_OUT"]),)

    _multiply[grid](
        x,
        weight,
        y,
        x if residual is None else residual,
        unused if norm_in is None else norm_in,
        x if before is None else before,
        unused if norm_out is None else norm_out,
        unused if means is None else means,
        partials,
        rows,
        alpha,
        weight.stride(1),
        weight.stride(0),
        C_IN=channels_in,
        C_OUT=channels_out,
        ACTIVATE=norm_in is not None,
        RESIDUAL=residual is not None and norm_in is not None,
        EPILOGUE=epilogue,
        PRECISION=precision(x),
    )
    written = tiles(rows, _multiply.best_config.kwargs["BLOCK_ROWS"])
    return total(partials[:written]) if summed else partials


def multiply_weight_gradient(
    dy: torch.Tensor, x: torch.Tensor, norm: torch.Tensor, *, alpha: float = 1.0
) -> torch.Tensor:
    """The gradient of `multiply` to its weights: float32 [channels_out, channels_in]."""
    channels_in, channels_out = x.shape[-1], dy.shape[-1]
    rows = x.numel() // channels_in
    block_out = min(padded(channels_out), 128)
    block_in = min(padded(channels_in), 16384 // block_out)  # as many sums as eight warps hold in registers
    across = tiles(channels_in, block_in), tiles(channels_out, block_out)
    parts = splits(across[0] * across[1], tiles(rows, 1024))
    partials = x.new_empty(parts, channels_out, channels_in, dtype=torch.float32)
    _multiply_weight_gradient[(parts, *across)](
        dy,
        x,
        norm,
        partials,
        rows,
        C_IN=channels_in,
        C_OUT=channels_out,
        SPLITS=parts,
        PRECISION=precision(x),
        BLOCK_IN=block_in,
        BLOCK_OUT=block_out,
    )
    return partials.sum(dim=0) * alpha
