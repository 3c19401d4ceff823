"""The lattice convolution in Triton: neighbours are loaded inside the loop of the matrix product.

A program computes one site for a tile of shots. Its links tell which sites it reads; each is a contiguous block of
memory, and absent neighbours take no time. The gradient to the input is the same kernel with the inverse links and
the weights transposed. The weights' gradient is a sum over sites and shots, split into parts that are added in a
fixed order.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl

from cascade_qec.kernels.choice import attempt, gradients
from cascade_qec.kernels.fused.epilogue import STORE, finish
from cascade_qec.kernels.fused.launch import accumulate, config, padded, precision, splits, tiles, tuned
from cascade_qec.kernels.fused.norm import total
from cascade_qec.kernels.relations import Links, Relations


@triton.jit
def summed(
    x,  # [sites_in, shots, C_IN]
    weight,
    sources,  # int32 [sites_out, LINKS]
    blocks,  # int32 [sites_out, LINKS]
    counts,  # int32 [sites_out]
    site,
    shot,  # [BLOCK_SHOTS]
    out,  # [TILE_OUT]
    shots,
    weight_plane,  # strides of the weights, in elements
    weight_relation,
    weight_in,
    weight_out,
    C_IN: tl.constexpr,
    C_OUT: tl.constexpr,
    LINKS: tl.constexpr,
    DEPTHWISE: tl.constexpr,
    PRECISION: tl.constexpr,
    TILE_IN: tl.constexpr,
    TILE_OUT: tl.constexpr,
    BLOCK_SHOTS: tl.constexpr,
    GROUP: tl.constexpr,
):
    """A site's sum over its links, float32 [BLOCK_SHOTS, TILE_OUT]."""
    result = tl.zeros([BLOCK_SHOTS, TILE_OUT], dtype=tl.float32)
    # a step's contraction index runs over GROUP tiles of channels, of one link or of several
    parts: tl.constexpr = (C_IN + TILE_IN - 1) // TILE_IN
    group: tl.constexpr = 1 if DEPTHWISE else GROUP
    index = tl.arange(0, group * TILE_IN)
    count = tl.load(counts + site)
    for first in range(0, count * parts, group):
        part = first + index // TILE_IN
        link = part // parts
        channel = (part % parts) * TILE_IN + index % TILE_IN
        there = (link < count) & (channel < C_IN)
        source = tl.load(sources + site * LINKS + link, mask=link < count, other=0).to(tl.int64)
        block = tl.load(blocks + site * LINKS + link, mask=link < count, other=0)
        rows = x + source[None, :] * (shots * C_IN) + shot[:, None] * C_IN + channel[None, :]
        neighbours = tl.load(rows, mask=(shot < shots)[:, None] & there[None, :], other=0.0)
        weights = weight + (block // LINKS) * weight_plane + (block % LINKS) * weight_relation + channel * weight_in
        if DEPTHWISE:
            factor = tl.load(weights, mask=there, other=0.0)
            result += neighbours.to(tl.float32) * factor.to(tl.float32)[None, :]
        else:
            matrix = tl.load(
                weights[:, None] + out[None, :] * weight_out,
                mask=there[:, None] & (out < C_OUT)[None, :],
                other=0.0,
            )
            result = accumulate(result, neighbours, matrix, PRECISION)
    return result


@tuned(
    [
        config(3, 4, BLOCK_SHOTS=64, GROUP=2),
        config(4, 4, BLOCK_SHOTS=64, GROUP=1),
        config(4, 4, BLOCK_SHOTS=128, GROUP=1),
        config(4, 8, BLOCK_SHOTS=128, GROUP=1),
        config(3, 8, BLOCK_SHOTS=128, GROUP=2),
        config(3, 8, BLOCK_SHOTS=256, GROUP=1),
    ],
    ["C_IN", "C_OUT", "DEPTHWISE", "EPILOGUE"],
)
@triton.jit
def _convolve(
    x,  # [sites_in, shots, C_IN]
    weight,
    sources,  # int32 [sites_out, LINKS]
    blocks,  # int32 [sites_out, LINKS]
    counts,  # int32 [sites_out]
    y,  # [sites_out, shots, C_OUT]
    before,  # [sites_out, shots, C_OUT]
    norm,
    partials,
    sites,
    shots,
    weight_plane,  # strides of the weights, in elements
    weight_relation,
    weight_in,
    weight_out,
    C_IN: tl.constexpr,
    C_OUT: tl.constexpr,
    LINKS: tl.constexpr,
    DEPTHWISE: tl.constexpr,
    EPILOGUE: tl.constexpr,
    PRECISION: tl.constexpr,
    TILE_IN: tl.constexpr,
    TILE_OUT: tl.constexpr,
    BLOCK_SHOTS: tl.constexpr,
    GROUP: tl.constexpr,
):
    out_tiles: tl.constexpr = (C_OUT + TILE_OUT - 1) // TILE_OUT
    tile = tl.program_id(0) // out_tiles
    site = tile % sites  # neighbours run side by side and find each other's reads in the cache
    shot = (tile // sites) * BLOCK_SHOTS + tl.arange(0, BLOCK_SHOTS)
    out = (tl.program_id(0) % out_tiles) * TILE_OUT + tl.arange(0, TILE_OUT)
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
        DEPTHWISE,
        PRECISION,
        TILE_IN,
        TILE_OUT,
        BLOCK_SHOTS,
        GROUP,
    )
    offsets = site.to(tl.int64) * (shots * C_OUT) + shot[:, None] * C_OUT + out[None, :]
    inside = (shot < shots)[:, None] & (out < C_OUT)[None, :]
    finish(result, offsets, inside, out, out < C_OUT, y, before, before, norm, norm, partials, tile, EPILOGUE, C_OUT)


@tuned(
    [
        config(3, 8, BLOCK_SHOTS=64),
        config(3, 4, BLOCK_SHOTS=64),
        config(2, 4, BLOCK_SHOTS=128),
        config(3, 8, BLOCK_SHOTS=128),
    ],
    ["C_IN", "C_OUT", "DEPTHWISE"],
)
@triton.jit
def _convolve_weight_gradient(
    x,  # [sites_in, shots, C_IN]
    dy,  # [sites_out, shots, C_OUT]
    table,  # int64 [sites_out, RELATIONS], absent where it is sites_in
    group_sites,  # int32 [planes * groups, most]
    group_counts,  # int32 [planes * groups]
    partials,  # float32 [splits, planes * groups, GROUP * C_IN, C_OUT], or [splits, planes * RELATIONS, C_IN]
    sites_in,
    shots,
    most,
    C_IN: tl.constexpr,
    C_OUT: tl.constexpr,
    RELATIONS: tl.constexpr,
    GROUP: tl.constexpr,
    SPLITS: tl.constexpr,
    DEPTHWISE: tl.constexpr,
    PRECISION: tl.constexpr,
    TILE_IN: tl.constexpr,
    TILE_OUT: tl.constexpr,
    BLOCK_SHOTS: tl.constexpr,
):
    group = tl.program_id(0)  # fastest, for the programs of a split read the same gradients
    split = tl.program_id(1)
    groups: tl.constexpr = (RELATIONS + GROUP - 1) // GROUP
    index = tl.arange(0, GROUP * TILE_IN)
    relation = (group % groups) * GROUP + index // TILE_IN
    channel = index % TILE_IN
    there = (relation < RELATIONS) & (channel < C_IN)
    out = tl.program_id(2) * TILE_OUT + tl.arange(0, TILE_OUT)
    shot_tiles = tl.cdiv(shots, BLOCK_SHOTS)
    work = tl.load(group_counts + group) * shot_tiles
    share = tl.cdiv(work, SPLITS)
    if DEPTHWISE:
        result = tl.zeros([GROUP * TILE_IN], dtype=tl.float32)
    else:
        result = tl.zeros([GROUP * TILE_IN, TILE_OUT], dtype=tl.float32)
    for item in range(split * share, tl.minimum((split + 1) * share, work)):
        site = tl.load(group_sites + group * most + item // shot_tiles)
        shot = (item % shot_tiles) * BLOCK_SHOTS + tl.arange(0, BLOCK_SHOTS)
        source = tl.load(table + site * RELATIONS + relation, mask=relation < RELATIONS, other=sites_in)
        rows = x + source[None, :] * (shots * C_IN) + shot[:, None] * C_IN + channel[None, :]
        read = (shot < shots)[:, None] & (there & (source < sites_in))[None, :]
        neighbours = tl.load(rows, mask=read, other=0.0)
        gradients = tl.load(
            dy + site.to(tl.int64) * (shots * C_OUT) + shot[:, None] * C_OUT + out[None, :],
            mask=(shot < shots)[:, None] & (out < C_OUT)[None, :],
            other=0.0,
        )
        if DEPTHWISE:
            result += tl.sum(neighbours.to(tl.float32) * gradients.to(tl.float32), axis=0)
        else:
            result = accumulate(result, tl.trans(neighbours), gradients, PRECISION)
    row = (split * tl.num_programs(0) + group) * (GROUP * C_IN) + (index // TILE_IN) * C_IN + channel
    if DEPTHWISE:
        tl.store(partials + row, result, mask=channel < C_IN)
    else:
        places = partials + row[:, None].to(tl.int64) * C_OUT + out[None, :]
        tl.store(places, result, mask=(channel < C_IN)[:, None] & (out < C_OUT)[None, :])


def widths(channels_in: int, channels_out: int, *, depthwise: bool = False) -> tuple[int, int]:
    """Channels of a tile on either side: all of narrow tensors, and of wide ones what fits into a chip's memory."""
    whole = padded(channels_in), padded(channels_out)
    return whole if depthwise else (min(whole[0], 64), min(whole[1], 128))


def convolve(
    x: torch.Tensor,
    weight: torch.Tensor,
    links: Links,
    epilogue: int,
    *,
    transposed: bool = False,
    before: torch.Tensor | None = None,
    norm: torch.Tensor | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Convolve along links, and finish as the epilogue says.

    Parameters
    ----------
    x : [sites_in, shots, channels_in]
        Contiguous.
    weight : [planes, channels_out, relations, channels_in], or [planes, relations, channels] for depthwise
        In x's dtype.
    links : Links
        The relations' forward links, or their backward links along with `transposed`.
    epilogue : int
        STORE, MOMENTS or GATE of `cascade_qec.kernels.fused.epilogue`.
    transposed : bool
        For the gradient to the input: contract over the weights' output channels.
    before, norm : [sites_out, shots, channels_out], float32 [4, channels_out]
        For GATE: what was normalised in the forward pass, and the norm's coefficients.

    Returns
    -------
    y : [sites_out, shots, channels_out]
    sums : float64 [2, channels_out], empty for STORE
    """
    depthwise = weight.dim() == 3
    sites, shots, channels_in = links.counts.shape[0], x.shape[1], x.shape[2]
    if depthwise:
        channels_out, strides = channels_in, (weight.stride(0), weight.stride(1), weight.stride(2), 0)
    else:
        channels_out = weight.shape[3 if transposed else 1]
        contracted, free = (1, 3) if transposed else (3, 1)
        strides = (weight.stride(0), weight.stride(2), weight.stride(contracted), weight.stride(free))
    y = x.new_empty(sites, shots, channels_out)
    smallest = min(c.kwargs["BLOCK_SHOTS"] for c in _convolve.configs)
    partials = x.new_empty(sites * tiles(shots, smallest) if epilogue else 0, 2, channels_out, dtype=torch.float32)
    tile_in, tile_out = widths(channels_in, channels_out, depthwise=depthwise)

    def grid(meta: dict[str, int]) -> tuple[int]:
        return (sites * tiles(shots, meta["BLOCK_SHOTS"]) * tiles(channels_out, tile_out),)

    _convolve[grid](
        x,
        weight,
        *links,
        y,
        y if before is None else before,
        partials if norm is None else norm,
        partials,
        sites,
        shots,
        *strides,
        C_IN=channels_in,
        C_OUT=channels_out,
        LINKS=links.sources.shape[1],
        DEPTHWISE=depthwise,
        EPILOGUE=epilogue,
        PRECISION=precision(x),
        TILE_IN=tile_in,
        TILE_OUT=tile_out,
    )
    if not epilogue:
        return y, partials
    written = sites * tiles(shots, _convolve.best_config.kwargs["BLOCK_SHOTS"])
    return y, total(partials[:written])


def convolve_weight_gradient(
    x: torch.Tensor, dy: torch.Tensor, relations: Relations, *, depthwise: bool
) -> torch.Tensor:
    """The gradient to a convolution's weights.

    Parameters
    ----------
    x : [sites_in, shots, channels_in]
    dy : [sites_out, shots, channels_out]
    relations : Relations

    Returns
    -------
    float32 [planes, channels_out, relations, channels_in], or [planes, relations, channels] for depthwise
    """
    shots, channels_in, channels_out = x.shape[1], x.shape[2], dy.shape[2]
    tile = padded(channels_in)
    group = 1 if depthwise else max(1, 128 // tile)  # as many relations as give the matrix units 128 rows
    sites, counts = relations.groups(group)
    parts = splits(len(counts), sites.shape[1])
    shape = (parts, len(counts), group * channels_in, 1 if depthwise else channels_out)
    partials = x.new_empty(shape, dtype=torch.float32)
    _, tile_out = widths(channels_in, channels_out, depthwise=depthwise)
    _convolve_weight_gradient[(len(counts), parts, tiles(channels_out, tile_out))](
        x,
        dy,
        relations.table,
        sites,
        counts,
        partials,
        relations.sites_in,
        shots,
        sites.shape[1],
        C_IN=channels_in,
        C_OUT=channels_out,
        RELATIONS=relations.relations,
        GROUP=group,
        SPLITS=parts,
        DEPTHWISE=depthwise,
        PRECISION=precision(x),
        TILE_IN=tile,
        TILE_OUT=tile_out,
    )
    summed = partials.sum(dim=0).view(relations.planes_out, -1, channels_in, shape[3])[:, : relations.relations]
    return summed.squeeze(3) if depthwise else summed.permute(0, 3, 1, 2)


class FusedConvolution(torch.autograd.Function):
    """`cascade_qec.kernels.lattice_convolution` by these kernels."""

    @staticmethod
    def forward(ctx, x, weight, relations, reference):  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx.save_for_backward(x, weight)
        ctx.relations, ctx.reference = relations, reference
        y, _ = convolve(x.contiguous(), by_relation(weight, relations), relations.forward_links, STORE)
        return y

    @staticmethod
    def backward(ctx, dy):  # pyright: ignore[reportIncompatibleMethodOverride]
        x, weight = ctx.saved_tensors
        relations: Relations = ctx.relations

        def fused() -> tuple[torch.Tensor, torch.Tensor]:
            weights, gradient = by_relation(weight, relations), dy.contiguous()
            dx, _ = convolve(gradient, weights, relations.backward_links, STORE, transposed=True)
            dw = convolve_weight_gradient(x.contiguous(), gradient, relations, depthwise=weight.dim() == 2)
            return dx, dw.to(weight.dtype).reshape(weight.shape)

        return *attempt(fused, lambda: gradients(ctx.reference, (x, weight), dy)), None, None


def by_relation(weight: torch.Tensor, relations: Relations) -> torch.Tensor:
    """Split the last axis, relations * channels, in two."""
    return weight.unflatten(-1, (relations.relations, -1))
