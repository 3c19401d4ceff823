"""The road into the network: bit-packed detection events to the states of sites, on the network's own device.

An eighth of the bytes travels there. `Lattice.scatter` says the same in a form that is easy to read.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import UInt8

from cascade_qec.lattice import Lattice

_NOWHERE = -1


class Unpacking(torch.nn.Module):
    """States of the sites of one or several experiments, from rows of bits.

    A row has the detection events of an experiment and then, where there are any, its observables, one experiment after
    the other; first bits are lowest, and each part begins with a new byte.

    Parameters
    ----------
    lattices : sequence of Lattice
    observables : sequence of int, optional
        Observables that a row has of each experiment; by default none.
    """

    def __init__(self, lattices: Sequence[Lattice], observables: Sequence[int] | None = None) -> None:
        super().__init__()
        self.observables = list(observables or [0] * len(lattices))
        sites, flips, silent, start = [], [], [], 0  # for each site and observable the bit that it is read from
        for lattice, count in zip(lattices, self.observables, strict=True):
            read, fill = lattice.bits
            sites.append(np.where(read >= 0, start + read, _NOWHERE))
            silent.append(fill)
            start += _whole_bytes(lattice.detectors)
            flips.append(start + np.arange(count))
            start += _whole_bytes(count)
        self.sites = sum(map(len, sites))
        bit = np.concatenate(sites + flips)
        fill = np.concatenate([*silent, np.zeros(len(bit) - self.sites, dtype=np.int64)])
        self._byte: torch.Tensor
        self._shift: torch.Tensor
        self._mask: torch.Tensor
        self._fill: torch.Tensor
        self.register_buffer("_byte", torch.from_numpy(np.maximum(bit, 0) // 8), persistent=False)
        for name, column in (("_shift", bit % 8), ("_mask", bit != _NOWHERE), ("_fill", fill)):
            self.register_buffer(name, torch.from_numpy(column.astype(np.uint8)[:, None]), persistent=False)

    def forward(
        self, packed: UInt8[np.ndarray | torch.Tensor, "shots bytes"]
    ) -> tuple[UInt8[torch.Tensor, "{self.sites} shots"], list[UInt8[torch.Tensor, "_ shots"]]]:
        """Unpack a batch; the sites of the experiments follow one another.

        Parameters
        ----------
        packed : uint8 [shots, bytes]
            On any device.

        Returns
        -------
        states : uint8 [sites, shots]
        observables : list of uint8 [observables, shots]
            Of each experiment.
        """
        columns = torch.as_tensor(packed).to(self._byte.device, non_blocking=True).t().contiguous()
        bits = columns.index_select(0, self._byte)
        bits.bitwise_right_shift_(self._shift).bitwise_and_(self._mask).bitwise_or_(self._fill)
        return bits[: self.sites], list(bits[self.sites :].split(self.observables))


def _whole_bytes(bits: int) -> int:
    return -(-bits // 8) * 8
