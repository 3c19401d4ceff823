"""Single shots, then batches of growing size, until decoders take longer than there is time for."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np
import stim

from cascade_qec.decoders.protocol import Decoder
from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.latency.timing import Clock, Entrant, Shots, Timing, time_decoders

_FEWEST_CALLS = 3


def ready_entrants(
    models: Sequence[Decoder], rivals: Sequence[Decoder], circuit: stim.Circuit, *, skipped: Callable[[str], None]
) -> list[Entrant]:
    """All decoders of a comparison, bound to one circuit.

    Rivals that cannot decode it, or whose package is missing, are left out; `skipped` is told the name and the reason.

    Raises
    ------
    CascadeError
        If a model is of another code or basis than the circuit.
    """
    entrants = [Entrant.of(model, circuit) for model in models]
    for rival in rivals:
        try:
            entrants.append(Entrant.of(rival, circuit))
        except CascadeError as error:
            skipped(f"left out: {error}")
    return entrants


def latency_sweep(
    entrants: Sequence[Entrant],
    shots: Shots,
    *,
    single_shots: int,
    batches: Sequence[int],
    seconds: float,
    turns: int = 10,
    clock: Clock = time.perf_counter_ns,
    cpu_clock: Clock = time.process_time_ns,
    report: Callable[[int, int], None] = lambda done, total: None,
) -> list[Timing]:
    """Time each batch size, smallest first, with the decoders that are fast enough for it.

    A decoder is left out of a batch size, and of larger ones, if by the time it took for the one before three calls
    and a warm-up do not fit into `seconds`.

    Parameters
    ----------
    entrants, shots, seconds, turns, clock, cpu_clock
        As `time_decoders` has them; `seconds` are for each decoder and batch size.
    single_shots
        Shots that are decoded one at a time, the first of `shots`; larger batches take from all.
    batches
        Shots in a call, ascending.
    report
        Called as ``report(turns done, turns of all batch sizes)``.

    Returns
    -------
    list of Timing
        By batch size, and within one in the order of the entrants.

    Raises
    ------
    CascadeError
        If the batch sizes do not ascend, or as `time_decoders`.
    """
    if not batches or list(batches) != sorted(set(batches)):
        raise CascadeError(f"expected ascending batch sizes, at least one, got {list(batches)}")
    timings: list[Timing] = []
    still = list(entrants)
    for number, batch in enumerate(batches):
        begun = number * turns

        def turned(done: int, total: int, begun: int = begun) -> None:
            report(begun + done, len(batches) * turns)

        of_these = shots.first(single_shots) if batch == 1 else shots
        now = time_decoders(
            still, of_these, batch=batch, seconds=seconds, turns=turns, clock=clock, cpu_clock=cpu_clock, report=turned
        )
        timings += now
        if number + 1 < len(batches):
            still = [timing.entrant for timing in now if _fits(timing, batches[number + 1], seconds)]
        if not still:
            break
    report(len(batches) * turns, len(batches) * turns)
    return timings


def _fits(before: Timing, batch: int, seconds: float) -> bool:
    """Whether a few calls of a larger batch fit into the time, if each shot takes as long as in a smaller one."""
    expected = batch * float(np.median(before.seconds)) / before.batch
    return (1 + _FEWEST_CALLS) * expected <= seconds
