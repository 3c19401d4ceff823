"""Matching whose weights are each shot's own: the log-odds that a network gives every component.

PyMatching takes one set of weights for a graph. So shots are put side by side in one graph, each with a copy of the
detectors and with those of its edges that are worth looking at: few are, and one call decodes many shots.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array, csr_array
from scipy.sparse.csgraph import connected_components

from cascade_qec.components.components import Components
from cascade_qec.errors import CascadeError

_FLIPS = 64
"""Observables of all shots in one graph: PyMatching keeps so many as the bits of a word, and is slower beyond."""


class PosteriorMatching:
    """Minimum-weight perfect matching of the components of an experiment.

    Parameters
    ----------
    components
        None flips more than two detectors.
    unlikely
        Components that are less likely than this are left out, but of shots that cannot be explained without them.

    Raises
    ------
    CascadeError
        If a component flips more than two detectors.
    """

    def __init__(self, components: Components, *, unlikely: float = 1e-3) -> None:
        weight = np.diff(components.start)
        if weight.max(initial=0) > 2:
            raise CascadeError(
                f"expected errors that flip at most two detectors of the experiment's basis, to be matched, "
                f"got one that flips {weight.max()}"
            )
        self._own, row = np.unique(components.detector, return_inverse=True)  # row of each entry
        self._paired = weight == 2
        self._ends = row[[components.start[:-1], components.start[1:] - 1]].T
        self._observables = components.observables.astype(np.bool_)
        self._least = np.log(unlikely) - np.log1p(-unlikely)

    def decode(self, log_odds: NDArray[np.float32], events: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """The observables that the lightest set of components flips which explains the events.

        Parameters
        ----------
        log_odds : float32 [shots, components]
            That each is flipped.
        events : bool [shots, detectors]

        Returns
        -------
        bool [shots, k]
        """
        k = self._observables.shape[1]
        observables = np.zeros((len(events), k), dtype=np.bool_)
        lit, step = events[:, self._own], max(1, _FLIPS // max(1, k))
        for start in range(0, len(events), step):
            shots = slice(start, start + step)
            observables[shots] = self._matched(log_odds[shots], lit[shots])
        return observables

    def _matched(self, log_odds: NDArray[np.float32], lit: NDArray[np.bool_]) -> NDArray[np.bool_]:
        import pymatching

        kept = log_odds > self._least
        kept |= self._unexplained(kept, lit)[:, None]
        shot, component = np.nonzero(kept)
        nodes, paired = self._nodes(shot, component)
        checks = _columns(nodes[np.column_stack([np.ones_like(paired), paired])], 1 + paired, lit.size)
        k = self._observables.shape[1]
        flips = self._observables[component]
        flipped = (shot[:, None] * k + np.arange(k))[flips]
        faults = _columns(flipped, flips.sum(axis=1), len(lit) * k)
        weights = -log_odds[kept].astype(np.float64)
        matching = pymatching.Matching(checks, weights=weights, faults_matrix=faults)
        return np.asarray(matching.decode(lit.ravel()), dtype=np.bool_).reshape(len(lit), k)

    def _nodes(
        self, shot: NDArray[np.int64], component: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Both ends of edges among the detectors of all shots, int64 [edges, 2], and whether they are two."""
        return self._ends[component] + (shot * len(self._own))[:, None], self._paired[component]

    def _unexplained(self, kept: NDArray[np.bool_], lit: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Shots whose events these edges do not explain: bool [shots]."""
        nodes, paired = self._nodes(*np.nonzero(kept))
        graph = csr_array((np.ones(len(nodes), dtype=np.int8), tuple(nodes.T)), shape=(lit.size, lit.size))
        count, cluster = connected_components(graph, directed=False)
        odd: NDArray[np.bool_] = np.bincount(cluster, weights=lit.ravel(), minlength=count) % 2 > 0
        odd[cluster[nodes[~paired, 0]]] = False  # the boundary takes one
        return odd[cluster].reshape(lit.shape).max(axis=1)


def _columns(rows: NDArray[np.int64], count: NDArray[np.int64], height: int) -> csc_array:
    """A matrix with ones in these rows, `count` of them in each column after the other: uint8 [height, columns]."""
    start = np.concatenate([[0], np.cumsum(count)])
    return csc_array((np.ones(len(rows), dtype=np.uint8), rows, start), shape=(height, len(count)))
