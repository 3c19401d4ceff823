"""Streams: decoders that answer while the experiment goes on, for any number of rounds."""

from cascade_qec.decoders.streams.opening import windows
from cascade_qec.decoders.streams.stream import Stream
from cascade_qec.decoders.streams.streamed import Streamed
from cascade_qec.decoders.streams.windows import Commitment, Method, Solver, Window, Windows

__all__ = ["Commitment", "Method", "Solver", "Stream", "Streamed", "Window", "Windows", "windows"]
