"""Bits of shots to bytes and back: Stim's binary formats b8, r8 and ptb64."""

from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from cascade_qec.errors import CascadeError

Bits = NDArray[np.bool_]

PIECE_BITS = 1 << 22
"""About so many bits of a file are held at a time."""

PTB64_GROUP = 64
"""Files of ptb64 hold whole groups of so many shots."""


def read_b8(file: BinaryIO, detectors: int, observables: int) -> Iterator[Bits]:
    """Bytes of eight bits, least significant first, each shot padded with zeros to whole bytes."""
    width = detectors + observables
    size = -(-width // 8)
    shots = 0
    while block := file.read(size * max(1, PIECE_BITS // (8 * size))):
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
    while block := file.read(size * max(1, PIECE_BITS // (8 * size))):
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
    while block := file.read(PIECE_BITS // 256):
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


def write_b8(bits: Bits) -> bytes:
    """The bytes of b8 for `bits`, bool [shots, width]."""
    return np.packbits(bits, axis=1, bitorder="little").tobytes()


def write_ptb64(bits: Bits) -> bytes:
    """The bytes of ptb64 for `bits`, bool [shots, width], of whole groups of 64 shots."""
    groups = bits.reshape(-1, PTB64_GROUP, bits.shape[1])
    return np.packbits(groups, axis=1, bitorder="little").transpose(0, 2, 1).tobytes()


def write_r8(bits: Bits) -> bytes:
    """The bytes of r8 for `bits`, bool [shots, width]."""
    stream = np.ones((bits.shape[0], bits.shape[1] + 1), np.bool_)
    stream[:, :-1] = bits
    zeros_before = np.diff(np.flatnonzero(stream), prepend=-1) - 1
    last_bytes = np.cumsum(zeros_before // 255 + 1) - 1
    runs = np.full(int(last_bytes[-1]) + 1 if len(last_bytes) else 0, 255, np.uint8)
    runs[last_bytes] = zeros_before % 255
    return runs.tobytes()
