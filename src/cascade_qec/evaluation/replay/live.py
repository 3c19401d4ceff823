"""Shots played in real time to streams that run elsewhere, such as on a server."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
import stim
from numpy.typing import NDArray

from cascade_qec.decoders.bound import decode_chosen
from cascade_qec.decoders.protocol import Decoder
from cascade_qec.decoders.result import DecodeResult
from cascade_qec.evaluation.replay.playing import Played, Queue, by_slice, check_paces


class Elsewhere(Protocol):
    """A stream of one shot that says how far it has come: `cascade_qec.serving.RemoteStream`."""

    @property
    def commit(self) -> int: ...
    @property
    def buffer(self) -> int: ...
    @property
    def committed(self) -> int: ...
    def push(self, detection_events: NDArray[np.bool_], /) -> NDArray[np.bool_]: ...
    def finish(self, detection_events: NDArray[np.bool_], /) -> DecodeResult: ...
    def close(self) -> None: ...


def play_live(
    opening: Callable[[Decoder], Elsewhere],
    decoders: Sequence[Decoder],
    circuit: stim.Circuit,
    events: NDArray[np.bool_],
    observables: NDArray[np.bool_],
    cadences_us: Sequence[float],
    *,
    report: Callable[[int, int], None] = lambda done, total: None,
) -> list[Played]:
    """Play the same shots to several decoders, one after the other, at every pace.

    Rounds that come while others are being sent go out together with the next.

    Parameters
    ----------
    opening
        Opens a stream of the experiment with one of the decoders.
    events : bool [shots, detectors]
    observables : bool [shots, k]
        What they were.
    cadences_us
        Paces: microseconds from round to round, and from the last one to the readout.

    Raises
    ------
    CascadeError
        If a decoder cannot stream the experiment, or a pace is not above 0.
    """
    check_paces(cadences_us)
    slices = by_slice(circuit, events)
    total = len(decoders) * len(cadences_us) * len(events)
    done = 0
    played: list[Played] = []
    for decoder in decoders:
        queues: dict[float, Queue] = {}
        said = np.zeros_like(observables)
        sizes = (0, 0)
        for pace in cadences_us:
            latency = np.zeros(len(events))
            waiting = np.zeros((len(events), len(slices)), dtype=np.int64)
            for shot in [0, *range(len(events))]:  # the first one twice: the server may have had to get ready for it
                stream = opening(decoder)
                try:
                    result = _run(stream, [part[shot] for part in slices], 1e-6 * pace, latency[shot:], waiting[shot])
                finally:
                    stream.close()
                sizes = stream.commit, stream.buffer
                said[shot] = result.observables[0]
                report(min(done + shot + 1, total), total)
            done += len(events)
            queues[pace] = Queue(latency, waiting)
        whole = decode_chosen(decoder.bind(circuit), events).observables
        played.append(Played(decoder, *sizes, queues, said, whole, observables))
    return played


def _run(
    stream: Elsewhere,
    rounds: Sequence[NDArray[np.bool_]],
    cadence: float,
    latency: NDArray[np.float64],
    waiting: NDArray[np.int64],
) -> DecodeResult:
    """Play one shot, bool [detectors] of each slice, and write the first latency and all of what waits."""
    start, sent = time.perf_counter(), 0
    while True:
        passed = time.perf_counter() - start
        come = min(len(rounds), int(passed / cadence) + 1)
        if come == sent:
            time.sleep(max(0.0, sent * cadence - passed))
            continue
        could = min(len(rounds), stream.committed + stream.commit + stream.buffer)  # rounds that its next window needs
        waiting[sent:come] = np.maximum(1, np.arange(sent + 1, come + 1) - could + 1)
        if come == len(rounds):
            break
        stream.push(np.concatenate(rounds[sent:come])[None])
        sent = come
    if sent < come - 1:
        stream.push(np.concatenate(rounds[sent:-1])[None])
    result = stream.finish(rounds[-1][None])
    latency[0] = time.perf_counter() - start - (len(rounds) - 1) * cadence
    return result
