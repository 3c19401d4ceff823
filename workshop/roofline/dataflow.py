"""Memory on the chip when every block has a circuit of its own.

From arXiv 2604.08358, Supplementary Information, "Dataflow architecture". All numbers have eight bits (FP8, batch
normalisation folded into the weights), so counts are bytes.
"""

from __future__ import annotations

from dataclasses import dataclass

from cascade_qec.errors import CascadeError
from workshop.roofline.costs import Architecture, channels_of
from workshop.roofline.shapes import CodeShape


@dataclass(frozen=True)
class DataflowMemory:
    """Bytes of one block; multiply by the depth for the network.

    Attributes
    ----------
    weights
        Both projections and the convolution.
    residual
        The block's input, kept until its output can be added: one round of H channels.
    halo
        Rounds that the convolution must see besides the one at hand, C channels wide. The tile that travels from block
        to block is a round; the supplement says that the halo is one position wide, and no more of its size.
    """

    weights: int
    residual: int
    halo: int

    @property
    def total(self) -> int:
        return self.weights + self.residual + self.halo


DATAFLOW_ARCHITECTURES: tuple[Architecture, ...] = ("convolution", "depthwise")
"""Those whose blocks see a bounded neighbourhood and that the supplement lays out."""


def dataflow_memory(architecture: Architecture, shape: CodeShape, *, width: int, bottleneck: int = 4) -> DataflowMemory:
    """Bytes that one block of a spatially pipelined network keeps on the chip, at eight bits a number.

    Weights are ``2 H C + M C^2``, or depthwise ``2 H C + M C``, with M matrices: 27 for a surface code. Of a BB code
    both kinds of check and of data qubit have their own, so M = 48.

    Raises
    ------
    CascadeError
        For an architecture that is none of `DATAFLOW_ARCHITECTURES`, or a width that is no positive multiple of the
        bottleneck factor.
    """
    if architecture not in DATAFLOW_ARCHITECTURES:
        known = " or ".join(DATAFLOW_ARCHITECTURES)
        raise CascadeError(f"expected architecture {known} for a dataflow design, got {architecture!r}")
    channels = channels_of(width, bottleneck)
    convolution = shape.matrices * channels * (channels if architecture == "convolution" else 1)
    return DataflowMemory(
        weights=2 * width * channels + convolution,
        residual=shape.positions * width,
        halo=shape.time_steps * shape.positions * channels,
    )
