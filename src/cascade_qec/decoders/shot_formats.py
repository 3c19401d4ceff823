"""Bits of shots to bytes and back, in Stim's result formats, piece by piece.

The formats are those of https://github.com/quantumlib/Stim/blob/main/doc/result_formats.md. Every reader here
takes an open binary file and yields ``bool [shots, width]`` arrays of whole shots, holding only a bounded
part of the file in memory. They are stricter than Stim where Stim would let damage pass: padding bits of b8
must be zero, a text file must end in a newline (a cut "D123" would read as "D12"), and no bit is named twice.
"""

import re
from collections.abc import Callable, Iterator
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from cascade_qec.errors import CascadeError

Bits = NDArray[np.bool_]

_PIECE_BITS = 1 << 22
_HITS_LINE = re.compile(rb"(\d{1,9}(?:,\d{1,9})*)?")
_DETS_LINE = re.compile(rb"shot((?: [DLM]\d{1,9})*)")


def read_b8(file: BinaryIO, detectors: int, observables: int) -> Iterator[Bits]:
    """Bytes of eight bits, least significant first, each shot padded with zeros to whole bytes."""
    width = detectors + observables
    size = -(-width // 8)
    shots = 0
    while block := file.read(size * max(1, _PIECE_BITS // (8 * size))):
        if len(block) % size:
            raise CascadeError(
                f"expected {size} bytes a shot ({width} bits), found {len(block) % size} more bytes after "
                f"{shots + len(block) // size} whole shots"
            )
        bits = np.unpackbits(np.frombuffer(block, np.uint8).reshape(-1, size), axis=1, bitorder="little")
        padded = bits[:, width:].any(axis=1)
        if padded.any():
            raise CascadeError(
                f"expected {width} bits a shot and zeros up to the next byte, found more bits set in "
                f"shot {shots + int(padded.argmax())}"
            )
        yield bits[:, :width].astype(np.bool_)
        shots += len(bits)


def read_ptb64(file: BinaryIO, detectors: int, observables: int) -> Iterator[Bits]:
    """Groups of 64 shots, transposed: for each bit of a shot, eight bytes hold it for the 64 shots."""
    width = detectors + observables
    size = 8 * width
    shots = 0
    while block := file.read(size * max(1, _PIECE_BITS // (8 * size))):
        if len(block) % size:
            raise CascadeError(
                f"expected {size} bytes for every 64 shots ({width} bits a shot), found {len(block) % size} "
                f"more bytes after {shots + 64 * (len(block) // size)} whole shots"
            )
        groups = np.frombuffer(block, np.uint8).reshape(-1, width, 8)
        bits = np.unpackbits(groups, axis=2, bitorder="little").transpose(0, 2, 1).reshape(-1, width)
        yield bits.astype(np.bool_)
        shots += len(bits)


def read_r8(file: BinaryIO, detectors: int, observables: int) -> Iterator[Bits]:
    """Run lengths: each byte counts zeros before a one (255: zeros only); every shot ends in one extra one.

    With that extra one as its last bit a shot is ``width + 1`` bits of an unbroken stream, so a file is
    sound exactly when every such record ends in a one.
    """
    width = detectors + observables
    record = width + 1
    shots = 0
    position = 0  # stream bits read since the start of the first unfinished shot
    ones = np.zeros(0, np.int64)
    while block := file.read(_PIECE_BITS // 256):
        runs = np.frombuffer(block, np.uint8)
        ends = position + np.cumsum(np.where(runs == 255, 255, runs + np.int64(1)))
        ones = np.concatenate([ones, ends[runs != 255] - 1])
        position = int(ends[-1])
        whole = position // record
        done = np.searchsorted(ones, whole * record)
        bits = np.zeros(whole * record, np.bool_)
        bits[ones[:done]] = True
        bits = bits.reshape(whole, record)
        if not bits[:, width].all():
            raise CascadeError(
                f"expected run lengths that add up to {width} bits a shot, found a longer run in "
                f"shot {shots + int(bits[:, width].argmin())}"
            )
        yield bits[:, :width]
        shots += whole
        ones = ones[done:] - whole * record
        position -= whole * record
    if position:
        raise CascadeError(
            f"expected run lengths that add up to {width} bits a shot, "
            f"found the end of the file {position} bits into shot {shots}"
        )


def _lines(file: BinaryIO, longest: int) -> Iterator[bytes]:
    """Lines without their ends, none read beyond `longest` characters."""
    number = 0
    while line := file.readline(longest + 2):
        number += 1
        if not line.endswith(b"\n"):
            if len(line) == longest + 2:
                raise CascadeError(
                    f"expected at most {longest} characters a line, found more in line {number}: {_quoted(line)}"
                )
            raise CascadeError(
                f"expected a newline at the end, found the end of the file in line {number}: {_quoted(line)}"
            )
        yield line.removesuffix(b"\n").removesuffix(b"\r")


def _quoted(line: bytes) -> str:
    return ascii((line if len(line) <= 40 else line[:40] + b"...").decode("latin-1"))


def _shots_a_piece(width: int) -> int:
    return max(1, _PIECE_BITS // (8 * width))


def read_01(file: BinaryIO, detectors: int, observables: int) -> Iterator[Bits]:
    """A line of characters 0 and 1 for each shot."""
    width = detectors + observables
    whole_lines: list[bytes] = []
    for number, line in enumerate(_lines(file, width), start=1):
        if len(line) != width:
            raise CascadeError(
                f"expected {width} characters 0 or 1 a line, found {len(line)} in line {number}: {_quoted(line)}"
            )
        if line.strip(b"01"):
            raise CascadeError(f"expected characters 0 or 1, found in line {number}: {_quoted(line)}")
        whole_lines.append(line)
        if len(whole_lines) == _shots_a_piece(width):
            yield _characters_to_bits(whole_lines, width)
            whole_lines = []
    yield _characters_to_bits(whole_lines, width)


def _characters_to_bits(lines: list[bytes], width: int) -> Bits:
    return (np.frombuffer(b"".join(lines), np.uint8) == ord("1")).reshape(len(lines), width)


def read_hits(file: BinaryIO, detectors: int, observables: int) -> Iterator[Bits]:
    """A line for each shot with the indices of its ones, separated by commas."""
    width = detectors + observables

    def indices(line: bytes) -> list[int]:
        if not _HITS_LINE.fullmatch(line):
            raise CascadeError("expected indices separated by commas")
        return [int(index) for index in line.split(b",")] if line else []

    return _sparse(_lines(file, width * 10), indices, width)


def read_dets(file: BinaryIO, detectors: int, observables: int) -> Iterator[Bits]:
    """A line for each shot: the word shot, then its ones, detectors as D4 and observables as L0."""
    width = detectors + observables
    start_and_size = {"D": (0, detectors), "L": (detectors, observables), "M": (0, 0)}

    def indices(line: bytes) -> list[int]:
        if not _DETS_LINE.fullmatch(line):
            raise CascadeError("expected 'shot', then targets such as D4 or L0 after single spaces")
        found = []
        for target in line.decode("ascii").split()[1:]:
            start, size = start_and_size[target[0]]
            if int(target[1:]) >= size:
                raise CascadeError(f"expected {detectors} detectors and {observables} observables a shot, got {target}")
            found.append(start + int(target[1:]))
        return found

    shot_lines = (line for line in map(bytes.lstrip, _lines(file, 16 + width * 12)) if line)
    return _sparse(shot_lines, indices, width)


def _sparse(lines: Iterator[bytes], indices: Callable[[bytes], list[int]], width: int) -> Iterator[Bits]:
    """Rows of bits from lines that name the ones."""
    piece = np.zeros((_shots_a_piece(width), width), np.bool_)
    filled = 0
    for number, line in enumerate(lines):
        try:
            ones = indices(line)
        except CascadeError as error:
            raise CascadeError(f"{error}; found for shot {number}: {_quoted(line)}") from None
        if ones and max(ones) >= width:
            raise CascadeError(f"expected indices below {width}, found {max(ones)} for shot {number}")
        if len(set(ones)) != len(ones):
            raise CascadeError(f"expected each index once, found one repeated for shot {number}: {_quoted(line)}")
        piece[filled, ones] = True
        filled += 1
        if filled == len(piece):
            yield piece
            piece = np.zeros_like(piece)
            filled = 0
    yield piece[:filled]


def write_b8(bits: Bits) -> bytes:
    """The bytes of b8 for `bits`, bool [shots, width]."""
    return np.packbits(bits, axis=1, bitorder="little").tobytes()


def write_01(bits: Bits) -> bytes:
    """The bytes of 01 for `bits`, bool [shots, width]."""
    lines = np.full((bits.shape[0], bits.shape[1] + 1), ord("\n"), np.uint8)
    lines[:, :-1] = bits + np.uint8(ord("0"))
    return lines.tobytes()


def write_r8(bits: Bits) -> bytes:
    """The bytes of r8 for `bits`, bool [shots, width]."""
    stream = np.ones((bits.shape[0], bits.shape[1] + 1), np.bool_)
    stream[:, :-1] = bits
    zeros_before = np.diff(np.flatnonzero(stream), prepend=-1) - 1
    last_bytes = np.cumsum(zeros_before // 255 + 1) - 1
    runs = np.full(int(last_bytes[-1]) + 1 if len(last_bytes) else 0, 255, np.uint8)
    runs[last_bytes] = zeros_before % 255
    return runs.tobytes()


def write_hits(bits: Bits) -> bytes:
    """The bytes of hits for `bits`, bool [shots, width]."""
    return "".join(",".join(map(str, np.flatnonzero(row))) + "\n" for row in bits).encode("ascii")


def write_dets(bits: Bits) -> bytes:
    """The bytes of dets for `bits`, bool [shots, observables]: all bits are observables, written as L."""
    lines = ["".join(["shot", *(f" L{i}" for i in np.flatnonzero(row)), "\n"]) for row in bits]
    return "".join(lines).encode("ascii")


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
}
"""Writers ``bool [shots, observables] -> bytes`` by format. Not ptb64, which needs 64 shots at a time."""
