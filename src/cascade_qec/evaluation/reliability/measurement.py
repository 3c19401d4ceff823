"""A model's confidence on memory experiments, beside the soft outputs of rivals on the same shots."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import stim
from numpy.typing import NDArray

from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.reliability.cluster_norm import ClusterNorm
from cascade_qec.evaluation.reliability.complementary_gap import ComplementaryGap
from cascade_qec.evaluation.reliability.correlated_gap import CorrelatedGap
from cascade_qec.evaluation.reliability.post_selection import Selection, select
from cascade_qec.evaluation.reliability.scores import CalibrationCounts, count
from cascade_qec.evaluation.reliability.soft_outputs import SoftDecoder, SoftOutputs

CURVE = (0.0, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5)
"""Discard rates that make the curve of error against acceptance."""

_CHUNK = 2_000
"""Shots sampled at a time; the stream of a seed depends on it."""

_RIVALS: Mapping[str, Callable[[stim.DetectorErrorModel], SoftDecoder]] = {
    "gap": ComplementaryGap.of,
    "correlated-gap": CorrelatedGap.of,
    "lsd": ClusterNorm.of,
}


def rival_names() -> tuple[str, ...]:
    """Names that :func:`rival` knows."""
    return tuple(_RIVALS)


def rival(name: str, circuit: stim.Circuit) -> SoftDecoder:
    """A classical decoder with soft outputs, for the shots of a memory experiment.

    Raises
    ------
    CascadeError
        If there is none of that name, its package is missing, or it cannot decode the circuit.
    """
    if name not in _RIVALS:
        raise CascadeError(f"unknown rival {name!r}: expected one of {', '.join(_RIVALS)}")
    # flattened, as mechanisms that cross a loop's seam are listed in parts otherwise
    return _RIVALS[name](circuit.detector_error_model(flatten_loops=True))


@dataclass(frozen=True)
class Outcome:
    """What a decoder's soft outputs were worth on the shots of one experiment.

    Attributes
    ----------
    decoder
        Its name.
    shots, failures
        Shots decoded, and those with any observable wrong.
    counts
        By what is predicted: "flip", P(observable flipped); "observable", P(the predicted value of an observable
        is right); "shot", P(no observable wrong). Empty for a decoder without probabilities.
    selections
        By method: thresholds from the first half of the shots, tried on the second.
    """

    decoder: str
    shots: int
    failures: int
    counts: Mapping[str, CalibrationCounts]
    selections: Mapping[str, Sequence[Selection]]


def measure(
    circuit: stim.Circuit,
    decoders: Sequence[SoftDecoder],
    *,
    shots: int,
    seed: int,
    discards: Sequence[float] = CURVE,
    report: Callable[[int], None] = lambda shots: None,
) -> list[Outcome]:
    """Decode the same shots with every decoder and see what their soft outputs were worth.

    Parameters
    ----------
    circuit
        The experiment.
    decoders
        Bound to it.
    shots
        At least 2; the first half of them chooses thresholds.
    seed
        Seed of the shots, from 0 to 2^63 - 1.
    discards
        Discard rates.
    report
        Called after each piece of work with the number of shots that one decoder has decoded in it.

    Returns
    -------
    list of Outcome
        One for each decoder, in their order.

    Raises
    ------
    CascadeError
        If there are fewer than two shots.
    """
    if shots < 2:
        raise CascadeError(f"expected at least 2 shots, one to choose thresholds and one to try them, got {shots}")
    sampler = circuit.compile_detector_sampler(seed=seed)
    tallies = [_Tally() for _ in decoders]
    for start in range(0, shots, _CHUNK):
        dets, truth = sampler.sample(min(_CHUNK, shots - start), separate_observables=True)
        for decoder, tally in zip(decoders, tallies, strict=True):
            tally.add(decoder.decode(dets), truth)
            report(len(dets))
    return [tally.outcome(decoder.name, discards) for decoder, tally in zip(decoders, tallies, strict=True)]


@dataclass
class _Tally:
    counts: dict[str, CalibrationCounts] = field(default_factory=dict)
    scores: dict[str, list[NDArray[np.float64]]] = field(default_factory=dict)
    failed: list[NDArray[np.bool_]] = field(default_factory=list)

    def add(self, outputs: SoftOutputs, truth: NDArray[np.bool_]) -> None:
        right = outputs.observables == truth
        failed = ~right.all(axis=1)
        self.failed.append(failed)
        for method, scores in outputs.scores.items():
            self.scores.setdefault(method, []).append(scores)
        if outputs.probabilities is not None and outputs.confidence is not None:
            flip = outputs.probabilities.astype(np.float64)
            self._count("flip", count(flip, truth))
            self._count("observable", count(np.maximum(flip, 1 - flip), right))
            self._count("shot", count(outputs.confidence[:, None], ~failed[:, None]))

    def _count(self, of: str, counts: CalibrationCounts) -> None:
        self.counts[of] = self.counts[of] + counts if of in self.counts else counts

    def outcome(self, decoder: str, discards: Sequence[float]) -> Outcome:
        failed = np.concatenate(self.failed)
        chosen = partial(select, failed=failed, discards=discards)
        selections = {method: chosen(np.concatenate(scores)) for method, scores in self.scores.items()}
        return Outcome(decoder, len(failed), int(failed.sum()), self.counts, selections)
