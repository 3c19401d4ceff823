"""A model's confidence on memory experiments, beside the soft outputs of rivals on the same shots."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import stim
from numpy.typing import NDArray

from cascade_qec.decoders.protocol import Decoder, require_confidence
from cascade_qec.decoders.result import DecodeResult, sigmoid
from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.reliability.cluster_norm import ClusterNorm
from cascade_qec.evaluation.reliability.complementary_gap import ComplementaryGap, CorrelatedGap
from cascade_qec.evaluation.reliability.post_selection import Selection, select
from cascade_qec.evaluation.reliability.scores import CalibrationCounts, count
from cascade_qec.evaluation.reliability.soft_outputs import CONFIDENCE, Rival, methods, scores

CURVE = (0.0, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5)
"""Discard rates that make the curve of error against acceptance."""

_CHUNK = 2_000
"""Shots sampled at a time; the stream of a seed depends on it."""

RIVALS: Mapping[str, Decoder] = {
    "gap": Rival(ComplementaryGap),
    "correlated-gap": Rival(CorrelatedGap),
    "lsd": Rival(ClusterNorm),
}
"""Classical decoders with soft outputs for the shots of a memory experiment, by what the command line calls them."""


@dataclass(frozen=True)
class Outcome:
    """What a decoder's soft outputs were worth on the shots of one experiment.

    Attributes
    ----------
    failures
        Shots with any observable wrong.
    counts
        By what is predicted: "flip", P(observable flipped); "observable", P(the predicted value of an observable
        is right); "shot", P(no observable wrong). Only what the decoder gives a probability of.
    selections
        By method: thresholds from the first half of the shots, tried on the second.
    """

    decoder: str
    failures: int
    counts: Mapping[str, CalibrationCounts]
    selections: Mapping[str, Sequence[Selection]]


def measure(
    circuit: stim.Circuit,
    decoders: Sequence[Decoder],
    *,
    shots: int,
    seed: int,
    discards: Sequence[float] = CURVE,
    report: Callable[[int], None] = lambda shots: None,
) -> list[Outcome]:
    """Decode the same shots with every decoder, and see what the soft outputs of each were worth.

    Parameters
    ----------
    decoders
        Each tells its confidence, or has other ways to tell how sure it is.
    shots
        At least 2; the first half of them chooses thresholds.
    seed
        Seed of the shots, from 0 to 2^63 - 1.
    report
        Called after each piece of work with the number of shots that one decoder has decoded in it.

    Raises
    ------
    CascadeError
        If there are fewer than two shots, or a decoder cannot decode the circuit or does not tell how sure it is.
    """
    if shots < 2:
        raise CascadeError(f"expected at least 2 shots, one to choose thresholds and one to try them, got {shots}")
    sampler = circuit.compile_detector_sampler(seed=seed)
    bound = [decoder.bind(circuit) for decoder in decoders]
    for decoder, ready in zip(decoders, bound, strict=True):
        require_confidence(ready, decoder.name)
    tallies = [_Tally(decoder.name, methods(ready)) for decoder, ready in zip(decoders, bound, strict=True)]
    for start in range(0, shots, _CHUNK):
        dets, truth = sampler.sample(min(_CHUNK, shots - start), separate_observables=True)
        for ready, tally in zip(bound, tallies, strict=True):
            tally.add(ready.decode_batch(dets), truth)
            report(len(dets))
    return [tally.outcome(discards) for tally in tallies]


@dataclass
class _Tally:
    decoder: str
    methods: Sequence[str]
    counts: dict[str, CalibrationCounts] = field(default_factory=dict)
    scores: list[NDArray[np.float64]] = field(default_factory=list)
    failed: list[NDArray[np.bool_]] = field(default_factory=list)

    def add(self, result: DecodeResult, truth: NDArray[np.bool_]) -> None:
        right = result.observables == truth
        failed = ~right.all(axis=1)
        self.failed.append(failed)
        self.scores.append(scores(result, self.decoder))
        if result.probabilities is not None:
            flip = result.probabilities.astype(np.float64)
            self._count("flip", count(flip, truth))
            self._count("observable", count(np.maximum(flip, 1 - flip), right))
        if result.confidence is not None:
            self._count("shot", count(result.confidence[:, None], ~failed[:, None]))

    def _count(self, of: str, counts: CalibrationCounts) -> None:
        self.counts[of] = self.counts[of] + counts if of in self.counts else counts

    def outcome(self, discards: Sequence[float]) -> Outcome:
        failed, all_scores = np.concatenate(self.failed), np.concatenate(self.scores)
        selections = {
            method: select(column, failed, discards) for method, column in zip(self.methods, all_scores.T, strict=True)
        }
        if CONFIDENCE in selections:  # whose scores are log-odds
            selections[CONFIDENCE] = [
                replace(chosen, threshold=float(sigmoid(np.array(chosen.threshold))))
                for chosen in selections[CONFIDENCE]
            ]
        return Outcome(self.decoder, int(failed.sum()), self.counts, selections)
