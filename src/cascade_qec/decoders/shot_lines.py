"""Bits of shots to lines of text and back: Stim's formats 01, hits and dets.

Blocks of whole lines are parsed as arrays. Only a block in which something is out of the ordinary is read line by
line, to say what it is or to allow what Stim allows.
"""

import re
from collections.abc import Callable, Iterator
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from cascade_qec.decoders.distinct_rows import distinct_rows
from cascade_qec.decoders.shot_bytes import PIECE_BITS, Bits
from cascade_qec.errors import CascadeError

_LEAST_BLOCK = 1 << 12
_HITS_LINE = re.compile(rb"(\d{1,9}(?:,\d{1,9})*)?")
_DETS_LINE = re.compile(rb"shot((?: [DLM]\d{1,9})*)")
# Possessive quantifiers: without backtracking a block is matched in one go, and in constant memory.
_HITS_BLOCK = re.compile(rb"(?:(?:\d{1,9}(?:,\d{1,9})*+)?+\n)*+")
_DETS_BLOCK = re.compile(rb"(?:shot(?: [DL]\d{1,9})*+\n)*+")
_END, _DETECTOR, _OBSERVABLE = -1, -2, -3


def read_01(file: BinaryIO, detectors: int, observables: int) -> Iterator[Bits]:
    """A line of characters 0 and 1 for each shot."""
    width = detectors + observables
    for lines_before, block in _blocks(file, width, PIECE_BITS // 8):
        characters = np.frombuffer(block, np.uint8)
        if len(characters) % (width + 1) == 0:
            table = characters.reshape(-1, width + 1)
            if (table[:, width] == ord("\n")).all() and (table[:, :width] & 0xFE == ord("0")).all():
                yield table[:, :width] == ord("1")
                continue
        raise CascadeError(_wrong_01(lines_before, block, width))


def _wrong_01(lines_before: int, block: bytes, width: int) -> str:
    """What is wrong in a block that does not hold whole lines of characters 0 and 1."""
    for number, line in enumerate(_lines(block), start=lines_before + 1):
        if len(line) != width:
            return f"expected {width} characters 0 or 1 a line, found {len(line)} in line {number}: {_quoted(line)}"
        if line.strip(b"01"):
            return f"expected characters 0 or 1, found in line {number}: {_quoted(line)}"
    raise AssertionError("nothing is wrong in it")


def read_hits(file: BinaryIO, detectors: int, observables: int) -> Iterator[Bits]:
    """A line for each shot with the indices of its ones, separated by commas."""
    width = detectors + observables

    def whole(block: bytes) -> Bits | None:
        if not _HITS_BLOCK.fullmatch(block):
            return None
        numbers = _numbers(block.replace(b",", b" "))
        return _scattered(numbers, numbers, width)

    def indices(line: bytes) -> list[int]:
        if not _HITS_LINE.fullmatch(line):
            raise CascadeError("expected indices separated by commas")
        return [int(index) for index in line.split(b",")] if line else []

    # A line is at least one byte, so a block is at most a piece.
    return _sparse(_blocks(file, width * 10, PIECE_BITS // width), whole, indices, width)


def read_dets(file: BinaryIO, detectors: int, observables: int) -> Iterator[Bits]:
    """A line for each shot: the word shot, then its ones, detectors as D4 and observables as L0."""
    width = detectors + observables
    start_and_size = {"D": (0, detectors), "L": (detectors, observables), "M": (0, 0)}

    def whole(block: bytes) -> Bits | None:
        if not _DETS_BLOCK.fullmatch(block):
            return None
        text = block.replace(b"shot", b"").replace(b"D", b"%d " % _DETECTOR).replace(b"L", b"%d " % _OBSERVABLE)
        numbers = _numbers(text)
        observable = np.roll(numbers, 1) == _OBSERVABLE
        if (numbers >= np.where(observable, observables, detectors)).any():
            return None
        return _scattered(numbers, numbers + observable * np.int64(detectors), width)

    def indices(line: bytes) -> list[int] | None:
        line = line.lstrip()
        if not line:
            return None
        if not _DETS_LINE.fullmatch(line):
            raise CascadeError("expected 'shot', then targets such as D4 or L0 after single spaces")
        found = []
        for target in line.decode("ascii").split()[1:]:
            start, size = start_and_size[target[0]]
            if int(target[1:]) >= size:
                raise CascadeError(f"expected {detectors} detectors and {observables} observables a shot, got {target}")
            found.append(start + int(target[1:]))
        return found

    # A shot is at least five bytes.
    return _sparse(_blocks(file, 16 + width * 12, 5 * PIECE_BITS // width), whole, indices, width)


def write_01(bits: Bits) -> bytes:
    """The bytes of 01 for `bits`, bool [shots, width]."""
    lines = np.full((bits.shape[0], bits.shape[1] + 1), ord("\n"), np.uint8)
    lines[:, :-1] = bits + np.uint8(ord("0"))
    return lines.tobytes()


def write_hits(bits: Bits) -> bytes:
    """The bytes of hits for `bits`, bool [shots, width]."""
    return _written(bits, lambda ones: ",".join(map(str, ones)) + "\n")


def write_dets(bits: Bits) -> bytes:
    """The bytes of dets for `bits`, bool [shots, observables]: all bits are observables, written as L."""
    return _written(bits, lambda ones: "".join(["shot", *(f" L{i}" for i in ones), "\n"]))


def _written(bits: Bits, line: Callable[[NDArray[np.intp]], str]) -> bytes:
    # Few predictions differ from each other.
    first, which = distinct_rows(bits)
    lines = [line(np.flatnonzero(row)) for row in bits[first]]
    return "".join([lines[i] for i in which]).encode("ascii")


def _blocks(file: BinaryIO, longest: int, size: int) -> Iterator[tuple[int, bytes]]:
    """Whole lines in blocks of about `size` bytes, with the number of lines before; all end in a bare newline.

    No more is held of a line that is longer than `longest` characters.
    """
    lines = 0
    rest = b""
    while read := file.read(max(size, _LEAST_BLOCK)):
        whole, newline, rest = (rest + read).rpartition(b"\n")
        if newline:
            block = (whole + newline).replace(b"\r\n", b"\n")
            yield lines, block
            lines += block.count(b"\n")
        if len(rest) > longest + 1:  # one for a carriage return
            raise CascadeError(
                f"expected at most {longest} characters a line, found more in line {lines + 1}: {_quoted(rest)}"
            )
    if rest:
        raise CascadeError(
            f"expected a newline at the end, found the end of the file in line {lines + 1}: {_quoted(rest)}"
        )


def _lines(block: bytes) -> list[bytes]:
    return block[:-1].split(b"\n")


def _quoted(line: bytes) -> str:
    return ascii((line if len(line) <= 40 else line[:40] + b"...").decode("latin-1"))


def _numbers(text: bytes) -> NDArray[np.int64]:
    """Whole numbers between spaces, and `_END` at the end of each line."""
    return np.fromstring(text.replace(b"\n", b" %d " % _END).decode("ascii"), np.int64, sep=" ")


def _scattered(numbers: NDArray[np.int64], columns: NDArray[np.int64], width: int) -> Bits | None:
    """Rows with ones in the columns of those numbers that are no marks; None if one is too high or repeated."""
    ends = numbers == _END
    ones = np.flatnonzero(numbers >= 0)
    bits = np.zeros((np.count_nonzero(ends), width), np.bool_)
    if (columns[ones] >= width).any():
        return None
    bits[np.cumsum(ends)[ones], columns[ones]] = True
    return bits if np.count_nonzero(bits) == len(ones) else None


def _sparse(
    blocks: Iterator[tuple[int, bytes]],
    whole: Callable[[bytes], Bits | None],
    indices: Callable[[bytes], list[int] | None],
    width: int,
) -> Iterator[Bits]:
    """Rows of bits from lines that name the ones.

    `whole` parses a block, or gives None where it is to be read line by line by `indices`; that gives None for a
    line without a shot.
    """
    shots = 0
    for _, block in blocks:
        bits = whole(block)
        if bits is None:
            bits = _line_by_line(_lines(block), shots, indices, width)
        yield bits
        shots += len(bits)


def _line_by_line(lines: list[bytes], shots: int, indices: Callable[[bytes], list[int] | None], width: int) -> Bits:
    bits = np.zeros((len(lines), width), np.bool_)
    filled = 0
    for line in lines:
        try:
            ones = indices(line)
        except CascadeError as error:
            raise CascadeError(f"{error}; found for shot {shots + filled}: {_quoted(line)}") from None
        if ones is None:
            continue
        if ones and max(ones) >= width:
            raise CascadeError(f"expected indices below {width}, found {max(ones)} for shot {shots + filled}")
        if len(set(ones)) != len(ones):
            raise CascadeError(
                f"expected each index once, found one repeated for shot {shots + filled}: {_quoted(line)}"
            )
        bits[filled, ones] = True
        filled += 1
    return bits[:filled]
