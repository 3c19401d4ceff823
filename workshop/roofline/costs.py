"""Multiply-accumulates (MACs) of one block of the network and of its alternatives.

From arXiv 2604.08358, Supplementary Information, "Computational cost and roofline latency". A bottleneck block of width
H has two pointwise projections, H to C and C to H with C = H / r (r = 4), and between them one spatial operation, which
is what the architectures differ in. MACs of one block for one syndrome position:

    convolution      2 H C + K C^2             K relations: 27, or 24 in two bipartite steps of a BB code
    depthwise        2 H C + K C               every channel on its own
    local attention  2 H C + 4 C^2 + 2 K' C    queries, keys, values, output; scores and mixture over K' neighbours
    full attention   2 H C + 4 C^2 + 2 N C     the same over all N positions of all rounds

Convolution and depthwise are the supplement's; the terms of attention are counted from the operation, and tested
against PyTorch's own count of it. Every position is taken to have all its neighbours, as in the supplement: what a
boundary cuts off is not subtracted (`workshop.speed.floor` does). Embedding, normalisation (folded into the
weights), SiLU, softmax, pooling and readout are left out, as there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from cascade_qec.errors import CascadeError
from workshop.roofline.shapes import CodeShape

Architecture = Literal["convolution", "depthwise", "local_attention", "full_attention"]
ARCHITECTURES: tuple[Architecture, ...] = get_args(Architecture)

_BOTTLENECK = 4
"""The factor r between the width of the residual stream and that of the spatial operation."""

_PROJECTIONS = 4
"""Of attention: to queries, keys and values, and back from their mixture."""


@dataclass(frozen=True)
class BlockCost:
    """MACs of one block for one syndrome position.

    Attributes
    ----------
    pointwise
        The two projections, the same for all architectures.
    spatial
        What lies between them.
    """

    pointwise: int
    spatial: int

    @property
    def total(self) -> int:
        return self.pointwise + self.spatial

    @property
    def spatial_share(self) -> float:
        """Part of the block's MACs that is spatial, 0 to 1."""
        return self.spatial / self.total


def block_cost(architecture: Architecture, shape: CodeShape, *, width: int, bottleneck: int = _BOTTLENECK) -> BlockCost:
    """MACs of one block for one syndrome position.

    Raises
    ------
    CascadeError
        For an unknown architecture, or a width that is no positive multiple of the bottleneck factor.
    """
    channels = channels_of(width, bottleneck)
    if architecture == "convolution":
        spatial = shape.relations * channels**2
    elif architecture == "depthwise":
        spatial = shape.relations * channels
    elif architecture == "local_attention":
        spatial = _PROJECTIONS * channels**2 + 2 * shape.neighbours * channels
    elif architecture == "full_attention":
        spatial = _PROJECTIONS * channels**2 + 2 * shape.positions * shape.rounds * channels
    else:
        raise CascadeError(f"expected an architecture among {', '.join(ARCHITECTURES)}, got {architecture!r}")
    return BlockCost(pointwise=2 * width * channels, spatial=spatial)


def channels_of(width: int, bottleneck: int = _BOTTLENECK) -> int:
    """Channels of the spatial operation.

    Raises
    ------
    CascadeError
        If the width is no positive multiple of the bottleneck factor.
    """
    if bottleneck < 1 or width < 1 or width % bottleneck:
        raise CascadeError(f"expected a width that is a positive multiple of {bottleneck}, got {width}")
    return width // bottleneck


def macs_per_round(cost: BlockCost, shape: CodeShape, *, depth: int) -> int:
    """MACs of a whole network for one round of syndromes: all blocks, all positions.

    Raises
    ------
    CascadeError
        If there is no block.
    """
    if depth < 1:
        raise CascadeError(f"expected a depth of at least 1 block, got {depth}")
    return depth * shape.positions * cost.total


def multiplier_area_saving(cost: BlockCost, reference: BlockCost, *, bits: int = 8, reference_bits: int = 32) -> float:
    """How many times less multiplier area a block needs than a reference in another precision, at equal speed.

    The supplement ("Quantization and inference optimization") takes a multiplier's area as quadratic in its operands'
    width in bits, and as many multipliers as there are MACs.
    """
    return reference.total / cost.total * (reference_bits / bits) ** 2
