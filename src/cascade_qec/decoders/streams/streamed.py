"""A decoder that decodes every experiment as a stream, so that it can be measured like any other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import stim
from numpy.typing import NDArray

from cascade_qec.decoders import events
from cascade_qec.decoders.bound import Bound
from cascade_qec.decoders.protocol import Decoder
from cascade_qec.decoders.result import DecodeResult
from cascade_qec.decoders.streams.opening import check_alone, windows
from cascade_qec.decoders.streams.parallel import decode_in_parallel
from cascade_qec.decoders.streams.stream import Stream
from cascade_qec.decoders.streams.timeline import arrivals
from cascade_qec.decoders.streams.windows import Method, Windows, check_sizes


@dataclass(frozen=True)
class Streamed:
    """A decoder in windows.

    Parameters
    ----------
    decoder
    commit, buffer, method
        As `windows` takes them.

    Raises
    ------
    CascadeError
        If the decoder has a fallback, or no experiment has such windows.
    """

    decoder: Decoder
    commit: int
    buffer: int
    method: Method = "carry"

    def __post_init__(self) -> None:
        check_alone(self.decoder)
        check_sizes(self.commit, self.buffer, self.method)

    @property
    def name(self) -> str:
        """The decoder's, and the windows: ``pymatching~5+5``, ``pymatching~seam5+5``."""
        return f"{self.decoder.name}~{'seam' * (self.method == 'seam')}{self.commit}+{self.buffer}"

    @property
    def parameters(self) -> Mapping[str, object]:
        """The decoder's, and the windows."""
        of_windows = {"commit": self.commit, "buffer": self.buffer, "method": self.method}
        return {**getattr(self.decoder, "parameters", {}), **of_windows}

    @property
    def decomposed(self) -> bool:
        """Whether the decoder wants errors that are decomposed into pairs of detectors."""
        return getattr(self.decoder, "decomposed", False)

    def bind(self, experiment: stim.Circuit | stim.DetectorErrorModel, /) -> BoundStreamed:
        """Make the decoder ready for streams of an experiment.

        Raises
        ------
        CascadeError
            As `windows` does.
        """
        made = windows(self.decoder, experiment, commit=self.commit, buffer=self.buffer, method=self.method)
        return BoundStreamed(made, np.argsort(arrivals(experiment), kind="stable"), self.name)


class BoundStreamed(Bound[DecodeResult]):
    """Streams of one experiment, all shots of a batch side by side.

    Attributes
    ----------
    windows : Windows
    order : int64 [detectors]
        The detectors in the order in which they arrive.
    """

    def __init__(self, made: Windows, order: NDArray[np.int64], name: str) -> None:
        self.windows, self.order, self.name = made, order, name
        self.num_detectors, self.num_observables = len(order), made.num_observables

    def _decode(self, detection_events: NDArray[Any], bit_packed: bool) -> DecodeResult:
        if bit_packed:
            detection_events = events.unpacked(detection_events, self.num_detectors)
        arriving = detection_events[:, self.order]
        if self.windows.method == "seam":
            return decode_in_parallel(self.windows, arriving)
        stream, readout = Stream(self.windows, len(arriving)), self.windows.timeline.size(self.windows.slices - 1)
        stream.push(arriving[:, : len(self.order) - readout])
        return stream.finish(arriving[:, len(self.order) - readout :])
