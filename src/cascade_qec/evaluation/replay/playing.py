"""Shots played round by round into a stream, and the queue that comes of it at any pace.

What a decoder takes for each round is measured once, as fast as it goes. When it answers, and how many rounds wait for
it, follows for every pace: it works on rounds one after the other, each as soon as it is there. What a server does is
not known round by round: `live.py` plays to it at every pace.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import stim
from numpy.typing import NDArray

from cascade_qec.decoders.bound import decode_chosen
from cascade_qec.decoders.protocol import Decoder
from cascade_qec.decoders.streams import Stream, windows
from cascade_qec.decoders.streams.timeline import Timeline
from cascade_qec.errors import CascadeError

Clock = Callable[[], int]
"""Nanoseconds since some moment."""


class Queue(NamedTuple):
    """What comes of a pace.

    Attributes
    ----------
    latency : float64 [shots]
        Seconds from the readout to the answer.
    waiting : int64 [shots, rounds + 1]
        Rounds that have come and are not done, at the moment at which each round comes; itself among them.
    """

    latency: NDArray[np.float64]
    waiting: NDArray[np.int64]


def queue(seconds: NDArray[np.float64], cadence: float) -> Queue:
    """Rounds that come every so many seconds, for a decoder that takes so long for each.

    Parameters
    ----------
    seconds : float64 [shots, rounds + 1]
    cadence
        Seconds between two rounds, and from the last one to the readout.
    """
    comes = cadence * np.arange(seconds.shape[1])
    done = np.zeros_like(seconds)
    before = np.zeros(len(seconds))
    for t, came in enumerate(comes):
        before = done[:, t] = np.maximum(before, came) + seconds[:, t]
    waiting = [t + 1 - (done[:, :t] <= came).sum(axis=1) for t, came in enumerate(comes)]
    return Queue(done[:, -1] - comes[-1], np.stack(waiting, axis=1))


@dataclass(frozen=True, eq=False)
class Played:
    """What a decoder did with a number of shots.

    Attributes
    ----------
    decoder : Decoder
    commit, buffer : int
        Rounds of its windows.
    queues : Mapping of float to Queue
        What comes of it at a pace, by microseconds from round to round.
    observables : bool [shots, k]
        What it said at the end.
    whole : bool [shots, k]
        What the same decoder says of the whole history.
    truth : bool [shots, k]
    seconds : float64 [shots, rounds + 1], or None
        What each round took, the readout last; of a server nobody knows.
    """

    decoder: Decoder
    commit: int
    buffer: int
    queues: Mapping[float, Queue]
    observables: NDArray[np.bool_]
    whole: NDArray[np.bool_]
    truth: NDArray[np.bool_]
    seconds: NDArray[np.float64] | None = None


def play(
    decoders: Sequence[Decoder],
    circuit: stim.Circuit,
    events: NDArray[np.bool_],
    observables: NDArray[np.bool_],
    cadences_us: Sequence[float],
    *,
    commit: int | None = None,
    buffer: int | None = None,
    warm: int = 3,
    clock: Clock = time.perf_counter_ns,
    report: Callable[[int, int], None] = lambda done, total: None,
) -> list[Played]:
    """Play the same shots to several decoders, one shot to each in turn.

    Parameters
    ----------
    events : bool [shots, detectors]
    observables : bool [shots, k]
        What they were.
    cadences_us
        Paces: microseconds from round to round, and from the last one to the readout.
    commit, buffer
        As `cascade_qec.decoders.streams.windows` takes them.
    warm
        Shots at the beginning that are played once more before anything is measured.

    Raises
    ------
    CascadeError
        If a decoder cannot stream the experiment, or a pace is not above 0.
    """
    check_paces(cadences_us)
    slices = by_slice(circuit, events)
    opened = [windows(decoder, circuit, commit=commit, buffer=buffer) for decoder in decoders]
    seconds = np.zeros((len(decoders), len(events), len(slices)))
    said = np.zeros((len(decoders), *observables.shape), dtype=np.bool_)
    for shot in [*range(min(warm, len(events))), *range(len(events))]:
        rounds = [part[shot : shot + 1] for part in slices]
        for number, made in enumerate(opened):
            stream = Stream(made)
            times = [clock()]
            for of_round in rounds[:-1]:
                stream.push(of_round)
                times.append(clock())
            result = stream.finish(rounds[-1])
            times.append(clock())
            seconds[number, shot] = np.diff(times) * 1e-9
            said[number, shot] = result.observables[0]
        report(shot + 1, len(events))
    return [
        Played(
            decoder,
            made.commit,
            made.buffer,
            {pace: queue(seconds[number], 1e-6 * pace) for pace in cadences_us},
            said[number],
            decode_chosen(decoder.bind(circuit), events).observables,
            observables,
            seconds[number],
        )
        for number, (decoder, made) in enumerate(zip(decoders, opened, strict=True))
    ]


def check_paces(cadences_us: Sequence[float]) -> None:
    """Raise a CascadeError unless all are above 0."""
    if not all(cadence > 0 for cadence in cadences_us):
        raise CascadeError(f"expected cadences above 0 µs, got {', '.join(map(str, cadences_us))}")


def by_slice(circuit: stim.Circuit, events: NDArray[np.bool_]) -> list[NDArray[np.bool_]]:
    """Detection events as they come: of each round, and then of the readout, bool [shots, its detectors]."""
    return [events[:, detectors] for detectors in Timeline.whole(circuit).detectors]
