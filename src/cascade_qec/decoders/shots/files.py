"""Files of shots, read and written in bounded memory."""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cascade_qec.decoders.events import packed, unpacked
from cascade_qec.decoders.shots.formats import FORMATS, Format, Packed, encoded, read
from cascade_qec.errors import CascadeError
from cascade_qec.files import STANDARD, written_whole

_COMPRESSED = (".bz2", ".gz", ".xz", ".zip", ".zst")
"""Endings of files whose bytes pass for shots in b8 where the width divides their number."""


def _check_plain(path: Path) -> None:
    if path.suffix in _COMPRESSED:
        raise CascadeError(f"{path}: expected shots that are not compressed, got {path.suffix} as the file's ending")


def guess_format(path: Path, flag: str) -> Format:
    """The format that the file's ending names (``shots.b8``: b8).

    `flag` is the command-line flag to suggest in the error when the ending names none.
    """
    _check_plain(path)
    for format in FORMATS:
        if path.suffix == f".{format}":
            return format
    raise CascadeError(f"{path}: the ending names no format: expected {flag} among {', '.join(FORMATS)}")


@dataclass(frozen=True)
class ShotFile:
    """A file of shots to read.

    Parameters
    ----------
    path
        The file, which may be a pipe; "-" is standard input.
    format
        One of Stim's formats: 01, b8, r8, hits, dets, ptb64.
    detectors
        Detection events in each shot, the first columns.
    observables
        Observable flips in each shot, the columns after them.
    """

    path: Path
    format: Format
    detectors: int
    observables: int = 0

    def __post_init__(self) -> None:
        if self.format not in FORMATS:
            raise CascadeError(
                f"{self.path}: expected a format to read among {', '.join(FORMATS)}, got '{self.format}'"
            )
        if self.detectors + self.observables == 0:
            raise CascadeError(f"{self.path}: expected shots of at least one bit, got no detectors and observables")
        _check_plain(self.path)
        if self.path.is_dir():
            raise CascadeError(f"{self.path}: expected a file of shots, found a directory")
        if self.path != STANDARD and not self.path.exists():
            raise CascadeError(f"{self.path}: expected a file of shots, found nothing of that name")

    @property
    def rereadable(self) -> bool:
        """Whether it can be read more than once, as a pipe cannot."""
        return self.path != STANDARD and self.path.is_file()

    def batches(self, size: int) -> Iterator[Packed]:
        """Yield the shots as uint8 [size, ceil(width / 8)], bit-packed; the last batch may be smaller.

        Raises
        ------
        CascadeError
            When the damaged place is reached, if anything in it does not fit the format and the width, naming file,
            expected and found.
        """
        return _rebatched(self._pieces(), size)

    def events(self, batch: Packed) -> Packed:
        """The detection events of a batch, uint8 [shots, ceil(detectors / 8)], without the observable flips."""
        if not self.observables:
            return batch
        return packed(self._bits(batch)[:, : self.detectors])

    def flips(self, batch: Packed) -> NDArray[np.bool_]:
        """The observable flips of a batch, bool [shots, observables]."""
        return self._bits(batch)[:, self.detectors :]

    def _bits(self, batch: Packed) -> NDArray[np.bool_]:
        return unpacked(batch, self.detectors + self.observables)

    def _pieces(self) -> Iterator[Packed]:
        try:
            with nullcontext(sys.stdin.buffer) if self.path == STANDARD else self.path.open("rb") as file:
                yield from read(file, self.format, self.detectors, self.observables)
        except CascadeError as error:
            contents = f"{self.detectors} detectors and {self.observables} observables a shot"
            hint = ""
            if self.detectors and not self.observables and "Got L" in str(error):
                hint = " (--in_includes_appended_observables allows observable flips after the detection events)"
            raise CascadeError(f"{self.path} ({self.format}, {contents}): {error}{hint}") from None
        except OSError as error:
            raise CascadeError(f"{self.path}: cannot be read: {error.strerror}") from error


def _rebatched(pieces: Iterable[Packed], size: int) -> Iterator[Packed]:
    """The same rows in arrays of `size`, the last one possibly smaller."""
    waiting: list[Packed] = []
    rows = 0
    for piece in pieces:
        waiting.append(piece)
        rows += len(piece)
        if rows < size:
            continue
        joined = np.concatenate(waiting)
        whole = rows - rows % size
        for start in range(0, whole, size):
            yield joined[start : start + size]
        waiting = [joined[whole:]]
        rows -= whole
    if rows:
        yield np.concatenate(waiting)


@contextmanager
def observables_writer(path: Path, format: Format) -> Iterator[Callable[[NDArray[np.bool_]], int]]:
    """Give a function that appends predicted observables, bool [shots, k], to the file that `path` will be.

    A file appears under its name when the block ends without an exception, and not at all otherwise; see
    `cascade_qec.files.written_whole`. In ptb64 whole groups of 64 shots are to be appended.

    Raises
    ------
    CascadeError
        Before the block is entered, if there is no such format, the file's ending is that of compressed files, or none
        can be made there.
    """
    _check_plain(path)
    if format not in FORMATS:
        raise CascadeError(f"{path}: expected a format to write among {', '.join(FORMATS)}, got '{format}'")
    with written_whole(path) as file:
        yield lambda observables: file.write(encoded(observables, format))
