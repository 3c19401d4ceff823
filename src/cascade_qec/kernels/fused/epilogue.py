"""What a kernel does with a tile of results while it is still in registers.

Batch norm needs sums over all rows before it can be applied. Every kernel that writes a tensor which is then
normalised therefore leaves the sums of its tile, and every kernel that computes a gradient to SiLU's output takes
it through SiLU and leaves the sums that batch norm's gradient needs. Sums of tiles are added in a fixed order.

A norm's coefficients are one float32 [4, channels]: scale, shift, mean, and reciprocal standard deviation, where
z = scale x + shift is what SiLU is applied to.
"""

from __future__ import annotations

import triton
import triton.language as tl

STORE, MOMENTS, GATE, GATE_SUMS, GATE_APPLY = range(5)
"""Write the results; or write them and the sums of them and of their squares.

Or take gradients to silu(z) through SiLU, and write them and the sums of dz and of dz xhat; or those sums alone; or,
when these are known, take them through batch norm as well and add another gradient.
"""

_MOMENTS, _GATE, _GATE_APPLY = tl.constexpr(MOMENTS), tl.constexpr(GATE), tl.constexpr(GATE_APPLY)


@triton.jit
def coefficient(norm, row: tl.constexpr, channel, present, CHANNELS: tl.constexpr):
    return tl.load(norm + row * CHANNELS + channel, mask=present, other=0.0)


@triton.jit
def activated(x, scale, shift):
    """silu(scale x + shift) in float32."""
    z = x.to(tl.float32) * scale[None, :] + shift[None, :]
    return z * tl.sigmoid(z)


@triton.jit
def gated(gradient, x, scale, shift):
    """The gradient to z from that to silu(z)."""
    z = x.to(tl.float32) * scale[None, :] + shift[None, :]
    s = tl.sigmoid(z)
    return gradient * (s * (1 + z * (1 - s)))


@triton.jit
def finish(
    result,  # float32 [rows, channels], a tile in registers
    offsets,  # of the tile in y, x and add
    inside,  # which entries exist
    channel,
    present,  # which channels exist
    y,
    x,  # what was normalised, in the forward pass
    add,
    norm,
    means,  # float32 [2, channels]: of dz and of dz xhat
    partials,  # float32 [tiles, 2, channels]
    tile,
    EPILOGUE: tl.constexpr,
    CHANNELS: tl.constexpr,
):
    if EPILOGUE < _GATE:
        stored = tl.where(inside, result, 0.0).to(y.dtype.element_ty)
        tl.store(y + offsets, stored, mask=inside)
        if EPILOGUE == _MOMENTS:
            value = stored.to(tl.float32)  # what will be normalised is what was written
            leave_sums(partials, tile, value, value * value, channel, present, CHANNELS)
    else:
        scale = coefficient(norm, 0, channel, present, CHANNELS)
        shift = coefficient(norm, 1, channel, present, CHANNELS)
        mean = coefficient(norm, 2, channel, present, CHANNELS)
        rstd = coefficient(norm, 3, channel, present, CHANNELS)
        before = tl.load(x + offsets, mask=inside, other=0.0)
        dz = tl.where(inside, gated(result, before, scale, shift), 0.0)
        xhat = (before.to(tl.float32) - mean[None, :]) * rstd[None, :]
        if EPILOGUE == _GATE:
            dz = dz.to(y.dtype.element_ty)
            tl.store(y + offsets, dz, mask=inside)
            dz = dz.to(tl.float32)
        if EPILOGUE < _GATE_APPLY:
            leave_sums(partials, tile, dz, dz * xhat, channel, present, CHANNELS)
        else:
            dx = tl.load(add + offsets, mask=inside, other=0.0).to(tl.float32)
            dx += normalised(dz, xhat, scale, channel, present, means, CHANNELS)
            tl.store(y + offsets, dx.to(y.dtype.element_ty), mask=inside)


@triton.jit
def normalised(dz, xhat, scale, channel, present, means, CHANNELS: tl.constexpr):
    """Batch norm's gradient to its input: scale (dz - mean(dz) - xhat mean(dz xhat))."""
    mean_dz = coefficient(means, 0, channel, present, CHANNELS)
    mean_dz_xhat = coefficient(means, 1, channel, present, CHANNELS)
    return scale[None, :] * (dz - mean_dz[None, :] - xhat * mean_dz_xhat[None, :])


@triton.jit
def leave_sums(partials, tile, first, second, channel, present, CHANNELS: tl.constexpr):
    """Write the sums of two tiles over their rows."""
    place = partials + tile * (2 * CHANNELS) + channel
    tl.store(place, tl.sum(first, axis=0), mask=present)
    tl.store(place + CHANNELS, tl.sum(second, axis=0), mask=present)
