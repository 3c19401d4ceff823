"""Isomorphisms between Tanner graphs, by colour refinement and individualisation.

Every node gets a colour that sums up its neighbourhood; when nodes are left that colours do not tell apart, one of
them is singled out, colours are refined again, and so on until all differ. Nodes of equal colour in the two graphs then
belong together, if that maps edges to edges.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from cascade_qec.codes.gf2 import Bits
from cascade_qec.error_models import random_words

Colours = NDArray[np.uint64]


@dataclass(frozen=True, eq=False)
class TannerGraph:
    """Checks and data qubits; checks come first in the numbering of nodes.

    Data qubits with the same checks are one node, coloured by their number: exchanging them changes nothing.

    Attributes
    ----------
    supports : uint8 [checks, distinct qubits]
    colours : uint64 [checks + distinct qubits]
        What tells nodes apart beforehand; of one meaning in the graphs that are compared.
    adjacency : sparse uint64 [nodes, nodes]
    """

    supports: Bits
    colours: Colours
    adjacency: csr_array

    @classmethod
    def of(cls, supports: Bits, primary: NDArray[np.bool_]) -> TannerGraph:
        """The graph of checks of two kinds, primary and other, on data qubits."""
        # Columns are compared by a random sum of their rows: there may be ten thousand.
        row, column = np.nonzero(supports)
        sums = np.zeros(supports.shape[1], dtype=np.uint64)
        np.add.at(sums, column, random_words(len(supports))[row])
        _, first, times = np.unique(sums, return_index=True, return_counts=True)
        supports = supports[:, first]
        checks, qubits = supports.shape
        rows, columns = np.nonzero(supports)
        nodes = checks + qubits
        ends = np.concatenate([rows, columns + checks]), np.concatenate([columns + checks, rows])
        adjacency = csr_array((np.ones(2 * len(rows), dtype=np.uint64), ends), shape=(nodes, nodes))
        colours = np.concatenate([np.where(primary, 1, 2), 2 + times]).astype(np.uint64)
        return cls(supports, _refined(colours, adjacency), adjacency)

    @property
    def checks(self) -> int:
        return len(self.supports)

    def single_out(self, colours: Colours, node: int) -> Colours:
        """Colours after one node has got a colour of its own."""
        marked = colours.copy()
        marked[node] = _mixed(marked[node : node + 1] ^ np.uint64(0x9E3779B97F4A7C15))[0]
        return _refined(marked, self.adjacency)


def isomorphisms(
    found: TannerGraph, code: TannerGraph, *, root: int, images: NDArray[np.int64]
) -> Iterator[NDArray[np.int64]]:
    """All isomorphisms from one graph to another that take a check of the first, the root, to one of its images.

    Yields
    ------
    int64 [checks]
        The check of `code` for each check of `found`.
    """
    if found.supports.shape != code.supports.shape:
        return
    ours = found.single_out(found.colours, root)
    for image in images.tolist():
        if found.colours[root] == code.colours[image]:
            yield from _extended(found, ours, code, code.single_out(code.colours, image))


def _extended(found: TannerGraph, ours: Colours, code: TannerGraph, theirs: Colours) -> Iterator[NDArray[np.int64]]:
    order = np.argsort(ours, kind="stable")
    image_order = np.argsort(theirs, kind="stable")
    if not np.array_equal(ours[order], theirs[image_order]):
        return
    _, first, count = np.unique(ours[order], return_index=True, return_counts=True)
    if (count == 1).all():
        image = np.empty(len(order), dtype=np.int64)
        image[order] = image_order
        checks, qubits = image[: found.checks], image[found.checks :] - found.checks
        if np.array_equal(code.supports[np.ix_(checks, qubits)], found.supports):
            yield checks
        return
    cell = int(np.argmin(np.where(count > 1, count, len(order) + 1)))
    node = int(order[first[cell]])
    refined = found.single_out(ours, node)
    for candidate in image_order[first[cell] : first[cell] + count[cell]].tolist():
        yield from _extended(found, refined, code, code.single_out(theirs, candidate))


def _refined(colours: Colours, adjacency: csr_array) -> Colours:
    """Colours that tell apart whatever the colours of neighbours, and of theirs, tell apart."""
    classes = len(np.unique(colours))
    while True:
        colours = _mixed(_mixed(colours) + adjacency @ _mixed(colours ^ np.uint64(0xD1B54A32D192ED03)))
        now = len(np.unique(colours))
        if now == classes:
            return colours
        classes = now


def _mixed(values: Colours) -> Colours:
    """Splitmix64's finaliser: equal values stay equal, sums of different ones do not."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
