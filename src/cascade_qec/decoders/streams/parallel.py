"""All seams of an experiment at once, and then all segments: as many windows side by side as a batch has shots."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from cascade_qec.decoders.result import DecodeResult
from cascade_qec.decoders.streams.windows import Solver, Window, Windows
from cascade_qec.engine import together


def decode_in_parallel(windows: Windows, arriving: NDArray[np.bool_]) -> DecodeResult:
    """What a stream would say, of windows that meet in seams.

    Parameters
    ----------
    windows
        Of the method "seam".
    arriving : bool [shots, detectors]
        Slice after slice, the detectors of each as they are numbered.
    """
    at = np.cumsum([0, *(windows.timeline.size(t) for t in range(windows.slices))])
    left, frame = arriving.copy(), np.zeros((len(arriving), windows.num_observables), dtype=np.bool_)
    sure: list[NDArray[np.floating] | None] = []
    every = list(_all(windows))
    for kind in ("seam", "segment"):
        alike: dict[Solver, list[Window]] = {}
        for window in every:
            if window.kind == kind:
                alike.setdefault(windows.solver(window), []).append(window)
        source = arriving if kind == "seam" else left
        for solver, group in alike.items():
            inside = [slice(at[window.first], at[window.stop]) for window in group]
            decided = solver(
                np.concatenate([arriving[:, at[window.context] : at[window.until]] for window in group]),
                np.concatenate([source[:, each] for each in inside]),
            )
            for each, flips in zip(inside, np.split(decided.flips, len(group)), strict=True):
                left[:, each] ^= flips
            shape = (len(group), *frame.shape)
            frame ^= np.bitwise_xor.reduce(decided.result.observables.reshape(shape), axis=0)
            if kind == "segment":
                told = decided.result.log_odds
                sure.append(None if told is None else together(told.reshape(len(group), -1), axis=0))
    known = [each for each in sure if each is not None]
    return DecodeResult(frame, log_odds=together(np.stack(known), axis=0) if len(known) == len(sure) else None)


def _all(windows: Windows) -> Iterator[Window]:
    window = windows.after(None)
    while window is not None:
        yield window
        window = windows.after(window)
