"""The network and a fallback on the same shots, and what a threshold of escalation between them is worth."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import stim
from numpy.typing import NDArray

from cascade_qec.decoders.advice import advised
from cascade_qec.decoders.bound import decode_chosen
from cascade_qec.decoders.escalation import of_the_surer
from cascade_qec.decoders.protocol import BoundDecoder, Decoder, require_confidence
from cascade_qec.decoders.result import DecodeResult
from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.reliability.post_selection import choose_threshold
from cascade_qec.evaluation.two_samples import paired_difference
from cascade_qec.statistics import Interval, Moments, wilson

BATCH = 512
"""Shots that the network decodes in a call; the stream of a seed depends on it."""

CRITERION = (
    "the lowest confidence at which, on the first half of the shots, escalating those below it is surely no worse than "
    "the fallback: either no shot is lost that the fallback has right, or more are won than lost, by so many that the "
    "95 % interval of the paired difference of block errors ends at 0 or below"
)
"""How `choose` chooses."""

FRACTIONS = (0.0, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.7)
"""Shares of the shots that make the curve of accuracy and cost against escalation."""


@dataclass(frozen=True)
class EscalationShots:
    """What became of shots that both decoders decoded.

    Attributes
    ----------
    confidence : float64 [shots]
        The network's.
    network_failed, fallback_failed : bool [shots]
        Whether any observable was wrong.
    asked_failed : bool [shots]
        Whether any observable is wrong if the fallback is asked: where both tell log-odds, the surer decides.
    fallback_seconds, asked_seconds : float64 [shots]
        Wall time of the fallback for each shot, by itself and when it is asked: it may be told what a local model
        believes.
    network_seconds : float
        Wall time of the network for a shot, decoded in batches of `BATCH`.
    """

    confidence: NDArray[np.float64]
    network_failed: NDArray[np.bool_]
    fallback_failed: NDArray[np.bool_]
    asked_failed: NDArray[np.bool_]
    fallback_seconds: NDArray[np.float64]
    asked_seconds: NDArray[np.float64]
    network_seconds: float

    def __len__(self) -> int:
        return len(self.confidence)

    def __getitem__(self, part: slice) -> EscalationShots:
        """Some of the shots."""
        return EscalationShots(
            self.confidence[part],
            self.network_failed[part],
            self.fallback_failed[part],
            self.asked_failed[part],
            self.fallback_seconds[part],
            self.asked_seconds[part],
            self.network_seconds,
        )


def decode_both(
    network: Decoder,
    fallback: Decoder,
    circuit: stim.Circuit,
    *,
    shots: int,
    failures: int | None = None,
    seconds: float = math.inf,
    seed: int,
    clock: Callable[[], float] = time.perf_counter,
    report: Callable[[float], None] = lambda done: None,
) -> EscalationShots:
    """Sample shots and decode every one with the network and with the fallback.

    The network decodes batches of `BATCH`, the fallback one shot at a time: its time depends on the shot, and those
    that the network doubts take it longer than others. The first calls of both are not timed.

    Parameters
    ----------
    network
        A decoder that tells its confidence.
    fallback
        Where it is told what the network believes of the shots that it is asked about, it decodes them once more so.
    shots
        Shots at most; at least 2.
    failures
        Failures of the fallback after which enough is known.
    seconds
        Time of sampling and decoding after which no further shot is begun.
    seed
        Seed of the shots, from 0 to 2^63 - 1.
    report
        Called with the share of what was asked for that is done, now and then.

    Returns
    -------
    EscalationShots
        Of as many of the shots as both have decoded. An interrupt (Ctrl-C) ends the sampling too, and what has been
        decoded until then comes back.

    Raises
    ------
    CascadeError
        If fewer than two shots, no failure or no time are asked for, fewer than two shots have been decoded, the
        network does not tell its confidence, or either decoder cannot decode the circuit.
    """
    if shots < 2 or (failures is not None and failures < 1) or not seconds > 0:
        raise CascadeError(
            "expected at least 2 shots (one half chooses the threshold, the other tries it), at least 1 failure and "
            f"seconds > 0, got {shots}, {failures} and {seconds}"
        )
    first, second = network.bind(circuit), fallback.bind(circuit)
    require_confidence(first, network.name)
    asked = advised(first, second)
    sampler = circuit.compile_detector_sampler(seed=seed)
    size = min(BATCH, shots)
    warm_up = np.zeros((size, circuit.num_detectors), np.bool_)
    decode_chosen(first, warm_up)
    decode_chosen(second, warm_up[:1])
    if asked is not second:
        decode_chosen(asked, warm_up[:1])
    outcomes: list[tuple[float, bool, bool, bool, float, float]] = []
    network_seconds, network_shots, failed = 0.0, 0, 0
    begun = clock()

    def timed(decoder: BoundDecoder, shot: NDArray[np.bool_]) -> tuple[DecodeResult, float]:
        before = clock()
        return decode_chosen(decoder, shot), clock() - before

    def done() -> float:
        return max(len(outcomes) / shots, failed / (failures or math.inf), (clock() - begun) / seconds)

    try:
        while done() < 1:
            dets, truth = sampler.sample(size, separate_observables=True)
            result, elapsed = timed(first, dets)
            network_seconds += elapsed
            network_shots += size
            confidence, wrong = result.confidence_of(network.name), (result.observables != truth).any(axis=1)
            for i in range(size):
                if i and done() >= 1:
                    break
                shot = slice(i, i + 1)
                alone, elapsed = timed(second, dets[shot])
                told, told_elapsed = (alone, elapsed) if asked is second else timed(asked, dets[shot])
                decided = of_the_surer(result[shot], told)
                fallback_failed = bool((alone.observables[0] != truth[i]).any())
                asked_failed = bool((decided[0] != truth[i]).any())
                failures_of_shot = bool(wrong[i]), fallback_failed, asked_failed
                outcomes.append((float(confidence[i]), *failures_of_shot, elapsed, told_elapsed))
                failed += fallback_failed
                report(min(1.0, done()))
    except KeyboardInterrupt:
        pass  # each shot was appended whole
    if len(outcomes) < 2:
        raise CascadeError(f"expected at least 2 shots decoded when the time is up, got {len(outcomes)}")
    confidence, network_wrong, fallback_wrong, asked_wrong, times, asked_times = zip(*outcomes, strict=True)
    return EscalationShots(
        np.array(confidence, np.float64),
        np.array(network_wrong, np.bool_),
        np.array(fallback_wrong, np.bool_),
        np.array(asked_wrong, np.bool_),
        np.array(times, np.float64),
        np.array(asked_times, np.float64),
        network_seconds / network_shots,
    )


@dataclass(frozen=True)
class Escalation:
    """What a threshold does to shots, beside the fallback on the same shots.

    Attributes
    ----------
    threshold
        Shots of lower confidence go to the fallback; None is the fallback alone, without the network.
    shots, escalated
        Shots it was tried on, and those that went to the fallback.
    failures, fallback_failures
        Shots with any observable wrong, and those if the fallback decodes all.
    worse, better
        Shots on which escalation alone fails, and on which the fallback alone fails.
    us_per_shot
        Mean decoding time, with the interval that follows from the scatter of the shots.
    """

    threshold: float | None
    shots: int
    escalated: int
    failures: int
    fallback_failures: int
    worse: int
    better: int
    us_per_shot: Interval

    @property
    def escalated_fraction(self) -> float:
        return self.escalated / self.shots

    @property
    def block_error(self) -> Interval:
        """With its Wilson interval."""
        return wilson(self.failures, self.shots)

    @property
    def difference(self) -> Interval:
        """Block error less that of the fallback alone, on the same shots."""
        return paired_difference(self.worse, self.better, self.shots)


def escalate(shots: EscalationShots, threshold: float | None) -> Escalation:
    """Try a threshold, or None for the fallback alone."""
    if threshold is None:
        escalated, failed, times = np.full(len(shots), True), shots.fallback_failed, shots.fallback_seconds
    else:
        escalated = shots.confidence < threshold
        failed = np.where(escalated, shots.asked_failed, shots.network_failed)
        times = np.where(escalated, shots.asked_seconds, 0.0) + shots.network_seconds
    return Escalation(
        threshold=threshold,
        shots=len(shots),
        escalated=int(escalated.sum()),
        failures=int(failed.sum()),
        fallback_failures=int(shots.fallback_failed.sum()),
        worse=int((failed & ~shots.fallback_failed).sum()),
        better=int((~failed & shots.fallback_failed).sum()),
        us_per_shot=Moments.of(1e6 * times).mean(),
    )


def trade_off(shots: EscalationShots, fractions: Sequence[float] = FRACTIONS) -> list[Escalation]:
    """Thresholds that escalate given fractions of the shots, tried on all shots.

    They are quantiles of the confidence, which says nothing of who fails, so the shots may try what they chose.

    Parameters
    ----------
    fractions
        Largest fractions to escalate, each at least 0 and below 1; 0 is the network alone.

    Returns
    -------
    list of Escalation
        By rising threshold, each threshold once: shots of equal confidence go together.
    """
    thresholds = {choose_threshold(shots.confidence, fraction) for fraction in fractions}
    return [escalate(shots, threshold) for threshold in sorted(thresholds)]


def choose(shots: EscalationShots) -> Escalation | None:
    """Choose a threshold on the first half of the shots, by `CRITERION`, and try it on the second.

    The lower the threshold, the fewer shots are escalated and the less it costs. Equal numbers of failures would not
    do as a criterion: by the luck of the first half it would be met too early as often as not.

    Returns
    -------
    Escalation or None
        None if there is nothing to choose by, as the network never failed on the first half, or if no threshold will
        do, as it fails with confidence 1 where the fallback does not.

    Raises
    ------
    CascadeError
        If there are fewer than two shots in either half.
    """
    half = len(shots) // 2
    if half < 2:
        raise CascadeError(f"expected at least 4 shots to choose a threshold and to try it, got {len(shots)}")
    threshold = _cheapest(shots[:half]) if shots.network_failed[:half].any() else None
    return None if threshold is None else escalate(shots[half:], threshold)


def _cheapest(shots: EscalationShots) -> float | None:
    order = np.argsort(shots.confidence)
    confidence, alone = shots.confidence[order], shots.fallback_failed[order]
    kept, asked = shots.network_failed[order], shots.asked_failed[order]

    def counted(of_kept: NDArray[np.bool_], of_asked: NDArray[np.bool_]) -> NDArray[np.int64]:
        """How many, if a threshold has the i-th shot in order of confidence and those after it kept, others asked."""
        return np.append(np.cumsum(of_kept[::-1])[::-1], 0) + np.append(0, np.cumsum(of_asked))

    worse, better = counted(kept & ~alone, asked & ~alone), counted(~kept & alone, ~asked & alone)
    for threshold in np.unique(np.append(confidence, 1.0)):
        first = int(np.searchsorted(confidence, threshold))
        lost, won = int(worse[first]), int(better[first])
        if lost == 0 or paired_difference(lost, won, len(shots)).high <= 0:
            return float(threshold)
    return None
