"""The network and a fallback on the same shots: what each got wrong, and how long it took."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import stim
from numpy.typing import NDArray

from cascade_qec.decoders.protocol import Decoder
from cascade_qec.errors import CascadeError

BATCH = 512
"""Shots that the network decodes in a call; the stream of a seed depends on it."""


@dataclass(frozen=True)
class EscalationShots:
    """What became of shots that both decoders decoded.

    Attributes
    ----------
    confidence : float32 [shots]
        The network's.
    network_failed, fallback_failed : bool [shots]
        Whether any observable was wrong.
    fallback_seconds : float64 [shots]
        Wall time of the fallback for each shot.
    network_seconds : float
        Wall time of the network for a shot, decoded in batches of `BATCH`.
    """

    confidence: NDArray[np.float32]
    network_failed: NDArray[np.bool_]
    fallback_failed: NDArray[np.bool_]
    fallback_seconds: NDArray[np.float64]
    network_seconds: float

    def __len__(self) -> int:
        return len(self.confidence)

    def __getitem__(self, part: slice) -> EscalationShots:
        """Some of the shots."""
        return EscalationShots(
            self.confidence[part],
            self.network_failed[part],
            self.fallback_failed[part],
            self.fallback_seconds[part],
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
        Any other.
    circuit
        What both decode.
    shots
        Shots at most; at least 2.
    failures
        Failures of the fallback after which enough is known.
    seconds
        Time of sampling and decoding after which no further shot is begun.
    seed
        Seed of the shots, from 0 to 2^63 - 1.
    clock
        Gives seconds.
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
    sampler = circuit.compile_detector_sampler(seed=seed)
    size = min(BATCH, shots)
    warm_up = np.zeros((size, circuit.num_detectors), np.bool_)
    first.decode_batch(warm_up)
    second.decode_batch(warm_up[:1])
    outcomes: list[tuple[float, bool, bool, float]] = []
    network_seconds, network_shots, failed = 0.0, 0, 0
    begun = clock()

    def done() -> float:
        return max(len(outcomes) / shots, failed / (failures or math.inf), (clock() - begun) / seconds)

    try:
        while done() < 1:
            dets, truth = sampler.sample(size, separate_observables=True)
            before = clock()
            result = first.decode_batch(dets)
            network_seconds += clock() - before
            network_shots += size
            confidence, wrong = result.confidence_of(network.name), (result.observables != truth).any(axis=1)
            for i in range(size):
                if i and done() >= 1:
                    break
                before = clock()
                predicted = second.decode_batch(dets[i : i + 1]).observables
                elapsed = clock() - before
                fallback_failed = bool((predicted[0] != truth[i]).any())
                outcomes.append((float(confidence[i]), bool(wrong[i]), fallback_failed, elapsed))
                failed += fallback_failed
                report(min(1.0, done()))
    except KeyboardInterrupt:
        pass  # each shot was appended whole
    if len(outcomes) < 2:
        raise CascadeError(f"expected at least 2 shots decoded when the time is up, got {len(outcomes)}")
    confidence, network_wrong, fallback_wrong, times = zip(*outcomes, strict=True)
    return EscalationShots(
        np.array(confidence, np.float32),
        np.array(network_wrong, np.bool_),
        np.array(fallback_wrong, np.bool_),
        np.array(times, np.float64),
        network_seconds / network_shots,
    )
