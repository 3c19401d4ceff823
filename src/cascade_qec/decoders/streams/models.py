"""Streams for any decoder of detector error models: a window is a model by itself.

The detectors beyond it that committed errors flip are observables of that model, so that whatever predicts observables
says what is left to be explained.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import stim
from numpy.typing import NDArray

from cascade_qec.decoders.bound import decode_chosen
from cascade_qec.decoders.projection import mechanisms, symptoms
from cascade_qec.decoders.protocol import Decoder
from cascade_qec.decoders.result import DecodeResult
from cascade_qec.decoders.streams.timeline import Timeline
from cascade_qec.decoders.streams.whole import WholeSolver
from cascade_qec.decoders.streams.windows import Commitment, Method, Solver, Window, Windows
from cascade_qec.error_models import error_model, unlikely
from cascade_qec.errors import CascadeError


class ModelWindows(Windows):
    """A decoder that is given a detector error model for each window.

    Parts into which a decoder that matches has errors decomposed are committed each by itself.
    """

    def __init__(self, decoder: Decoder, timeline: Timeline, *, commit: int, buffer: int, method: Method) -> None:
        super().__init__(timeline, commit=commit, buffer=buffer, context=0, method=method, name=decoder.name)
        self._decoder = decoder
        experiment = timeline.experiment
        decomposed = getattr(decoder, "decomposed", False)
        self._dem = (
            error_model(experiment, decomposed=decomposed) if isinstance(experiment, stim.Circuit) else experiment
        )
        if unlikely(self._dem)[1] is not None:
            raise CascadeError("expected errors of probability 1/2 at most in a stream, got a likelier one")
        self.num_observables = self._dem.num_observables
        self._coordinates = self._dem.get_detector_coordinates()
        self._errors = list(_errors(self._dem, decomposed))
        self._slice: list[int] = timeline.arrival.tolist()
        ends = [
            [[of(self._slice[d] for d in detectors) for of in (min, max)] for detectors, _ in parts]
            for _, parts in self._errors
        ]
        self._ends = np.array([each for parts in ends for each in parts], dtype=np.int64).reshape(-1, 2)
        self._check_reach(*self._ends.T)

    def _made(self, window: Window) -> Solver:
        if window.first == 0 and window.stop == self.slices:
            return WholeSolver(self._decoder, self.timeline)
        detectors = np.concatenate(self.timeline.detectors[window.first : window.stop])
        number = {detector: index for index, detector in enumerate(detectors.tolist())}
        beyond: dict[int, int] = {}  # the observable that stands for a detector
        model: list[str] = []
        allowed, committed = (iter(each.tolist()) for each in window.errors(*self._ends.T))
        for p, parts in self._errors:
            shown: list[str] = []
            for (flipped, observables), use, final in zip(parts, allowed, committed):  # noqa: B905 as many as parts
                if not use:
                    continue
                inside = [d for d in flipped if d in number]
                targets = [f"D{number[d]}" for d in inside]
                if final:
                    left = [d for d in inside if window.kind == "seam" or self._slice[d] >= window.commit]
                    targets += [f"L{o}" for o in observables]
                    targets += [f"L{self.num_observables + beyond.setdefault(d, len(beyond))}" for d in left]
                shown.append(" ".join(targets))
            if shown:
                model.append(f"error({p!r}) {' ^ '.join(shown)}")
        for detector, index in number.items():
            place = ", ".join(map(repr, self._coordinates[detector]))
            model.append(f"detector({place}) D{index}" if place else f"detector D{index}")
        model += [f"logical_observable L{o}" for o in range(self.num_observables + len(beyond))]
        columns = np.array([number[d] for d in beyond], dtype=np.int64)
        return _ModelSolver(self._decoder, "\n".join(model), self.num_observables, columns)


def _errors(
    dem: stim.DetectorErrorModel, decomposed: bool
) -> Iterator[tuple[float, list[tuple[list[int], list[int]]]]]:
    """Each error of a model: its probability, and of each of its parts the detectors and observables that it flips."""
    for p, parts in mechanisms(dem):
        groups = parts if decomposed else [[target for part in parts for target in part]]
        flipped = [tuple(map(sorted, symptoms([group]))) for group in groups]
        seen = [(detectors, observables) for detectors, observables in flipped if detectors]
        if seen:
            yield p, seen


class _ModelSolver(Solver):
    def __init__(self, decoder: Decoder, model: str, observables: int, columns: NDArray[np.int64]) -> None:
        self._bound = decoder.bind(stim.DetectorErrorModel(model))
        self._observables, self._columns = observables, columns

    def __call__(self, seen: NDArray[np.bool_], left: NDArray[np.bool_]) -> Commitment:
        found = decode_chosen(self._bound, left).observables
        flips = np.zeros_like(left)
        flips[:, self._columns] = found[:, self._observables :]
        return Commitment(DecodeResult(found[:, : self._observables]), flips)
