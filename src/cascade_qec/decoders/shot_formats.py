"""Stim's result formats by name: how bits of shots are read and written, piece by piece.

The formats are those of https://github.com/quantumlib/Stim/blob/main/doc/result_formats.md. Every reader takes an
open binary file and yields ``bool [shots, width]`` arrays of whole shots, holding only a bounded part of the file in
memory. They are stricter than Stim where Stim would let damage pass: padding bits of b8 must be zero, a text file
must end in a newline (a cut "D123" would read as "D12"), and no bit is named twice.
"""

from collections.abc import Callable, Iterator
from typing import BinaryIO

from cascade_qec.decoders.shot_bytes import Bits, read_b8, read_ptb64, read_r8, write_b8, write_ptb64, write_r8
from cascade_qec.decoders.shot_lines import read_01, read_dets, read_hits, write_01, write_dets, write_hits

READERS: dict[str, Callable[[BinaryIO, int, int], Iterator[Bits]]] = {
    "01": read_01,
    "b8": read_b8,
    "r8": read_r8,
    "hits": read_hits,
    "dets": read_dets,
    "ptb64": read_ptb64,
}
"""Readers ``(file, detectors, observables) -> bool [shots, detectors + observables], ...`` by format."""

WRITERS: dict[str, Callable[[Bits], bytes]] = {
    "01": write_01,
    "b8": write_b8,
    "r8": write_r8,
    "hits": write_hits,
    "dets": write_dets,
    "ptb64": write_ptb64,
}
"""Writers ``bool [shots, observables] -> bytes`` by format; those of parts of a file, joined, make the file."""
