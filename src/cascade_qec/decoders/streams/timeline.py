"""When detectors arrive: slice by slice, those of a long experiment as those of a short one with the same loop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import stim
from numpy.typing import NDArray

from cascade_qec.error_models import check_size
from cascade_qec.errors import CascadeError
from cascade_qec.recognition import recognise_any

Experiment = stim.Circuit | stim.DetectorErrorModel

_EDGE = 3
"""Slices from either end in which errors may differ from those further in."""


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
    """

    experiment: Experiment
    detectors: tuple[NDArray[np.int64], ...]
    slices: int
    period: int
    bulk: int

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
        short, longer = loop.repeated(few), loop.repeated(few + 1)
        check_size(short)
        detectors = _by_slice(arrivals(short))
        middle = len(detectors[len(detectors) // 2])
        period = max(1, (longer.num_detectors - short.num_detectors) // max(1, middle))
        bulk = len(_by_slice(arrivals(loop.before))) + _EDGE if loop.before.num_detectors else _EDGE
        return cls(short, detectors, len(detectors) + period * (loop.turns - few), period, bulk)

    @classmethod
    def whole(cls, experiment: Experiment) -> Timeline:
        """The slices of an experiment that is looked at as it is."""
        check_size(experiment)
        detectors = _by_slice(arrivals(experiment))
        return cls(experiment, detectors, len(detectors), 1, len(detectors))

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
        if not extra or stop <= len(self.detectors) - _EDGE:
            return 0
        if stop > self.slices - _EDGE:
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
        (block.repeat_count * block.body_copy().num_detectors, index, block)
        for index, block in enumerate(experiment[:])  # pyright: ignore[reportArgumentType] not Iterable, but iterates
        if isinstance(block, (stim.CircuitRepeatBlock, stim.DemRepeatBlock))
    ]
    if not loops:
        return None
    _, index, block = max(loops, key=lambda loop: loop[0])
    return _Loop(experiment[:index], block.body_copy(), experiment[index + 1 :], block.repeat_count)
