"""A relation table on a device, in the forms that the kernels read."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch

from cascade_qec.lattice.relations import ABSENT_SITE, RelationTable


class Links(NamedTuple):
    """For each site the neighbours that it sums over, absent ones left out.

    Attributes
    ----------
    sources : int32 [sites, relations]
        The site read through each link.
    blocks : int32 [sites, relations]
        The weights it is multiplied by: plane * relations + relation.
    counts : int32 [sites]
        How many of a site's links there are; entries from there on are -1 and 0.
    """

    sources: torch.Tensor
    blocks: torch.Tensor
    counts: torch.Tensor

    @classmethod
    def of(cls, table: np.ndarray, planes: np.ndarray, device: torch.device | None = None) -> Links:
        """From sites that are read, -1 for none, and the plane of each one's weights, both [sites, relations]."""
        present, relations = table != ABSENT_SITE, np.arange(table.shape[1])
        blocks = np.where(present, planes * len(relations) + relations, 0)
        order = np.argsort(~present, axis=1, kind="stable")  # the present first, in the order of relations
        sources = np.take_along_axis(table, order, axis=1)
        blocks = np.take_along_axis(blocks, order, axis=1)
        arrays = (sources, blocks, present.sum(axis=1))
        return cls(*(torch.from_numpy(array.astype(np.int32)).to(device) for array in arrays))


class Groups(NamedTuple):
    """Output sites by plane and by group of consecutive relations, for the weights' gradient.

    Attributes
    ----------
    sites : int32 [planes * groups, most]
        Sites of the plane that read anything through the group's relations, then padding.
    counts : int32 [planes * groups]
    """

    sites: torch.Tensor
    counts: torch.Tensor


class Relations(torch.nn.Module):
    """A relation table on a device.

    Absent neighbours read row `sites`, which is zero.

    Attributes
    ----------
    table, inverse : int64 [sites, relations]
        Whom a site reads, and who reads it.
    forward_links, backward_links : Links
        The same without the absent: what an output site sums over forwards, an input site backwards.
    """

    def __init__(self, table: RelationTable) -> None:
        super().__init__()
        self.spans_in, self.spans_out = table.spans_in, table.spans_out
        self.sites_in, self.sites_out = table.sites_in, table.sites_out
        self.relations = table.relations
        self.planes_out = table.planes_out
        self.reader_planes = table.reader_planes.tolist()
        self.table: torch.Tensor
        self.inverse: torch.Tensor
        self.register_buffer("table", _padded(table.table, table.sites_in), persistent=False)
        self.register_buffer("inverse", _padded(table.inverse, table.sites_out), persistent=False)
        plane = np.concatenate([np.full(s.stop - s.start, s.plane) for s in table.spans_out])
        self._plane = plane
        self._add_links("forward", table.table, np.broadcast_to(plane[:, None], table.table.shape))
        self._add_links("backward", table.inverse, plane[table.inverse])
        self._groups = lru_cache(maxsize=None)(self._make_groups)

    @property
    def forward_links(self) -> Links:
        return self._links("forward")

    @property
    def backward_links(self) -> Links:
        return self._links("backward")

    def arrays(self) -> tuple[np.ndarray, np.ndarray]:
        """Whom a site reads, -1 for nobody, and its plane: int32 [sites_out, relations], int32 [sites_out]."""
        table = self.table.cpu().numpy()
        return np.where(table < self.sites_in, table, ABSENT_SITE).astype(np.int32), self._plane.astype(np.int32)

    def groups(self, size: int) -> Groups:
        """Output sites by group of `size` relations; made once and kept."""
        return self._groups(size, self.table.device)

    def _add_links(self, way: str, table: np.ndarray, planes: np.ndarray) -> None:
        for name, tensor in Links.of(table, planes)._asdict().items():
            self.register_buffer(f"{way}_{name}", tensor, persistent=False)

    def _links(self, way: str) -> Links:
        return Links(*(self.get_buffer(f"{way}_{name}") for name in Links._fields))

    def _make_groups(self, size: int, device: torch.device) -> Groups:
        present = self.table.cpu().numpy() != self.sites_in
        lists = []
        for plane in range(self.planes_out):
            for first in range(0, self.relations, size):
                reads = present[:, first : first + size].any(axis=1)
                lists.append(np.flatnonzero(reads & (self._plane == plane)))
        sites = np.zeros((len(lists), max(map(len, lists))), dtype=np.int32)
        for row, found in zip(sites, lists, strict=True):
            row[: len(found)] = found
        counts = np.array([len(found) for found in lists], dtype=np.int32)
        return Groups(torch.from_numpy(sites).to(device), torch.from_numpy(counts).to(device))


def _padded(table: np.ndarray, pad: int) -> torch.Tensor:
    return torch.from_numpy(np.where(table >= 0, table, pad))
