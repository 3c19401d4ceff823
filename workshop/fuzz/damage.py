"""Damage to good files: bits, lines and numbers."""

import random
import re
from collections.abc import Callable

NUMBERS = (
    *("0", "-1", "1", "2", "7", "1e-300", "1e308", "1e999", "-0.0", "nan", "NaN", "inf", "-Infinity", "0.5", "1.5"),
    *("1000000000", "1000000000000", "99999999999999999999", "4294967296", "-9223372036854775809", "", "x", "٣"),
)
"""Numbers that are too large, too small or none."""

_NUMBER = re.compile(rb"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")


def damaged(contents: bytes, draw: random.Random) -> bytes:
    """`contents` with one to three faults of any kind."""
    for _ in range(draw.choice((1, 1, 1, 2, 3))):
        contents = draw.choice(_FAULTS)(contents, draw)
    return contents


def _other_number(contents: bytes, draw: random.Random) -> bytes:
    numbers = list(_NUMBER.finditer(contents))
    if not numbers:
        return contents
    one = draw.choice(numbers)
    return contents[: one.start()] + draw.choice(NUMBERS).encode() + contents[one.end() :]


def _flipped_bit(contents: bytes, draw: random.Random) -> bytes:
    changed = bytearray(contents)
    if changed:
        changed[draw.randrange(len(changed))] ^= 1 << draw.randrange(8)
    return bytes(changed)


def _cut(contents: bytes, draw: random.Random) -> bytes:
    return contents[: draw.randrange(len(contents) + 1)]


def _inserted(contents: bytes, draw: random.Random) -> bytes:
    place = draw.randrange(len(contents) + 1)
    return contents[:place] + draw.choice((b"\0", b"\xff\xfe", b'"', b"\n", b"}", draw.randbytes(8))) + contents[place:]


def _without_a_line(contents: bytes, draw: random.Random) -> bytes:
    lines = contents.splitlines(keepends=True)
    if lines:
        del lines[draw.randrange(len(lines))]
    return b"".join(lines)


def _line_twice(contents: bytes, draw: random.Random) -> bytes:
    lines = contents.splitlines(keepends=True)
    return b"".join([*lines, draw.choice(lines)]) if lines else contents


def _other_line_ends(contents: bytes, draw: random.Random) -> bytes:
    return contents.replace(b"\n", b"\r\n")


def _swapped_words(contents: bytes, draw: random.Random) -> bytes:
    words = re.split(rb"(\W+)", contents)
    i, j = draw.randrange(len(words)), draw.randrange(len(words))
    words[i], words[j] = words[j], words[i]
    return b"".join(words)


def _nothing_but_noise(contents: bytes, draw: random.Random) -> bytes:
    return draw.randbytes(draw.choice((1, 8, 100, 10_000)))


_FAULTS: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    *(_other_number, _other_number, _other_number, _flipped_bit, _cut, _inserted),
    *(_without_a_line, _line_twice, _other_line_ends, _swapped_words, _nothing_but_noise),
)
