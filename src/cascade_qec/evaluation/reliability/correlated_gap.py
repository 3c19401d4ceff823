"""The complementary gap with correlations: matching in both logical classes, on all detectors."""

from __future__ import annotations

import numpy as np
import pymatching
import stim
from numpy.typing import NDArray

from cascade_qec.decoders.projection import basis_detectors, mechanisms, symptoms
from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.reliability.complementary_gap import ComplementaryGap, observable_as_boundary


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
        in_observable[own] = observable_as_boundary(dem, own)
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


def _graph(
    dem: stim.DetectorErrorModel, own: frozenset[int], in_observable: NDArray[np.bool_]
) -> stim.DetectorErrorModel:
    """Errors as pairs of edges, one in each plane; those at the second boundary end at a detector after all others.

    They are not those of Stim's decomposition, which leaves errors that flip one detector in each plane whole: an edge
    between the planes, around which a chain in the other plane flips the observable.
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
