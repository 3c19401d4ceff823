"""How long decoders take for a shot: side by side, on the same shots, from packed detection events to observables.

A measured call takes bit-packed detection events, as they come from a file or from sinter, and returns a result in
NumPy arrays; a Cascade decoder's also has probabilities and confidence. Unpacking, scattering, copies to and from a
GPU, the network and synchronisation are inside. Preparation (reading weights, building graphs) and warm-up are outside.
Python's garbage collector is left on, as it is where decoders are used.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import stim
from numpy.typing import NDArray

from cascade_qec.decoders.bound import decode_chosen
from cascade_qec.decoders.protocol import BoundDecoder, Decoder, settings
from cascade_qec.errors import CascadeError
from cascade_qec.statistics import failures

Clock = Callable[[], int]
"""Nanoseconds since some moment."""

_WARM_CALLS = 50
_WARM_SHARE = 0.1
_ENOUGH_CALLS = 20


@dataclass(frozen=True)
class Entrant:
    """A decoder that is ready for an experiment's shots, with what the table says of it.

    The precision is empty where it is the decoder's own affair.
    """

    name: str
    decoder: BoundDecoder
    device: str = "cpu"
    precision: str = ""
    threads: int = 1
    parameters: str = ""

    @classmethod
    def of(cls, decoder: Decoder, circuit: stim.Circuit) -> Entrant:
        """Bind a decoder to a circuit.

        One that says what runs it has that runtime's threads, others one thread of the CPU.

        Raises
        ------
        CascadeError
            If the decoder cannot decode the circuit, or a package that it needs is missing.
        """
        bound = decoder.bind(circuit)
        by = getattr(bound, "runtime", None)
        return cls(
            decoder.name,
            bound,
            device="cpu" if by is None else by.device,
            precision="" if by is None else by.precision,
            threads=1 if by is None else by.threads,
            parameters=settings(decoder),
        )


@dataclass(frozen=True)
class Shots:
    """What everyone decodes.

    Attributes
    ----------
    events : uint8 [shots, ceil(detectors / 8)]
        Detection events, bit 0 of byte 0 being detector 0; read-only.
    observables : bool [shots, k]
        What the observables were.
    """

    events: NDArray[np.uint8]
    observables: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.events)

    def first(self, count: int) -> Shots:
        """So many of them from the beginning, or all if there are fewer."""
        return Shots(self.events[:count], self.observables[:count])


def sample_shots(circuit: stim.Circuit, shots: int, *, seed: int) -> Shots:
    """Sample an experiment.

    Raises
    ------
    CascadeError
        If no shot is asked for.
    """
    if shots < 1:
        raise CascadeError(f"expected at least 1 shot, got {shots}")
    events, observables = circuit.compile_detector_sampler(seed=seed).sample(
        shots, separate_observables=True, bit_packed=True
    )
    events.flags.writeable = False
    unpacked = np.unpackbits(observables, axis=1, count=circuit.num_observables, bitorder="little")
    return Shots(events, unpacked.view(np.bool_))


@dataclass(frozen=True)
class Timing:
    """What one decoder did in calls of one batch size.

    Attributes
    ----------
    entrant
    batch
        Shots in a call.
    seconds : float64 [calls]
        Wall time of each call.
    cpu_seconds
        CPU time of all calls together, over all threads of this process.
    shots, failures
        Different shots that were decoded, the first of `Shots`; those of them with any observable wrong.
    """

    entrant: Entrant
    batch: int
    seconds: NDArray[np.float64]
    cpu_seconds: float
    shots: int
    failures: int

    @property
    def microseconds_per_shot(self) -> NDArray[np.float64]:
        """Of each call, shared out among its shots."""
        return 1e6 * self.seconds / self.batch

    @property
    def cpu_microseconds_per_shot(self) -> float:
        """Mean CPU time. Other processes that want the same cores lengthen it less than they do wall time."""
        return 1e6 * self.cpu_seconds / (self.batch * len(self.seconds))


def time_decoders(
    entrants: Sequence[Entrant],
    shots: Shots,
    *,
    batch: int = 1,
    seconds: float,
    turns: int = 10,
    clock: Clock = time.perf_counter_ns,
    cpu_clock: Clock = time.process_time_ns,
    report: Callable[[int, int], None] = lambda done, total: None,
) -> list[Timing]:
    """Time calls of one batch size, the decoders taking turns so that noise of the machine hits all alike.

    Everyone decodes the same shots in the same order. In each turn a decoder gets its share of the time and of the
    shots; a slow one gets as far as its time allows and has then decoded the first of the shots that others decoded.
    Turns begin with another decoder each time. Single shots are decoded once each; larger batches start over where
    too few calls would come of all shots, and count failures in the first pass only.

    Parameters
    ----------
    batch
        Shots in each call.
    seconds
        For each decoder, over all turns, besides its warm-up of at most a tenth of that (at least one call).
    turns
        Turns that the time is divided into.
    clock
        Gives nanoseconds of wall time; it is read twice for each call, before and after.
    cpu_clock
        Gives nanoseconds of CPU time; it is read just outside of that.
    report
        Called as ``report(turns done, turns)``.

    Returns
    -------
    list of Timing
        In the order of the entrants.

    Raises
    ------
    CascadeError
        If sizes or times are out of range, there is no entrant, or a decoder returns another shape.
    """
    if not entrants:
        raise CascadeError("expected at least one decoder to time, got none")
    if not 1 <= batch <= len(shots):
        raise CascadeError(f"expected batches of 1 to {len(shots)} shots, which is how many there are, got {batch}")
    if not seconds > 0 or turns < 1:
        raise CascadeError(f"expected seconds > 0 and at least 1 turn, got {seconds} and {turns}")
    runs = [_Run(entrant, shots, batch, seconds, turns, clock, cpu_clock) for entrant in entrants]
    for run in runs:
        run.warm_up()
    for turn in range(turns):
        first = turn % len(runs)
        for run in [*runs[first:], *runs[:first]]:
            run.take_turn()
        report(turn + 1, turns)
    return [run.timing() for run in runs]


class _Run:
    """One decoder's way through the shots."""

    def __init__(
        self,
        entrant: Entrant,
        shots: Shots,
        batch: int,
        seconds: float,
        turns: int,
        clock: Clock,
        cpu_clock: Clock,
    ) -> None:
        self._entrant, self._shots, self._batch = entrant, shots, batch
        self._clock, self._cpu_clock = clock, cpu_clock
        self._budget, self._share = seconds * 1e9, seconds * 1e9 / turns
        self._pass = len(shots) // batch
        self._calls = self._pass if batch == 1 else max(self._pass, _ENOUGH_CALLS)
        self._calls_in_turn = math.ceil(self._calls / turns)
        self._times: list[int] = []
        self._spent = self._cpu = 0
        self._failures = 0

    def warm_up(self) -> None:
        """First calls, which may load, compile, tune and allocate."""
        spent = 0
        for call in range(_WARM_CALLS):
            if call and spent >= _WARM_SHARE * self._budget:
                break
            spent += self._call(call % self._pass)[0]
        self._cpu = 0

    def take_turn(self) -> None:
        """Some calls; at least one if none was made before, none when time or calls are used up."""
        until = self._spent + self._share
        for _ in range(self._calls_in_turn):
            used_up = self._spent >= min(until, self._budget)
            if (used_up and self._times) or len(self._times) == self._calls:
                return
            index = len(self._times)
            elapsed, predicted = self._call(index % self._pass)
            self._times.append(elapsed)
            self._spent += elapsed
            if index < self._pass:
                self._failures += failures(predicted, self._shots.observables[self._slice(index)])

    def timing(self) -> Timing:
        done = min(len(self._times), self._pass) * self._batch
        return Timing(self._entrant, self._batch, np.array(self._times) / 1e9, self._cpu / 1e9, done, self._failures)

    def _slice(self, index: int) -> slice:
        return slice(index * self._batch, (index + 1) * self._batch)

    def _call(self, index: int) -> tuple[int, NDArray[np.bool_]]:
        """Nanoseconds of wall time, and observables, of one call; its CPU time is added up."""
        events = self._shots.events[self._slice(index)]
        decoder, clock = self._entrant.decoder, self._clock
        cpu_began = self._cpu_clock()
        began = clock()
        result = decode_chosen(decoder, events, bit_packed=True)  # the check of the first shots is left out
        elapsed = clock() - began
        self._cpu += self._cpu_clock() - cpu_began
        predicted, expected = result.observables, (len(events), self._shots.observables.shape[1])
        # An array on a device may be one that is still computed.
        if not isinstance(predicted, np.ndarray) or predicted.shape != expected:
            kind = f"{type(predicted).__module__}.{type(predicted).__name__}"
            raise CascadeError(
                f"{self._entrant.name}: expected observables numpy.ndarray {list(expected)}, "
                f"got {kind} {list(predicted.shape)}"
            )
        return elapsed, predicted
