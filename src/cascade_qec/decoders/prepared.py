"""A model's weights and tables for one experiment, as runtimes, the page and ONNX files are given them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cascade_qec.codes.gf2 import Bits
from cascade_qec.engine import LocalTables, LogicalTables, Tables, Weights, silence, with_noise, with_silence
from cascade_qec.lattice import Lattice, memory_lattice
from cascade_qec.model import ModelDescription


def logical_tables(made: ModelDescription, lattice: Lattice, wanted: Bits | None = None) -> LogicalTables:
    """What a logical head is told of an experiment.

    Parameters
    ----------
    wanted : uint8 [decided, k], optional
        The code's observables in each one that is to be decided; by default each of them.
    """
    wanted = np.eye(lattice.code.k, dtype=np.uint8) if wanted is None else wanted
    slices, segment_rounds = made.slices_summed(lattice.rounds), made.network.segment_rounds
    return LogicalTables.of(lattice, made.operators, wanted, slices, segment_rounds)


def prepared(
    weights: Weights,
    made: ModelDescription,
    lattice: Lattice,
    head_tables: LogicalTables | LocalTables,
    noise: NDArray[np.float32] | None = None,
) -> tuple[Weights, Tables]:
    """A model's weights as they are for an experiment, and the trunk's tables.

    Parameters
    ----------
    noise : float32 [sites, told], optional
        What a model is told of it, see `cascade_qec.components.Priors`.
    """
    tables = Tables.of(lattice, made.network.convolution)
    if noise is not None:
        weights, tables = with_noise(weights, tables, noise)
    if isinstance(head_tables, LogicalTables) and made.network.segment_rounds is not None:
        own = memory_lattice(lattice.code, made.network.segment_rounds, lattice.basis)
        of_own = silence(weights, Tables.of(own, made.network.convolution), logical_tables(made, own))
        weights = with_silence(weights, silence(weights, tables, head_tables) - of_own)
    return weights, tables
