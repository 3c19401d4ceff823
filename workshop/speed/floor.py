"""What a training step cannot do without: operations and bytes of one shot, counted from a recipe.

A shot is one experiment in one basis; a batch holds those of both bases side by side, so counts are the mean over
the recipe's bases. A multiply-add is two operations. Counted are the products only, and of the convolutions only
relations that exist: what a boundary cuts off is no work. Normalisation, SiLU and the embedding (a lookup) cost
operations too, but on other units than the products. The optimizer's share is per step, not per shot, and small at
the batch sizes of the recipes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from cascade_qec import codes
from cascade_qec.lattice import (
    Lattice,
    LogicalOperators,
    convolution_tables,
    data_relations,
    logical_operators,
    memory_lattice,
)
from cascade_qec.model import NetworkSettings
from cascade_qec.nn import CascadeNetwork
from cascade_qec.training import Recipe

PARTS = ("down", "convolution", "up", "pooling", "readout")


@dataclass(frozen=True)
class Floor:
    """The least work of one shot, forward and backward.

    Attributes
    ----------
    parameters : int
        Of the network.
    sites : float
        Check sites of one experiment.
    forward, training : dict
        Part of the network (`PARTS`) -> operations of the forward pass, and of forward and backward together.
    block_bytes : float
        Read from and written to memory by the blocks, see `block_passes`.
    end_bytes : float
        The same for embedding, pooling and readout, see `end_passes`.
    """

    parameters: int
    sites: float
    forward: dict[str, float]
    training: dict[str, float]
    block_bytes: float
    end_bytes: float

    @property
    def operations(self) -> float:
        """Of one shot, forward and backward."""
        return sum(self.training.values())

    @property
    def bytes(self) -> float:
        """Of one shot, forward and backward."""
        return self.block_bytes + self.end_bytes

    def shots_by_operations(self, matrix_rate: float) -> float:
        """Shots per second if nothing but the products took time, at so many operations per second."""
        return matrix_rate / self.operations

    def shots_by_bytes(self, copy_rate: float) -> float:
        """Shots per second if nothing but memory took time, at so many bytes per second."""
        return copy_rate / self.bytes


def floor(recipe: Recipe, itemsize: int = 2) -> Floor:
    """Count one shot of a recipe.

    Parameters
    ----------
    recipe : Recipe
    itemsize : int
        Bytes of an activation's number: 2 for bfloat16, 4 for float32.
    """
    settings, code = recipe.network, codes.get(recipe.code)
    lattices = [memory_lattice(code, recipe.rounds, basis) for basis in recipe.bases]
    counted = [
        _products(lattice, settings, logical_operators(code, lattice.basis, recipe.operators)) for lattice in lattices
    ]
    forward = {part: 2 * _mean(each[part] for each in counted) for part in PARTS}
    # A product's backward pass is two more: one for each factor. Pooling's weights are fixed and need none.
    training = {part: (2 if part == "pooling" else 3) * operations for part, operations in forward.items()}
    with torch.device("meta"):
        parameters = sum(p.numel() for p in CascadeNetwork(code, settings).parameters())
    sites = _mean(lattice.sites for lattice in lattices)
    steps = len(convolution_tables(lattices[0].frame, settings.convolution, lattices[0].slices))
    wide, narrow = block_passes(steps)
    summed_rows = _mean(_summed_rows(lattice) for lattice in lattices)
    on_sites, on_sums = end_passes()
    return Floor(
        parameters=parameters,
        sites=sites,
        forward=forward,
        training=training,
        block_bytes=itemsize * sites * settings.depth * (wide * settings.width + narrow * settings.channels),
        end_bytes=itemsize * settings.width * (on_sites * sites + on_sums * summed_rows),
    )


def block_passes(steps: int) -> tuple[int, int]:
    """How often a block with so many convolution steps reads or writes a tensor of width H, and one of C channels.

    This is the schedule in which normalisation and SiLU are part of the pointwise products and statistics part of
    whatever writes a tensor; only the narrow input of each convolution is activated in a pass of its own.
    """
    forward = [  # (wide, narrow) reads and writes
        (1, 1),  # down: x; y
        *[(0, 2)] * steps,  # activation: y; a
        *[(0, 2)] * steps,  # convolution: a; y
        (2, 1),  # up: y, the residual x; the block's output
    ]
    backward = [
        (1, 2),  # up, gradient to its input: the output's gradient, y; dz
        (1, 1),  # up, gradient to its weights: the output's gradient, y
        (0, 3),  # normalisation: dz, y; dy
        *[(0, 3)] * steps,  # convolution, gradient to its input: dy, y; dz
        *[(0, 2)] * steps,  # convolution, gradient to its weights: a, dy
        *[(0, 3)] * steps,  # normalisation: dz, y; dy
        (1, 1),  # down, sums of the normalisation's gradient: dy, x
        (1, 1),  # down, gradient to its weights: dy, x
        (3, 1),  # down, gradient to x: dy, x, the output's gradient; dx
    ]
    wide, narrow = zip(*forward, *backward, strict=True)
    return sum(wide), sum(narrow)


def end_passes() -> tuple[int, int]:
    """How often tensors of width H are read or written outside the blocks: those of all sites, and sums over time."""
    on_sites = [
        1,  # embedding: x
        1,  # sums over time: x
        1,  # sums over time, sums of the normalisation's gradient: x
        2,  # sums over time, gradient to x: x; dx
        1,  # embedding, gradient to its weights: dx
    ]
    on_sums = [
        1,  # written
        1,  # readout
        1,  # readout, gradient to its input
        1,  # readout, gradient to its weights
        2,  # their gradient is needed for the normalisation's and for dx
    ]
    return sum(on_sites), sum(on_sums)


def convolution_products(lattice: Lattice, settings: NetworkSettings) -> int:
    """Multiply-adds of one block's convolution, forward, for one shot."""
    tables = convolution_tables(lattice.frame, settings.convolution, lattice.slices)
    relations = sum(int((table.table >= 0).sum()) for table in tables)
    return relations * settings.channels * (1 if settings.depthwise else settings.channels)


def _products(lattice: Lattice, settings: NetworkSettings, asked: LogicalOperators) -> dict[str, int]:
    """Multiply-adds of one shot's forward pass by part."""
    width, depth = settings.width, settings.depth
    pointwise = depth * lattice.sites * width * settings.channels
    mlp = 2 * width * width + 2 * width
    return {
        "down": pointwise,
        "convolution": depth * convolution_products(lattice, settings),
        "up": pointwise,
        "pooling": int(asked.support.sum()) * width,
        "readout": _read_relations(lattice) * width * width + len(asked.support) * mlp,
    }


def _read_relations(lattice: Lattice) -> int:
    """Relations through which data qubits read a check in their own slice or the next, in one slice."""
    return int((data_relations(lattice.frame, 2).table >= 0).sum()) - int(
        (data_relations(lattice.frame, 1).table >= 0).sum()
    )


def _summed_rows(lattice: Lattice) -> int:
    """Rows of width H that the sum over time leaves: for each check one over all slices, and one over all nexts."""
    return 2 * sum(lattice.frame.plane_sizes)


def _mean(values) -> float:
    return float(np.mean(list(values)))
