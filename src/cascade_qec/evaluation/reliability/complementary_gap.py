"""Complementary gaps of matching: how much the best explanation of the other logical class costs more."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
import pymatching
import stim
from numpy.typing import NDArray

from cascade_qec.decoders.projection import basis_detectors, mechanisms, project, symptoms
from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.reliability.soft_outputs import SoftDecoder, SoftResult


@dataclass(eq=False)
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
        in_observable = _observable_as_boundary(dem, kept)
        graph = _graph(project(dem, kept), frozenset(range(len(kept))), in_observable)
        return cls(pymatching.Matching.from_detector_error_model(graph), kept, in_observable, dem.num_detectors)

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
            log_odds=gap,
        )


class CorrelatedGap(ComplementaryGap):
    """Two-pass correlated matching in both logical classes of a code with one observable.

    A second boundary in the plane of the experiment's basis tells the classes apart. An error that flips detectors of
    both planes is a pair of edges, one in each, that PyMatching knows to be correlated.

    Its second pass gives every edge a weight by its probability given the edges of the other plane that the first
    pass has chosen. A pair of edges A and B whose error has happened so weighs ``-ln P(A|B) P(B|A)``, where the first
    pass had ``-ln P(A) P(B)``. Neither is the pair's ``-ln P(A, B)``; that is the mean of the two, since
    ``P(A, B)^2 = P(A) P(B|A) P(B) P(A|B)``. Hence the weight of a class is the mean of its weights in both passes.
    The observable is predicted to be that of the lighter class, which is not always what PyMatching's own second pass
    predicts; the probability given is ``1 / (1 + exp(difference))``, and neglects how many sets of errors there are.
    """

    name = "pymatching-correlated-gap"

    @classmethod
    def of(cls, dem: stim.DetectorErrorModel) -> CorrelatedGap:
        """Prepare for the shots of a memory experiment's error model.

        Raises
        ------
        CascadeError
            As :meth:`ComplementaryGap.of`, or if an error flips more than two detectors of the other basis.
        """
        own = basis_detectors(dem)
        in_observable = np.zeros(dem.num_detectors, dtype=np.bool_)
        in_observable[own] = _observable_as_boundary(dem, own)
        graph = _graph(dem, frozenset(own.tolist()), in_observable)
        matching = pymatching.Matching.from_detector_error_model(graph, enable_correlations=True)
        return cls(matching, np.arange(dem.num_detectors), in_observable, dem.num_detectors)

    def _weights(self, lit: NDArray[np.bool_]) -> NDArray[np.float64]:
        """The mean of both passes."""
        passes = [
            self.matching.decode_batch(lit, return_weights=True, enable_correlations=second)[1]
            for second in (False, True)
        ]
        return np.mean(passes, axis=0)


def _observable_as_boundary(dem: stim.DetectorErrorModel, kept: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Detectors by which to multiply the observable so that only errors at boundaries flip it.

    Of the detectors `kept` of the experiment's basis: bool [kept].
    """
    if dem.num_observables != 1:
        raise CascadeError(f"the complementary gap expects a code with 1 observable, got {dem.num_observables}")
    neighbours: list[list[tuple[int, bool]]] = [[] for _ in kept]
    for _, parts in mechanisms(project(dem, kept)):
        ends, observables = symptoms(parts)
        if not 1 <= len(ends) <= 2:
            raise CascadeError(
                "the complementary gap expects errors that flip one or two detectors of the experiment's basis, "
                f"got one that flips {len(ends)}"
            )
        for here in ends:
            neighbours[here] += [(there, bool(observables)) for there in ends - {here}]
    chosen: dict[int, bool] = {}
    for start in range(len(kept)):
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
    return np.array([chosen[detector] for detector in range(len(kept))], dtype=np.bool_)


def _graph(
    dem: stim.DetectorErrorModel, own: frozenset[int], in_observable: NDArray[np.bool_]
) -> stim.DetectorErrorModel:
    """Errors as pairs of edges, one in each plane; those at the second boundary end at a detector after all others.

    Detectors of the experiment's basis are `own`; where there are no others, all errors are single edges. Pairs are not
    those of Stim's decomposition, which leaves errors that flip one detector in each plane whole: an edge between the
    planes, around which a chain in the other plane flips the observable.
    """
    second_boundary = dem.num_detectors
    probabilities: dict[tuple[tuple[int, ...], ...], float] = {}
    for p, parts in mechanisms(dem):
        detectors, observables = symptoms(parts)
        here, there = sorted(detectors & own), sorted(detectors - own)
        if len(there) > 2:
            raise CascadeError(
                "the correlated gap expects errors that flip at most two detectors of the other basis, "
                f"got one that flips {len(there)}"
            )
        if bool(observables) ^ bool(in_observable[here].sum() % 2):
            here.append(second_boundary)
        key = tuple(tuple(edge) for edge in (here, there) if edge)
        before = probabilities.get(key, 0.0)
        probabilities[key] = before * (1 - p) + p * (1 - before)
    graph = stim.DetectorErrorModel()
    for edges, p in probabilities.items():
        targets: list[object] = []
        for edge in edges:
            targets += [stim.target_separator()] if targets else []
            targets += [stim.target_relative_detector_id(end) for end in edge]
        graph.append("error", p, targets)
    graph.append("detector", [], [stim.target_relative_detector_id(second_boundary)])
    return graph
