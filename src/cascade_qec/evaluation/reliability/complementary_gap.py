"""The complementary gap of matching: how much the best explanation of the other logical class costs more."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
import pymatching
import stim
from numpy.typing import NDArray

from cascade_qec.decoders.projection import basis_detectors, mechanisms, project
from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.reliability.soft_outputs import SoftDecoder, SoftResult


@dataclass(frozen=True)
class ComplementaryGap(SoftDecoder):
    """Matching in both logical classes of a code with one observable, on the detectors of the experiment's basis.

    The weight of a class is that of its most likely set of errors, ``sum of ln((1 - p) / p)``; the gap is the
    other class's weight minus the predicted one's (Gidney, Newman, Brooks, Jones, "Yoked surface codes",
    arXiv 2312.04522; Bombin et al., PRX Quantum 5, 010302). If only those two sets existed, the observable would
    be flipped with probability ``1 / (1 + exp(weight flipped - weight not flipped))``; that is the probability
    given here, which neglects how many sets there are.

    Construction: a chain of errors that flips the observable and no detector joins two boundaries. Which errors
    flip the observable is a matter of convention, as it may be multiplied by checks: to every detector belongs a
    bit such that observable plus those detectors is flipped by errors at boundaries only. Half of the
    boundary's edges then end at one boundary and half at another, which is made a detector of its own. Matching
    with that detector quiet or lit is matching in one class or the other.

    Attributes
    ----------
    matching
        Of the graph with the second boundary as its last detector.
    kept : int64 [kept]
        Detectors of the basis.
    in_observable : bool [kept]
        Detectors that the observable is multiplied by.
    """

    matching: pymatching.Matching
    kept: NDArray[np.int64]
    in_observable: NDArray[np.bool_]
    num_detectors: int
    num_observables = 1
    name = "pymatching-filtered"
    methods = ("gap",)

    @classmethod
    def of(cls, dem: stim.DetectorErrorModel) -> ComplementaryGap:
        """Prepare for the shots of a memory experiment's error model.

        Raises
        ------
        CascadeError
            If the model has not one observable, an error flips more than two detectors of the basis, or chains
            inside the code flip the observable (as on a torus), so that there is no second boundary.
        """
        kept = basis_detectors(dem)
        in_observable = observable_as_boundary(dem, kept)
        return cls(_matching(_edges(project(dem, kept)), in_observable), kept, in_observable, dem.num_detectors)

    def weights(self, dets: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Weights of the best explanations that leave the observable alone and that flip it.

        Parameters
        ----------
        dets : bool [shots, detectors of the whole model]

        Returns
        -------
        float64 [shots, 2]
        """
        events = dets[:, self.kept]
        parity = (events & self.in_observable).sum(axis=1) % 2 == 1
        both = [self._weights(np.column_stack([events, parity ^ flipped])) for flipped in (False, True)]
        return np.column_stack(both)

    def _weights(self, lit: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Weights of the explanations of what is lit, the second boundary last: float64 [shots]."""
        return self.matching.decode_batch(lit, return_weights=True)[1]

    def outputs(self, dets: NDArray[np.bool_]) -> SoftResult:
        weights = self.weights(dets)
        difference = weights[:, 1] - weights[:, 0]
        gap = np.abs(difference)
        return SoftResult(
            observables=difference[:, None] < 0,
            scores=gap[:, None],
            # as tanh it neither overflows nor loses the small ones' digits that matter here
            probabilities=0.5 - 0.5 * np.tanh(difference[:, None] / 2),
            confidence=0.5 + 0.5 * np.tanh(gap / 2),
        )


def observable_as_boundary(dem: stim.DetectorErrorModel, kept: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Detectors by which to multiply the observable so that only errors at boundaries flip it.

    Parameters
    ----------
    dem
        A memory experiment's error model.
    kept : int64 [kept]
        Detectors of its basis.

    Returns
    -------
    bool [kept]

    Raises
    ------
    CascadeError
        As :meth:`ComplementaryGap.of`.
    """
    if dem.num_observables != 1:
        raise CascadeError(f"the complementary gap expects a code with 1 observable, got {dem.num_observables}")
    return _boundary_bits(_edges(project(dem, kept)), len(kept))


@dataclass(frozen=True)
class _Edge:
    p: float
    ends: tuple[int, ...]
    flips: bool


def _edges(dem: stim.DetectorErrorModel) -> list[_Edge]:
    edges = []
    for p, parts in mechanisms(dem):
        ends = tuple(target.val for part in parts for target in part if target.is_relative_detector_id())
        flips = any(target.is_logical_observable_id() for part in parts for target in part)
        if not 1 <= len(ends) <= 2:
            raise CascadeError(
                "the complementary gap expects errors that flip one or two detectors of the experiment's basis, "
                f"got one that flips {len(ends)}"
            )
        edges.append(_Edge(p, ends, flips))
    return edges


def _boundary_bits(edges: list[_Edge], detectors: int) -> NDArray[np.bool_]:
    neighbours: list[list[tuple[int, bool]]] = [[] for _ in range(detectors)]
    for edge in edges:
        if len(edge.ends) == 2:
            a, b = edge.ends
            neighbours[a].append((b, edge.flips))
            neighbours[b].append((a, edge.flips))
    chosen: dict[int, bool] = {}
    for start in range(detectors):
        if start in chosen:
            continue
        chosen[start] = False
        waiting = deque([start])
        while waiting:
            here = waiting.popleft()
            for there, flips in neighbours[here]:
                if there not in chosen:
                    chosen[there] = chosen[here] ^ flips
                    waiting.append(there)
                elif chosen[there] != chosen[here] ^ flips:
                    raise CascadeError(
                        "the complementary gap expects a code whose logical errors end at boundaries, "
                        "got one with closed logical errors"
                    )
    return np.array([chosen[detector] for detector in range(detectors)], dtype=np.bool_)


def _matching(edges: list[_Edge], in_observable: NDArray[np.bool_]) -> pymatching.Matching:
    graph = stim.DetectorErrorModel()
    second_boundary = len(in_observable)
    for edge in edges:
        ends = list(edge.ends)
        if len(ends) == 1 and edge.flips ^ in_observable[ends[0]]:
            ends.append(second_boundary)
        graph.append("error", edge.p, [stim.target_relative_detector_id(end) for end in ends])
    graph.append("detector", [], [stim.target_relative_detector_id(second_boundary)])
    return pymatching.Matching.from_detector_error_model(graph)
