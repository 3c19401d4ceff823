"""A network's weights as inference needs them: batch norms folded into products, every product [inputs, outputs].

A norm before a product is a scale and a shift of what it reads; a norm behind one is a scale and a shift of what it
writes, and goes into its weights and a bias. So a block that was normed four times is left with one affine map
of the residual stream, and its share of that stream is part of its last product.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from cascade_qec.codes import CSSCode
from cascade_qec.lattice import convolution_tables, data_relations

EPSILON = 1e-5
"""Added to the variance by every batch norm."""

Array: TypeAlias = NDArray[np.float32]
State: TypeAlias = Mapping[str, NDArray[np.floating]]


@dataclass(frozen=True, eq=False)
class Convolution:
    """One step of a block's convolution; SiLU follows.

    Attributes
    ----------
    weight : float32 [planes, relations, channels, channels]
    bias : float32 [channels]
    """

    weight: Array
    bias: Array


@dataclass(frozen=True, eq=False)
class Block:
    """``x + up(convolutions(silu(down(silu(scale x + shift)) + down_bias)))``, SiLU behind every convolution.

    Attributes
    ----------
    scale, shift : float32 [width]
    down : float32 [width, channels]
    down_bias : float32 [channels]
    convolutions : tuple of Convolution
        One (direct) or two (bipartite).
    up : float32 [channels, width]
    """

    scale: Array
    shift: Array
    down: Array
    down_bias: Array
    convolutions: tuple[Convolution, ...]
    up: Array


@dataclass(frozen=True, eq=False)
class Trunk:
    """Embedding, blocks, and ``silu(scale x + shift)``.

    Attributes
    ----------
    embedding : float32 [kinds * 3, width]
    blocks : tuple of Block
    scale, shift : float32 [width]
    told : float32 [told, width] or None
        Added to a site's row of the embedding, times what a model is told of the noise there; see `with_noise`.
    """

    embedding: Array
    blocks: tuple[Block, ...]
    scale: Array
    shift: Array
    told: Array | None = None


@dataclass(frozen=True, eq=False)
class LogicalHead:
    """A convolution to data qubits, sums over operators, ``output silu(hidden x + hidden_bias) + output_bias``.

    The same for each segment of an experiment.

    Attributes
    ----------
    to_data : float32 [planes, relations, width, width]
    hidden : float32 [width, 2 * width]
    hidden_bias : float32 [2 * width] or [segments, 2 * width]
    output : float32 [2 * width]
    output_bias : float
    in_segments : bool
        Whether `hidden_bias` is yet to be that of an experiment's segments, see `with_silence`.
    """

    to_data: Array
    hidden: Array
    hidden_bias: Array
    output: Array
    output_bias: float
    in_segments: bool = False

    def biases(self, segments: int) -> Array:
        """`hidden_bias` of each segment, float32 [segments, 2 * width]."""
        return np.broadcast_to(self.hidden_bias, (segments, len(self.output))).copy()


@dataclass(frozen=True, eq=False)
class LocalHead:
    """One column for each type of component.

    Attributes
    ----------
    output : float32 [width, types]
    bias : float32 [types]
    """

    output: Array
    bias: Array


@dataclass(frozen=True, eq=False)
class Weights:
    """A trunk and a head."""

    trunk: Trunk
    head: LogicalHead | LocalHead


def folded(state: State, code: CSSCode, *, convolution: str, depthwise: bool, in_segments: bool = False) -> Weights:
    """Fold a network's weights.

    Parameters
    ----------
    state : mapping of float [...]
        The weights by the names of `cascade_qec.nn.CascadeNetwork`; sums are in float64.
    code : CSSCode
        Of the network's family.
    convolution : {"direct", "bipartite"}
    depthwise : bool
        Whether channels are convolved each on its own; they are folded to matrices that are zero beside the diagonal.
    in_segments : bool
        Whether a logical head reads other numbers of rounds than it learned.
    """
    frame = code.frame("Z")
    steps = [(table.planes_out, table.relations) for table in convolution_tables(frame, convolution, 2)]
    depth = len({name.split(".")[2] for name in state if name.startswith("trunk.blocks.")})
    blocks = tuple(
        _block(state, f"trunk.blocks.{number}.", steps, depthwise=depthwise, share=(2 * depth) ** -0.5)
        for number in range(depth)
    )
    scale, shift = _affine(state, "trunk.norm_out.")
    told = _single(state["trunk.told"]) if "trunk.told" in state else None
    trunk = Trunk(_single(state["trunk.embedding"]), blocks, _single(scale), _single(shift), told)
    if "head.hidden.weight" not in state:
        return Weights(trunk, LocalHead(_single(state["head.output"].T), _single(state["head.output_bias"])))
    scale, shift = _affine(state, "head.norm.")
    hidden = state["head.hidden.weight"].astype(np.float64)
    table = data_relations(frame, 2)
    to_data = state["head.to_data.weight"]
    return Weights(
        trunk,
        LogicalHead(
            to_data=_single(_by_relation(to_data, 1, table.planes_out * table.relations)[0]).reshape(
                table.planes_out, table.relations, *[len(to_data)] * 2
            ),
            hidden=_single((hidden * scale).T),
            hidden_bias=_single(hidden @ shift + state["head.hidden_bias"]),
            output=_single(state["head.output"][0]),
            output_bias=float(state["head.output_bias"][0]),
            in_segments=in_segments,
        ),
    )


def _block(state: State, name: str, steps: list[tuple[int, int]], *, depthwise: bool, share: float) -> Block:
    scale, shift = _affine(state, f"{name}norm_in.")
    behind = [_affine(state, f"{name}norms.{i}.") for i in range(len(steps))] + [_affine(state, f"{name}norm_out.")]
    convolutions = []
    for i, ((planes, relations), (gain, bias)) in enumerate(zip(steps, behind[1:], strict=True)):
        weight = state[f"{name}convolutions.{i}.weight"].astype(np.float64)
        if depthwise:
            by_relation = weight.reshape(planes, relations, -1)[..., None] * np.eye(weight.shape[1] // relations)
        else:
            by_relation = _by_relation(weight, planes, relations)
        convolutions.append(Convolution(_single(by_relation * gain), _single(bias)))
    return Block(
        scale=_single(scale),
        shift=_single(shift),
        down=_single((state[f"{name}down.weight"] * behind[0][0][:, None]).T),
        down_bias=_single(behind[0][1]),
        convolutions=tuple(convolutions),
        up=_single(share * state[f"{name}up.weight"].astype(np.float64).T),
    )


def _by_relation(weight: NDArray[np.floating], planes: int, relations: int) -> NDArray[np.floating]:
    """[planes * outputs, relations * inputs] to [planes, relations, inputs, outputs]."""
    return weight.reshape(planes, len(weight) // planes, relations, -1).transpose(0, 2, 3, 1)


def _affine(state: State, norm: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A batch norm of fixed statistics as scale and shift, float64 [channels]."""
    scale = state[f"{norm}weight"] / np.sqrt(state[f"{norm}variance"].astype(np.float64) + EPSILON)
    return scale, state[f"{norm}bias"] - state[f"{norm}mean"] * scale


def _single(x: NDArray[np.floating]) -> Array:
    return np.ascontiguousarray(x, dtype=np.float32)
