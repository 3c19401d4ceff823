"""What the network is told of one or several experiments: tables, kinds of site, and where logicals are read."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from cascade_qec.codes import Operators
from cascade_qec.kernels import Relations
from cascade_qec.lattice import ABSENT, Lattice, concatenate, convolution_tables, logical_operators
from cascade_qec.nn.operator_sums import OperatorSums

STATES = ABSENT + 1


class Geometry(torch.nn.Module):
    """The lattices of one or several experiments side by side, ready for the network.

    Several experiments (both bases, say) share one batch: their sites follow one another, and shot b of each of
    them stands in column b. The network sees one longer list of sites; its statistics are those of the mixture.

    Parameters
    ----------
    lattices : sequence of Lattice
        Of one code family.
    convolution : {"direct", "bipartite"}
    operators : {"observables", "translations", "lightest", "light"}
        What the head is asked about, see `cascade_qec.codes.Operators`.

    Attributes
    ----------
    steps : list of Relations
        One (direct) or two (bipartite) tables that make up a block's convolution.
    sites : int
        Of all experiments.
    operator_sums : OperatorSums
        Of the operators of all experiments, one experiment's after the other.
    """

    def __init__(self, lattices: Sequence[Lattice], convolution: str, operators: Operators = "translations") -> None:
        super().__init__()
        tables = [convolution_tables(lattice.frame, convolution, lattice.slices) for lattice in lattices]
        self.steps = torch.nn.ModuleList(Relations(concatenate(step)) for step in zip(*tables, strict=True))
        self.sites = sum(lattice.sites for lattice in lattices)
        self.embedding_offset: torch.Tensor
        offsets = np.concatenate([STATES * lattice.site_kind for lattice in lattices])
        self.register_buffer("embedding_offset", torch.from_numpy(offsets), persistent=False)
        self.operator_sums = OperatorSums(
            lattices, [logical_operators(lattice.code, lattice.basis, operators).support for lattice in lattices]
        )
