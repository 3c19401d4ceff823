"""When detectors arrive: slice by slice, those of a long experiment as those of a short one with the same loop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import stim
from numpy.typing import NDArray

from cascade_qec.error_models import check_size, refused
from cascade_qec.errors import CascadeError
from cascade_qec.recognition import recognise_any

Experiment = stim.Circuit | stim.DetectorErrorModel

_EDGE = 3
"""Slices from either end of a loop in which errors may differ from those further in."""

_CYCLE = 12
"""Turns of a loop after which errors have to be alike, if not before."""


@dataclass(frozen=True, eq=False)
class Timeline:
    """The slices of an experiment. Round t brings slice t, and the readout of the data qubits the last one.

    A loop that repeats for long is known by a few turns of it: `experiment` has that many, and everything that happens
    far from both ends happens there too.

    Attributes
    ----------
    experiment : stim.Circuit or stim.DetectorErrorModel
    detectors : tuple of int64 [of the slice]
        The detectors of each of its slices, ascending.
    slices : int
        Of the whole experiment.
    period : int
        Slices of one turn of the loop.
    bulk : int
        The first slice that is like those a period later.
    tail : int
        Slices at the end that are not like those a period earlier.
    """

    experiment: Experiment
    detectors: tuple[NDArray[np.int64], ...]
    slices: int
    period: int
    bulk: int
    tail: int

    @classmethod
    def of(cls, experiment: Experiment, window: int) -> Timeline:
        """The slices of an experiment of which windows of so many slices are looked at.

        Raises
        ------
        CascadeError
            If it does not say when its detectors arrive, or is too long and not a loop.
        """
        loop = _loop(experiment)
        few = window + 4 * _EDGE
        if loop is None or loop.turns <= few:
            return cls.whole(experiment)
        alike = _turns_alike(loop)
        few += alike + (loop.turns - few) % alike
        if loop.turns <= few:
            return cls.whole(experiment)
        short, longer = loop.repeated(few), loop.repeated(few + alike)
        check_size(short)
        arrival = arrivals(short)
        detectors = _by_slice(arrival)
        period = len(_by_slice(arrivals(longer))) - len(detectors)
        before, _, after = np.split(arrival, [loop.before.num_detectors, len(arrival) - loop.after.num_detectors])
        bulk = max(before, default=-1) + 1 + _EDGE
        tail = len(detectors) - min(after, default=len(detectors)) + _EDGE
        # time stands still in the loop, or runs backwards
        if not period or len(detectors) - tail < bulk + window + period:
            return cls.whole(experiment)
        return cls(short, detectors, len(detectors) + period * ((loop.turns - few) // alike), period, bulk, tail)

    @classmethod
    def whole(cls, experiment: Experiment) -> Timeline:
        """The slices of an experiment that is looked at as it is."""
        check_size(experiment)
        detectors = _by_slice(arrivals(experiment))
        return cls(experiment, detectors, len(detectors), 1, len(detectors), len(detectors))

    @property
    def arrival(self) -> NDArray[np.int64]:
        """The slice of each detector of `experiment`, int64 [detectors]."""
        arrival = np.empty(self.experiment.num_detectors, dtype=np.int64)
        for t, detectors in enumerate(self.detectors):
            arrival[detectors] = t
        return arrival

    def size(self, t: int) -> int:
        """Number of detectors of a slice of the whole experiment."""
        return len(self.detectors[t - self.shift(t, t + 1)])

    def shift(self, first: int, stop: int) -> int:
        """By how many slices `experiment` has the slices from `first` to before `stop` earlier."""
        extra = self.slices - len(self.detectors)
        if not extra or stop <= len(self.detectors) - self.tail:
            return 0
        if stop > self.slices - self.tail:
            return extra
        return (first - self.bulk) // self.period * self.period


def arrivals(experiment: Experiment) -> NDArray[np.int64]:
    """The slice of each detector, int64 [detectors]: by the coordinate of time, or as a code's memory experiment.

    Raises
    ------
    CascadeError
        If detectors have no coordinates, and it is no memory experiment of a code that is known, or has more of them.
    """
    coordinates = experiment.get_detector_coordinates()
    if len(coordinates) == experiment.num_detectors and all(coordinates.values()):
        # x, y, t and what else there may be; with fewer, time is the last one
        times = [coordinates[d][min(2, len(coordinates[d]) - 1)] for d in range(len(coordinates))]
        return np.unique(np.round(times, 6), return_inverse=True)[1].ravel().astype(np.int64)
    try:
        found = recognise_any(experiment)
    except CascadeError as error:
        raise CascadeError(
            f"expected detectors with coordinates (x, y, t), to know when they arrive: {error}"
        ) from error
    arrival = np.max([part.lattice.detector_slices for part in found.parts], axis=0)
    if (arrival < 0).any():
        lost = int(np.argmin(arrival))
        raise CascadeError(
            f"expected detectors with coordinates (x, y, t), to know when they arrive, got none for D{lost}"
        )
    return arrival


def _by_slice(arrival: NDArray[np.int64]) -> tuple[NDArray[np.int64], ...]:
    order = np.argsort(arrival, kind="stable")
    return tuple(np.split(order, np.cumsum(np.bincount(arrival))[:-1]))


class _Loop(NamedTuple):
    """The loop of an experiment that has most detectors: what comes before, and how often it turns."""

    before: Experiment
    body: Experiment
    after: Experiment
    turns: int

    def repeated(self, turns: int) -> Experiment:
        """The experiment with other turns of the loop."""
        return self.before + self.body * turns + self.after  # pyright: ignore[reportOperatorIssue]


def _loop(experiment: Experiment) -> _Loop | None:
    loops = [
        (block.repeat_count * _added(block.body_copy()), index, block)
        for index, block in enumerate(experiment[:])  # pyright: ignore[reportArgumentType] not Iterable, but iterates
        if isinstance(block, (stim.CircuitRepeatBlock, stim.DemRepeatBlock))
    ]
    if not loops:
        return None
    _, index, block = max(loops, key=lambda loop: loop[0])
    return _Loop(experiment[:index], block.body_copy(), experiment[index + 1 :], block.repeat_count)


def _added(turn: Experiment) -> int:
    """Detectors that one more turn adds: in error models, less than it names."""
    return (turn * 2).num_detectors - turn.num_detectors


def _turns_alike(loop: _Loop) -> int:
    """After how many turns errors are alike: three, of a code that permutes X, Y and Z; all turns, if it is not known.

    Stim finds that out where it makes an error model that has loops.
    """
    turns = min(loop.turns, 3 * _CYCLE + loop.turns % _CYCLE)
    check_size(loop.repeated(turns))
    # without loops before and after it, which Stim would find, too
    some = _Loop(loop.before.flattened(), loop.body, loop.after.flattened(), loop.turns).repeated(turns)
    if isinstance(some, stim.DetectorErrorModel):
        return 1
    try:
        found = _loop(some.detector_error_model(approximate_disjoint_errors=True))
    except ValueError as error:
        raise refused(error) from error
    alike = _added(found.body) // max(1, _added(loop.body)) if found else 0
    return alike if alike and not _CYCLE % alike else loop.turns
