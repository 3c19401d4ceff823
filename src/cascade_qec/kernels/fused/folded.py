"""Folded inference in Triton: the operations of `cascade_qec.kernels.folded`, a launch each.

With no statistics to wait for, what follows a convolution happens while its results are in registers: bias and SiLU;
behind a block's last one also the product up, the residual stream, and the product down of the block that follows.
A block is one launch for each of its convolutions, and reads and writes the wide stream once. The channels of a block
are one tile: of more than 128 it does not fit into a chip's memory.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import triton
import triton.language as tl

from cascade_qec.kernels.folded import FP8, MOST, Asked, Ending, Product, Readers, Sites
from cascade_qec.kernels.fused.convolution import summed, widths
from cascade_qec.kernels.fused.launch import FEW_SHOTS, accumulate, config, padded, precision, tiles, tuned

_MOST = tl.constexpr(MOST)

_CONVOLUTIONS = [
    config(3, 4, BLOCK_SHOTS=16, GROUP=4),
    config(4, 4, BLOCK_SHOTS=16, GROUP=1),
    config(4, 2, BLOCK_SHOTS=16, GROUP=2),
    config(4, 4, BLOCK_SHOTS=64, GROUP=1),
    config(3, 4, BLOCK_SHOTS=64, GROUP=2),
    config(4, 8, BLOCK_SHOTS=128, GROUP=1),
    config(3, 8, BLOCK_SHOTS=128, GROUP=2),
]
_ROWS = [config(2, 4, BLOCK_SHOTS=16), config(2, 4, BLOCK_SHOTS=64), config(2, 8, BLOCK_SHOTS=128)]


@triton.jit
def _silu(z):
    return z * tl.sigmoid(z)


@triton.jit
def _stored(x, TYPE: tl.constexpr):
    """Numbers of a type; those too large for FP8 become its largest."""
    if TYPE.primitive_bitwidth == 8:  # pyright: ignore[reportAttributeAccessIssue]
        x = tl.minimum(tl.maximum(x, -_MOST), _MOST)
    return x.to(TYPE)


@tuned(_ROWS, ["WIDTH", "CHANNELS", "FEW"])
@triton.jit
def _begin(
    packed,  # uint8 [bytes, shots]
    byte,  # [sites]
    kind,
    shift,
    mask,
    fill,
    stream,  # [rows, WIDTH]
    narrow,  # [rows, CHANNELS]
    states,  # uint8 [sites, shots]
    x,  # [sites, shots, WIDTH]
    y,  # [sites, shots, CHANNELS]
    sites,
    shots,
    WIDTH: tl.constexpr,
    CHANNELS: tl.constexpr,
    TILE_WIDTH: tl.constexpr,
    TILE_CHANNELS: tl.constexpr,
    FEW: tl.constexpr,  # for tuning alone, as in all kernels here
    BLOCK_SHOTS: tl.constexpr,
):
    site = tl.program_id(0) % sites
    shot = (tl.program_id(0) // sites) * BLOCK_SHOTS + tl.arange(0, BLOCK_SHOTS)
    here = shot < shots
    bits = tl.load(packed + tl.load(byte + site).to(tl.int64) * shots + shot, mask=here, other=0)
    state = (bits >> tl.load(shift + site)) & tl.load(mask + site) | tl.load(fill + site)
    cell = site.to(tl.int64) * shots + shot
    tl.store(states + cell, state, mask=here)
    row = tl.load(kind + site) + state.to(tl.int32)
    channel = tl.arange(0, TILE_CHANNELS)
    present = here[:, None] & (channel < CHANNELS)[None, :]
    first_read = tl.load(narrow + row[:, None] * CHANNELS + channel[None, :], mask=present)
    tl.store(y + cell[:, None] * CHANNELS + channel[None, :], first_read, mask=present)
    for first in range(0, WIDTH, TILE_WIDTH):
        wide = first + tl.arange(0, TILE_WIDTH)
        inside = here[:, None] & (wide < WIDTH)[None, :]
        value = tl.load(stream + row[:, None] * WIDTH + wide[None, :], mask=inside)
        tl.store(x + cell[:, None] * WIDTH + wide[None, :], value, mask=inside)


@tuned(_CONVOLUTIONS, ["C_IN", "C_OUT", "LEAST", "FEW"])
@triton.jit
def _convolve_folded(
    x,  # [sites_in, shots, C_IN]
    weight,
    scale,  # [C_OUT]
    bias,  # [C_OUT]
    sources,  # int32 [sites, LINKS]
    blocks,
    counts,
    y,  # [sites, shots, C_OUT]
    sites,
    shots,
    weight_plane,  # strides of the weights, in elements
    weight_relation,
    weight_in,
    weight_out,
    C_IN: tl.constexpr,
    C_OUT: tl.constexpr,
    LINKS: tl.constexpr,
    LEAST: tl.constexpr,  # numbers that a step of the matrix units contracts
    ACTIVATE: tl.constexpr,
    PRECISION: tl.constexpr,
    TILE_IN: tl.constexpr,
    TILE_OUT: tl.constexpr,
    FEW: tl.constexpr,
    BLOCK_SHOTS: tl.constexpr,
    GROUP: tl.constexpr,
):
    out_tiles: tl.constexpr = (C_OUT + TILE_OUT - 1) // TILE_OUT
    tile = tl.program_id(0) // out_tiles
    site = tile % sites
    shot = (tile // sites) * BLOCK_SHOTS + tl.arange(0, BLOCK_SHOTS)
    out = (tl.program_id(0) % out_tiles) * TILE_OUT + tl.arange(0, TILE_OUT)
    group: tl.constexpr = GROUP if GROUP * TILE_IN >= LEAST else LEAST // TILE_IN
    result = summed(
        x,
        weight,
        sources,
        blocks,
        counts,
        site,
        shot,
        out,
        shots,
        weight_plane,
        weight_relation,
        weight_in,
        weight_out,
        C_IN,
        C_OUT,
        LINKS,
        False,
        PRECISION,
        TILE_IN,
        TILE_OUT,
        BLOCK_SHOTS,
        group,
    )
    present = out < C_OUT
    result = result * tl.load(scale + out, mask=present)[None, :] + tl.load(bias + out, mask=present)[None, :]
    if ACTIVATE:
        result = _silu(result)
    offsets = (site.to(tl.int64) * shots + shot)[:, None] * C_OUT + out[None, :]
    tl.store(y + offsets, _stored(result, y.dtype.element_ty), mask=(shot < shots)[:, None] & present[None, :])


@tuned(_CONVOLUTIONS, ["CHANNELS", "WIDTH", "AFTER", "LEAST", "FEW"])
@triton.jit
def _end_block(
    x,  # [sites_in, shots, CHANNELS]
    weight,
    scale,  # [CHANNELS]
    bias,
    sources,  # int32 [sites, LINKS]
    blocks,
    counts,
    stream,  # [sites, shots, WIDTH]
    up,  # [CHANNELS, WIDTH]
    up_scale,  # [WIDTH]
    stream_scale,
    stream_shift,
    then,  # [WIDTH, AFTER]
    then_scale,  # [AFTER]
    then_bias,
    kept,  # [sites, shots, WIDTH]
    after,  # [sites, shots, AFTER], or WIDTH without a product
    sites,
    shots,
    weight_plane,  # strides of the weights, in elements
    weight_relation,
    weight_in,
    weight_out,
    CHANNELS: tl.constexpr,
    WIDTH: tl.constexpr,
    AFTER: tl.constexpr,  # 0 without a product
    LAST: tl.constexpr,
    LINKS: tl.constexpr,
    LEAST: tl.constexpr,
    PRECISION: tl.constexpr,
    TILE: tl.constexpr,
    TILE_WIDTH: tl.constexpr,
    TILE_AFTER: tl.constexpr,
    FEW: tl.constexpr,
    BLOCK_SHOTS: tl.constexpr,
    GROUP: tl.constexpr,
):
    site = tl.program_id(0) % sites
    shot = (tl.program_id(0) // sites) * BLOCK_SHOTS + tl.arange(0, BLOCK_SHOTS)
    channel = tl.arange(0, TILE)
    group: tl.constexpr = GROUP if GROUP * TILE >= LEAST else LEAST // TILE
    result = summed(
        x,
        weight,
        sources,
        blocks,
        counts,
        site,
        shot,
        channel,
        shots,
        weight_plane,
        weight_relation,
        weight_in,
        weight_out,
        CHANNELS,
        CHANNELS,
        LINKS,
        False,
        PRECISION,
        TILE,
        TILE,
        BLOCK_SHOTS,
        group,
    )
    present = channel < CHANNELS
    result = result * tl.load(scale + channel, mask=present, other=0.0)[None, :]
    result += tl.load(bias + channel, mask=present, other=0.0)[None, :]
    narrow = _stored(_silu(result), up.dtype.element_ty)
    here = shot < shots
    cell = site.to(tl.int64) * shots + shot
    out = tl.arange(0, TILE_AFTER)
    made = tl.zeros([BLOCK_SHOTS, TILE_AFTER], dtype=tl.float32)
    for first in range(0, WIDTH, TILE_WIDTH):
        wide = first + tl.arange(0, TILE_WIDTH)
        there = wide < WIDTH
        inside = here[:, None] & there[None, :]
        places = cell[:, None] * WIDTH + wide[None, :]
        matrix = tl.load(
            up + wide[None, :] * CHANNELS + channel[:, None], mask=present[:, None] & there[None, :], other=0.0
        )
        share = accumulate(tl.zeros([BLOCK_SHOTS, TILE_WIDTH], dtype=tl.float32), narrow, matrix, PRECISION)
        share *= tl.load(up_scale + wide, mask=there, other=0.0)[None, :]
        value = tl.load(stream + places, mask=inside, other=0.0).to(tl.float32) + share
        if not LAST:
            tl.store(kept + places, value.to(kept.dtype.element_ty), mask=inside)
        value *= tl.load(stream_scale + wide, mask=there, other=0.0)[None, :]
        active = _silu(value + tl.load(stream_shift + wide, mask=there, other=0.0)[None, :])
        if AFTER == 0:
            tl.store(after + places, _stored(active, after.dtype.element_ty), mask=inside)
        else:
            matrix = tl.load(
                then + out[None, :] * WIDTH + wide[:, None], mask=there[:, None] & (out < AFTER)[None, :], other=0.0
            )
            made = accumulate(made, _stored(active, then.dtype.element_ty), matrix, PRECISION)
    if AFTER != 0:
        present = out < AFTER
        made = made * tl.load(then_scale + out, mask=present)[None, :] + tl.load(then_bias + out, mask=present)[None, :]
        if not LAST:
            made = _silu(made)
        inside = here[:, None] & present[None, :]
        tl.store(after + cell[:, None] * AFTER + out[None, :], _stored(made, after.dtype.element_ty), mask=inside)


@tuned(_ROWS, ["WIDTH", "FEW"])
@triton.jit
def _over_time(
    features,  # [sites, shots, WIDTH]
    sites,  # int32 [places, slices]
    position,  # int32 [2 * places]
    sums,  # [2 * places, shots, WIDTH]
    places,
    slices,
    own,  # of which are the segment's own: all, or all but the last
    shots,
    WIDTH: tl.constexpr,
    TILE_WIDTH: tl.constexpr,
    FEW: tl.constexpr,
    BLOCK_SHOTS: tl.constexpr,
):
    place = tl.program_id(0) % places
    shot = (tl.program_id(0) // places) * BLOCK_SHOTS + tl.arange(0, BLOCK_SHOTS)
    for start in range(0, WIDTH, TILE_WIDTH):
        wide = start + tl.arange(0, TILE_WIDTH)
        inside = (shot < shots)[:, None] & (wide < WIDTH)[None, :]
        offsets = shot[:, None] * WIDTH + wide[None, :]
        both = tl.zeros([BLOCK_SHOTS, TILE_WIDTH], dtype=tl.float32)
        for time in range(1, own):
            site = tl.load(sites + place * slices + time).to(tl.int64)
            both += tl.load(features + site * (shots * WIDTH) + offsets, mask=inside, other=0.0).to(tl.float32)
        site = tl.load(sites + place * slices).to(tl.int64)
        whole = both + tl.load(features + site * (shots * WIDTH) + offsets, mask=inside, other=0.0).to(tl.float32)
        site = tl.load(sites + place * slices + slices - 1).to(tl.int64)
        entering = inside & (own < slices)
        later = both + tl.load(features + site * (shots * WIDTH) + offsets, mask=entering, other=0.0).to(tl.float32)
        for which in tl.static_range(2):
            row = tl.load(position + 2 * place + which).to(tl.int64)
            value = whole if which == 0 else later
            tl.store(sums + row * (shots * WIDTH) + offsets, value.to(sums.dtype.element_ty), mask=inside)


@tuned([config(2, 4, BLOCK_SHOTS=16), config(2, 4, BLOCK_SHOTS=64), config(2, 8, BLOCK_SHOTS=64)], ["WIDTH", "FEW"])
@triton.jit
def _operators(
    read,  # float32 [data places, shots, WIDTH]
    states,  # uint8 [sites, shots]
    start,  # int32 [operators + 1]
    place,
    begin,  # int32 [operators + 1]
    check,
    hidden,  # float32 [WIDTH, HIDDEN]
    hidden_bias,
    output,  # float32 [HIDDEN]
    evidence,  # float32 [shots, operators]
    count,
    shots,
    share,
    output_bias,
    WIDTH: tl.constexpr,
    HIDDEN: tl.constexpr,
    PRECISION: tl.constexpr,
    TILE_WIDTH: tl.constexpr,
    TILE_HIDDEN: tl.constexpr,
    FEW: tl.constexpr,
    BLOCK_SHOTS: tl.constexpr,
):
    operator = tl.program_id(0) % count
    shot = (tl.program_id(0) // count) * BLOCK_SHOTS + tl.arange(0, BLOCK_SHOTS)
    here = shot < shots
    wide = tl.arange(0, TILE_WIDTH)
    inside = here[:, None] & (wide < WIDTH)[None, :]
    logical = tl.zeros([BLOCK_SHOTS, TILE_WIDTH], dtype=tl.float32)
    for entry in range(tl.load(start + operator), tl.load(start + operator + 1)):
        row = tl.load(place + entry).to(tl.int64)
        logical += tl.load(read + row * (shots * WIDTH) + shot[:, None] * WIDTH + wide[None, :], mask=inside, other=0.0)
    logical *= share
    logits = tl.zeros([BLOCK_SHOTS], dtype=tl.float32)
    for first in range(0, HIDDEN, TILE_HIDDEN):
        out = first + tl.arange(0, TILE_HIDDEN)
        there = out < HIDDEN
        matrix = tl.load(
            hidden + out[None, :] * WIDTH + wide[:, None], mask=(wide < WIDTH)[:, None] & there[None, :], other=0.0
        )
        z = accumulate(tl.zeros([BLOCK_SHOTS, TILE_HIDDEN], dtype=tl.float32), logical, matrix, PRECISION)
        z = _silu(z + tl.load(hidden_bias + out, mask=there, other=0.0)[None, :])
        logits += tl.sum(z * tl.load(output + out, mask=there, other=0.0)[None, :], axis=1)
    odd = tl.zeros([BLOCK_SHOTS], dtype=tl.int32)
    end = tl.load(begin + operator + 1)
    for entry in range(tl.load(begin + operator), end, 16):
        entries = entry + tl.arange(0, 16)
        site = tl.load(check + entries, mask=entries < end, other=0).to(tl.int64)
        state = tl.load(states + site[:, None] * shots + shot[None, :], mask=(entries < end)[:, None] & here, other=0)
        odd += tl.sum((state & 1).to(tl.int32), axis=0)
    logits = (logits + output_bias) * (1 - 2 * (odd % 2))
    tl.store(evidence + shot.to(tl.int64) * count + operator, logits, mask=here)


def _grid(programs: int, shots: int) -> Callable[[dict[str, int]], tuple[int]]:
    return lambda meta: (programs * tiles(shots, meta["BLOCK_SHOTS"]),)


def _least(by: Product) -> int:
    return 32 if by.weight.dtype == FP8 else 16


def begin(packed: torch.Tensor, sites: Sites) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """`cascade_qec.kernels.folded.begin`."""
    count, shots, width, channels = len(sites.byte), packed.shape[1], sites.stream.shape[1], sites.narrow.shape[1]
    states = packed.new_empty(count, shots)
    x = sites.stream.new_empty(count, shots, width)
    y = sites.narrow.new_empty(count, shots, channels)
    _begin[_grid(count, shots)](
        packed,
        *sites,
        states,
        x,
        y,
        count,
        shots,
        WIDTH=width,
        CHANNELS=channels,
        TILE_WIDTH=min(padded(width), 128),
        TILE_CHANNELS=padded(channels),
        FEW=shots <= FEW_SHOTS,
    )
    return states, x, y


def convolve(
    x: torch.Tensor, by: Product, readers: Readers, dtype: torch.dtype, *, activate: bool = True
) -> torch.Tensor:
    """`cascade_qec.kernels.folded.convolve`."""
    count, shots = len(readers.links.counts), x.shape[1]
    channels_in, channels_out = by.weight.shape[2:]
    tile_in, tile_out = widths(channels_in, channels_out)
    y = x.new_empty(count, shots, channels_out, dtype=dtype)
    _convolve_folded[_grid(count * tiles(channels_out, tile_out), shots)](
        x,
        *by,
        *readers.links,
        y,
        count,
        shots,
        *by.weight.stride(),
        C_IN=channels_in,
        C_OUT=channels_out,
        LINKS=readers.links.sources.shape[1],
        LEAST=_least(by),
        ACTIVATE=activate,
        PRECISION=precision(x),
        TILE_IN=tile_in,
        TILE_OUT=tile_out,
        FEW=shots <= FEW_SHOTS,
    )
    return y


def end_block(
    x: torch.Tensor, by: Product, readers: Readers, stream: torch.Tensor, ending: Ending
) -> tuple[torch.Tensor | None, torch.Tensor]:
    """`cascade_qec.kernels.folded.end_block`."""
    sites, shots, width = stream.shape
    channels, then = x.shape[2], ending.then
    outputs = 0 if then is None else then.weight.shape[1]
    kept = None if ending.last else torch.empty_like(stream)
    after = x.new_empty(sites, shots, outputs or width, dtype=ending.dtype)
    _end_block[_grid(sites, shots)](
        x,
        *by,
        *readers.links,
        stream,
        ending.up.weight,
        ending.up.scale,
        ending.scale,
        ending.shift,
        *(ending.up if then is None else then),  # which is not read
        stream if kept is None else kept,
        after,
        sites,
        shots,
        *by.weight.stride(),
        CHANNELS=channels,
        WIDTH=width,
        AFTER=outputs,
        LAST=ending.last,
        LINKS=readers.links.sources.shape[1],
        LEAST=_least(by),
        PRECISION=precision(stream),
        TILE=padded(channels),
        TILE_WIDTH=min(padded(width), 64),
        TILE_AFTER=padded(max(1, outputs)),
        FEW=shots <= FEW_SHOTS,
    )
    return kept, after


def over_time(features: torch.Tensor, asked: Asked) -> torch.Tensor:
    """`cascade_qec.kernels.folded.over_time`."""
    (places, slices), (_, shots, width) = asked.sites.shape, features.shape
    sums = features.new_empty(2 * places, shots, width)
    _over_time[_grid(places, shots)](
        features,
        asked.sites,
        asked.position,
        sums,
        places,
        slices,
        asked.own,
        shots,
        WIDTH=width,
        TILE_WIDTH=min(padded(width), 64),
        FEW=shots <= FEW_SHOTS,
    )
    return sums


def operators(read: torch.Tensor, states: torch.Tensor, asked: Asked) -> torch.Tensor:
    """`cascade_qec.kernels.folded.operators`."""
    count, (_, shots, width) = len(asked.start) - 1, read.shape
    evidence = read.new_empty(shots, count)
    _operators[_grid(count, shots)](
        read,
        states,
        asked.start,
        asked.place,
        asked.begin,
        asked.check,
        asked.hidden.weight,
        asked.hidden.bias,
        asked.output,
        evidence,
        count,
        shots,
        asked.share,
        asked.output_bias,
        WIDTH=width,
        HIDDEN=len(asked.output),
        PRECISION=precision(read) if asked.exact else "tf32",
        TILE_WIDTH=padded(width),
        TILE_HIDDEN=min(padded(len(asked.output)), 64),
        FEW=shots <= FEW_SHOTS,
    )
    return evidence
