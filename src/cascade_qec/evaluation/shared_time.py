"""Several measurements in a time that they share."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import stim

from cascade_qec.decoders.protocol import BoundDecoder, Decoder
from cascade_qec.evaluation.comparison import Experiment, compare
from cascade_qec.evaluation.tables import Row, pool

_FIRST_SHOTS = 16
"""Few, since it is not known yet how slow the decoder is."""

_TO_LEARN_THE_SPEED = 0.02
"""Part of an equal share of the time."""

_MOST_SHOTS = 100_000
"""Of one batch, for the memory's sake."""


@dataclass(frozen=True)
class Task:
    """One decoder on one experiment.

    Attributes
    ----------
    experiment
        What is decoded.
    name, decoder
        By whom, and what the table calls it.
    most
        Shots that are enough.
    weight
        Its share of the time, in proportion to those of the others.
    first
        Shots that are worth more than a fair share: while there is time for them, they come before.
    """

    experiment: Experiment
    name: str
    decoder: Decoder
    most: int
    weight: float
    first: int = 0


def decode_in(
    seconds: float,
    tasks: Sequence[Task],
    *,
    seed: Sequence[int],
    report: Callable[[float], None],
) -> list[Row]:
    """Decode as many shots of each task as the time allows.

    First come those that tasks want first, the quickest task before the others, as far as they can be had in what is
    left of the time. Then each task gets its share, and one that has enough leaves it to the others.

    Parameters
    ----------
    seconds
        For all tasks, once they are prepared. Each decodes a few shots in any case.
    seed
        Numbers that make up the seed; each task and batch adds its own.
    report
        Called with the fraction that is done.

    Returns
    -------
    list of Row
        One for each task, all bases with as many shots.
    """
    runs = [_Run(task, [*seed, index]) for index, task in enumerate(tasks)]
    end = time.perf_counter() + seconds
    for run in runs:
        run.decode(min(_FIRST_SHOTS, run.task.most))
        # Few shots at a time are slow: what comes next is planned with the speed of more.
        while run.spent < _TO_LEARN_THE_SPEED * seconds / len(runs) and run.total.shots < run.task.most:
            run.decode(min(4 * run.total.shots, run.task.most - run.total.shots, _MOST_SHOTS))
    while (left := end - time.perf_counter()) > 0:
        report(1 - left / seconds)
        unfinished = [run for run in runs if run.total.shots < run.task.most]
        if not unfinished:
            break
        urgent = [run for run in unfinished if 0 < run.seconds_to(run.task.first) <= left]
        if urgent:
            run = min(urgent, key=lambda run: run.seconds_to(run.task.first))
            wanted = run.task.first - run.total.shots
        else:
            run = min(unfinished, key=lambda run: run.spent / run.task.weight)
            together = left + sum(other.spent for other in unfinished)
            due = together * run.task.weight / sum(other.task.weight for other in unfinished) - run.spent
            missing = run.task.most - run.total.shots
            wanted = min(int(min(due, left) * run.shots_per_second), missing)
            # What is left is too little to change anything.
            if wanted < min(missing, run.total.shots / 10):
                break
        run.decode(min(wanted, 4 * run.total.shots, _MOST_SHOTS))
    report(1.0)
    return [run.total for run in runs]


class _BoundOnce:
    """A decoder that is bound to each circuit of an experiment once, not for each batch."""

    def __init__(self, decoder: Decoder, experiment: Experiment) -> None:
        self.name = decoder.name
        self.parameters = getattr(decoder, "parameters", {})
        self._bound = {id(circuit): decoder.bind(circuit) for circuit in experiment.circuits.values()}

    def bind(self, experiment: stim.Circuit | stim.DetectorErrorModel, /) -> BoundDecoder:
        return self._bound[id(experiment)]


class _Run:
    """A task, as far as it has come."""

    def __init__(self, task: Task, seed: list[int]) -> None:
        self.task = task
        self.spent = 0.0
        self.shots_per_second = 0.0
        self._seed = seed
        self._batches = 0
        self._rows: list[Row] = []
        self._decoder = _BoundOnce(task.decoder, task.experiment)

    @property
    def total(self) -> Row:
        (row,) = pool(self._rows)
        return row

    def seconds_to(self, shots: int) -> float:
        """Time until so many shots are decoded, 0 where they are."""
        return max(0, shots - self.total.shots) / self.shots_per_second

    def decode(self, shots: int) -> None:
        began = time.perf_counter()
        stream = np.random.SeedSequence([*self._seed, self._batches]).generate_state(1, np.uint64)
        # Whole batches, so that each basis has as many shots however fast it is decoded.
        rows = compare(self.task.experiment, {self.task.name: self._decoder}, shots=shots, seed=int(stream[0]))
        self._rows = [*self._rows, *rows]
        self._batches += 1
        self.spent += time.perf_counter() - began
        # Of decoding alone: what a first batch takes beside it would make it look slow.
        self.shots_per_second = 1e6 / max(rows[0].microseconds_per_shot, 1e-3)
