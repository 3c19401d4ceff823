"""What the network is told of one or several experiments: tables, kinds of site, and where its head reads."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from cascade_qec.codes import Operators
from cascade_qec.components import Components
from cascade_qec.kernels import Relations
from cascade_qec.lattice import ABSENT, Lattice, concatenate, convolution_tables, logical_operators
from cascade_qec.model import Mixer
from cascade_qec.nn.attention import Views
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
    asked : {"observables", "translations", "lightest", "light"} or sequence of Components
        What the head is asked about: logical operators, see `cascade_qec.codes.Operators`, or the components of each
        experiment's error model, all of known types.
    slices, segment_rounds : optional
        See `OperatorSums`.
    mixer : {"convolution", "local_attention", "full_attention"}

    Attributes
    ----------
    steps : list of Relations or Views
        One (direct) or two (bipartite) tables that make up a block's convolution, or what its attention sees.
    sites : int
        Of all experiments.
    operator_sums : OperatorSums
        Of the operators of all experiments, one experiment's after the other, if it is asked about operators.
    owner, type_of : int64 [components]
        Of the components of all experiments, one experiment's after the other, if it is asked about components.
    """

    def __init__(
        self,
        lattices: Sequence[Lattice],
        convolution: str,
        asked: Operators | Sequence[Components] = "translations",
        slices: Sequence[int] | None = None,
        mixer: Mixer = "convolution",
        segment_rounds: int | None = None,
    ) -> None:
        super().__init__()
        if mixer == "convolution":
            tables = [convolution_tables(lattice.frame, convolution, lattice.slices) for lattice in lattices]
            self.steps = torch.nn.ModuleList(Relations(concatenate(step)) for step in zip(*tables, strict=True))
        else:
            self.steps = torch.nn.ModuleList([Views(lattices, mixer)])
        self.sites = sum(lattice.sites for lattice in lattices)
        self.embedding_offset: torch.Tensor
        offsets = np.concatenate([STATES * lattice.site_kind for lattice in lattices])
        self.register_buffer("embedding_offset", torch.from_numpy(offsets), persistent=False)
        if isinstance(asked, str):
            supports = [logical_operators(lattice.code, lattice.basis, asked).support for lattice in lattices]
            self.operator_sums = OperatorSums(lattices, supports, slices, segment_rounds)
            return
        self.owner: torch.Tensor
        self.type_of: torch.Tensor
        first = np.cumsum([0, *(lattice.sites for lattice in lattices)])
        owner = np.concatenate([start + one.owner for start, one in zip(first[:-1], asked, strict=True)])
        self.register_buffer("owner", torch.from_numpy(owner), persistent=False)
        self.register_buffer("type_of", torch.from_numpy(np.concatenate([one.type for one in asked])), persistent=False)
