"""Stim's result formats: pieces of a file to bit-packed shots, and back.

The formats are those of https://github.com/quantumlib/Stim/blob/main/doc/result_formats.md. Stim reads and writes
whole files only, so it is given a piece of whole lines at a time, in a scratch file. Binary formats, and lines of 01
in which nothing is unusual, are read by NumPy: Stim reads 01 and ptb64 at a third of the speed (80 against 220, 30
against 90 MB/s, surface_d5), and cannot be given a part of an r8 file.

Reading is stricter than Stim where Stim would let damage pass: padding bits of b8 must be zero, a text file must end
in a newline (a cut "D123" would read as "D12"), and no bit may be named twice.
"""

import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO, Literal, get_args

import numpy as np
import stim
from numpy.typing import NDArray

from cascade_qec.decoders.events import packed
from cascade_qec.errors import CascadeError

Format = Literal["01", "b8", "r8", "hits", "dets", "ptb64"]
FORMATS: tuple[Format, ...] = get_args(Format)

Packed = NDArray[np.uint8]
"""Shots as uint8 [shots, ceil(width / 8)]: bit 0 of byte 0 is the first, and the bits that fill the last byte are 0."""

GROUP = 64
"""Files of ptb64 hold whole groups of so many shots."""

_PIECE_BYTES = 1 << 20
"""About so much is read of a file at a time, or made of it."""


def read(file: BinaryIO, format: Format, detectors: int, observables: int) -> Iterator[Packed]:
    """Yield the shots of a file, piece by piece, each shot its detection events and then its observable flips.

    Raises
    ------
    CascadeError
        When the damaged place is reached, if anything does not fit the format and the width.
    """
    width = detectors + observables
    match format:
        case "b8":
            return _b8(file, width)
        case "ptb64":
            return _ptb64(file, width)
        case "r8":
            return _r8(file, width)
        case _:
            return _text(file, format, detectors, observables)


def encoded(observables: NDArray[np.bool_], format: Format) -> bytes:
    """The bytes that a file has for observable flips, bool [shots, k]; those of its parts, joined, make the file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "shots")
        stim.write_shot_data_file(data=observables, path=path, format=format, num_observables=observables.shape[1])
        return path.read_bytes()


def _records(file: BinaryIO, size: int, shots: int, expected: str) -> Iterator[bytes]:
    """Pieces of whole records: `size` bytes, for so many shots."""
    before = 0
    while piece := file.read(size * max(1, _PIECE_BYTES // size)):
        before += len(piece) // size * shots
        if extra := len(piece) % size:
            raise CascadeError(f"expected {size} bytes {expected}, found {extra} more bytes after {before} whole shots")
        yield piece


def _b8(file: BinaryIO, width: int) -> Iterator[Packed]:
    size = -(-width // 8)
    before = 0
    for piece in _records(file, size, 1, f"a shot ({width} bits)"):
        rows = np.frombuffer(piece, np.uint8).reshape(-1, size)
        last = np.unpackbits(rows[:, -1:], axis=1, bitorder="little")
        padded = last[:, width - 8 * (size - 1) :].any(axis=1)
        if padded.any():
            raise CascadeError(
                f"expected {width} bits a shot and zeros up to the next byte, found more bits set in "
                f"shot {before + int(padded.argmax())}"
            )
        yield rows
        before += len(rows)


def _ptb64(file: BinaryIO, width: int) -> Iterator[Packed]:
    """Groups of 64 shots, transposed: for each bit of a shot, eight bytes hold it for the 64 shots."""
    for piece in _records(file, 8 * width, GROUP, f"for every {GROUP} shots ({width} bits a shot)"):
        groups = np.unpackbits(np.frombuffer(piece, np.uint8).reshape(-1, width, 8), axis=2, bitorder="little")
        yield packed(groups.transpose(0, 2, 1).reshape(-1, width).view(np.bool_))


def _r8(file: BinaryIO, width: int) -> Iterator[Packed]:
    """Run lengths: each byte counts zeros before a one (255: zeros only); every shot ends in one extra one.

    With that extra one as its last bit a shot is ``width + 1`` bits of an unbroken stream, so a file is
    sound exactly when every such record ends in a one.
    """
    record = width + 1
    before = 0
    position = 0  # bits of the stream since the start of the first unfinished shot
    ones = np.zeros(0, np.int64)
    while piece := file.read(_PIECE_BYTES // 64):
        runs = np.frombuffer(piece, np.uint8)
        ends = position + np.cumsum(np.where(runs == 255, 255, runs + np.int64(1)))
        ones = np.concatenate([ones, ends[runs != 255] - 1])
        whole, position = divmod(int(ends[-1]), record)
        done = np.searchsorted(ones, whole * record)
        bits = np.zeros((whole, record), np.bool_)
        bits.ravel()[ones[:done]] = True
        if not bits[:, width].all():
            raise CascadeError(
                f"expected run lengths that add up to {width} bits a shot, found a longer run in "
                f"shot {before + int(bits[:, width].argmin())}"
            )
        yield packed(bits[:, :width])
        before += whole
        ones = ones[done:] - whole * record
    if position:
        raise CascadeError(
            f"expected run lengths that add up to {width} bits a shot, "
            f"found the end of the file {position} bits into shot {before}"
        )


def _text(file: BinaryIO, format: Format, detectors: int, observables: int) -> Iterator[Packed]:
    width = detectors + observables
    # The smaller pieces bound the rows that lines of a few characters make; still smaller ones take Stim longer.
    size = 1 << 19 if format == "01" else 1 << 16
    with tempfile.TemporaryDirectory() as folder:
        parse = partial(_by_stim, Path(folder, "shots"), format, detectors, observables)
        for before, lines in _lines(file, size, longest=16 + 12 * width):
            rows = _plain_01(lines, width) if format == "01" else None
            if rows is None:
                try:
                    rows = parse(lines)
                except CascadeError as error:
                    raise _located(error, lines, parse, before + 1) from None
            yield rows


def _lines(file: BinaryIO, size: int, longest: int) -> Iterator[tuple[int, bytes]]:
    """Whole lines in pieces of about `size` bytes, with the number of lines before.

    No more is held of a line that is longer than `longest` characters.
    """
    before = 0
    rest = b""
    while read := file.read(size):
        lines, newline, rest = (rest + read).rpartition(b"\n")
        if newline:
            yield before, lines + newline
            before += lines.count(b"\n") + 1
        if len(rest) > longest:
            raise CascadeError(
                f"expected at most {longest} characters a line, found more in line {before + 1}: {_quoted(rest)}"
            )
    if rest:
        raise CascadeError(
            f"expected a newline at the end, found the end of the file in line {before + 1}: {_quoted(rest)}"
        )


def _plain_01(lines: bytes, width: int) -> Packed | None:
    """The shots of lines that have `width` characters 0 or 1 and a bare newline each; None of any others."""
    characters = np.frombuffer(lines, np.uint8)
    if len(characters) % (width + 1):
        return None
    table = characters.reshape(-1, width + 1)
    if (table[:, width] != ord("\n")).any() or (table[:, :width] & 0xFE != ord("0")).any():
        return None
    return packed(table[:, :width] == ord("1"))


def _by_stim(scratch: Path, format: Format, detectors: int, observables: int, lines: bytes) -> Packed:
    scratch.write_bytes(lines)
    try:
        rows = stim.read_shot_data_file(
            path=scratch, format=format, num_detectors=detectors, num_observables=observables, bit_packed=True
        )
    except (ValueError, RuntimeError) as error:  # RuntimeError: a number of too many digits
        raise CascadeError(" ".join(str(error).split()).removesuffix(".")) from None
    if format != "01":
        characters = np.frombuffer(lines, np.uint8)
        digits = (characters >= ord("0")) & (characters <= ord("9"))
        if 2 * int.from_bytes(rows.tobytes()).bit_count() != np.count_nonzero(digits[1:] != digits[:-1]) + digits[0]:
            raise CascadeError("expected each index once, found one repeated")
    return rows


def _located(error: CascadeError, text: bytes, parse: Callable[[bytes], Packed], number: int) -> CascadeError:
    """The error with the first line that cannot be read, found by halving; the text starts with line `number`."""
    lines = text.split(b"\n")[:-1]
    while len(lines) > 1:
        half = len(lines) // 2
        try:
            parse(b"\n".join([*lines[:half], b""]))
        except CascadeError as earlier:
            error, lines = earlier, lines[:half]
        else:
            number, lines = number + half, lines[half:]
    return CascadeError(f"{error}; found in line {number}: {_quoted(lines[0])}")


def _quoted(line: bytes) -> str:
    return ascii((line if len(line) <= 40 else line[:40] + b"...").decode("latin-1"))
