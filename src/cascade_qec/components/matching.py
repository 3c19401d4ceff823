"""Matching whose weights are each shot's own: the log-odds that a network gives every component.

The native module matches one shot after the other. Without it PyMatching does, which takes one set of weights for a
graph. So shots are put side by side in one graph, each with a copy of the detectors and with those of its edges that
are worth looking at: few are, and one call decodes many shots.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array, csr_array
from scipy.sparse.csgraph import connected_components

from cascade_qec.components.boundaries import Boundaries, boundaries
from cascade_qec.components.components import Components
from cascade_qec.components.costs import costs
from cascade_qec.errors import CascadeError
from cascade_qec.native import native, threads

_FLIPS = 64
"""Observables of all shots in one graph: PyMatching keeps so many as the bits of a word, and is slower beyond."""

_NATIVE_OBSERVABLES = 255
"""That the native module matches with."""


class PosteriorMatching:
    """Minimum-weight perfect matching of the components of an experiment.

    Parameters
    ----------
    components
        None flips more than two detectors.
    unlikely
        Components that are less likely than this are left out, but of shots that cannot be explained without them.
    in_python
        By PyMatching also where the native module is installed.

    Attributes
    ----------
    tells_gaps : bool
        Whether `decode_with_gaps` is to be had: not where observables have more than two joint values.

    Raises
    ------
    CascadeError
        If a component flips more than two detectors.
    """

    def __init__(self, components: Components, *, unlikely: float = 1e-3, in_python: bool = False) -> None:
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
        found = boundaries(self._ends, self._paired, self._observables)
        self.tells_gaps = found is not None
        self._far, self._between = found or Boundaries(
            np.zeros_like(self._paired), np.zeros(components.observables.shape[1], dtype=np.bool_)
        )
        few = self._observables.shape[1] <= _NATIVE_OBSERVABLES
        module, self._native = native() if few and not in_python else None, None
        if module is not None:
            of_row = components.start, row, len(self._own)
            self._native = module.Matching(*of_row, self._observables, self._far, least=self._least)

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
            None flipped where no set explains the events.
        """
        return self._decoded(log_odds, events, gaps=False)[0]

    def decode_with_gaps(
        self, log_odds: NDArray[np.float32], events: NDArray[np.bool_]
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.float32]]:
        """The same, and how much heavier the lightest set is that flips other observables: the complementary gap.

        Nothing is left out here: unlikely components may be needed for the other answer. A gap is the log-odds of the
        one lightest set against the other. It is infinite where nothing flips an observable, zero where no set explains
        the events, and less than zero in the rare case that what was left out makes the other answer lighter.

        Returns
        -------
        observables : bool [shots, k]
        suspects : bool [shots, k]
            In which of them the other answer differs.
        gaps : float32 [shots]

        Raises
        ------
        CascadeError
            If the observables of the experiment have more than two joint values, see `tells_gaps`.
        """
        if not self.tells_gaps:
            raise CascadeError("expected observables of one logical qubit to tell gaps of, got several")
        observables, gaps = self._decoded(log_odds, events, gaps=True)
        return observables, np.broadcast_to(self._between, observables.shape), gaps

    def _decoded(
        self, log_odds: NDArray[np.float32], events: NDArray[np.bool_], *, gaps: bool
    ) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
        lit = np.take(events, self._own, axis=1)
        if self._native is None:
            return self._by_pymatching(log_odds, lit, gaps)
        observables, found, decided = self._native.decode(
            np.ascontiguousarray(log_odds), lit, gaps=gaps, threads=threads()
        )
        if not decided.all():  # of large graphs PyMatching makes less work
            left = ~decided
            observables[left], found[left] = self._by_pymatching(log_odds[left], lit[left], gaps)
        return observables, found

    def _by_pymatching(
        self, log_odds: NDArray[np.float32], lit: NDArray[np.bool_], gaps: bool
    ) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
        k = self._observables.shape[1]
        observables, found = np.zeros((len(lit), k), dtype=np.bool_), np.zeros(len(lit), dtype=np.float32)
        kept = log_odds > self._least
        step = max(1, _FLIPS // max(1, k))
        for start in range(0, len(lit), step):
            shots = slice(start, start + step)
            unexplained = self._unexplained(kept[shots], lit[shots])
            kept[shots] |= unexplained[:, None]
            hopeless = self._unexplained(kept[shots], lit[shots]) if unexplained.any() else unexplained
            observables[shots] = self._matched(log_odds[shots], kept[shots], lit[shots] & ~hopeless[:, None])
            observables[shots][hopeless] = False
            if gaps:
                for shot in (start + np.flatnonzero(~hopeless)).tolist():
                    found[shot] = self._gap(log_odds[shot], lit[shot], observables[shot])
        return observables, found

    def _matched(
        self, log_odds: NDArray[np.float32], kept: NDArray[np.bool_], lit: NDArray[np.bool_]
    ) -> NDArray[np.bool_]:
        import pymatching

        shot, component = np.nonzero(kept)
        nodes, paired = self._nodes(shot, component)
        checks = _columns(nodes[np.column_stack([np.ones_like(paired), paired])], 1 + paired, lit.size)
        k = self._observables.shape[1]
        flips = self._observables[component]
        flipped = (shot[:, None] * k + np.arange(k))[flips]
        faults = _columns(flipped, flips.sum(axis=1), len(lit) * k)
        matching = pymatching.Matching(checks, weights=costs(log_odds[kept]), faults_matrix=faults)
        return np.asarray(matching.decode(lit.ravel()), dtype=np.bool_).reshape(len(lit), k)

    def _gap(self, log_odds: NDArray[np.float32], lit: NDArray[np.bool_], observables: NDArray[np.bool_]) -> float:
        """The gap of a shot that some set explains. PyMatching rounds weights, so it is not quite exact."""
        import pymatching

        if not self._far.any():
            return np.inf
        # the far boundary is one more detector, which is lit or not
        boundary = len(self._own)
        two = self._paired | self._far
        ends = np.where(
            self._far[:, None], np.stack([self._ends[:, 0], np.full(len(two), boundary)], axis=1), self._ends
        )
        checks = _columns(ends[np.column_stack([np.ones_like(two), two])], 1 + two, boundary + 1)
        faults = csc_array(self._observables.T.astype(np.uint8))
        matching = pymatching.Matching(checks, weights=costs(log_odds), faults_matrix=faults)
        weight = dict[bool, float]()
        for far in (False, True):
            flips, total = matching.decode(np.append(lit, far), return_weight=True)
            weight[np.array_equal(flips, observables)] = total
        return weight[False] - weight[True]

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
