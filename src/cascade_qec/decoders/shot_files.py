"""Files of shots in Stim's result formats, read and written in bounded memory."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cascade_qec.decoders.shot_bytes import Bits
from cascade_qec.decoders.shot_formats import READERS, WRITERS
from cascade_qec.errors import CascadeError
from cascade_qec.files import written_whole


def guess_format(path: Path, flag: str) -> str:
    """The format that the file's ending names (``shots.b8``: b8).

    `flag` is the command-line flag to suggest in the error when the ending names none.
    """
    ending = path.suffix.removeprefix(".")
    if ending not in READERS:
        raise CascadeError(f"{path}: the ending names no format: expected {flag} among {', '.join(READERS)}")
    return ending


@dataclass(frozen=True)
class ShotFile:
    """A file of shots to read.

    Parameters
    ----------
    path
        The file.
    format
        One of Stim's formats: 01, b8, r8, hits, dets, ptb64.
    detectors
        Detection events in each shot, the first columns.
    observables
        Observable flips in each shot, the columns after them.
    """

    path: Path
    format: str
    detectors: int
    observables: int = 0

    def __post_init__(self) -> None:
        if self.format not in READERS:
            raise CascadeError(
                f"{self.path}: expected a format to read among {', '.join(READERS)}, got '{self.format}'"
            )
        if self.detectors + self.observables == 0:
            raise CascadeError(f"{self.path}: expected shots of at least one bit, got no detectors and observables")
        if not self.path.is_file():
            raise CascadeError(f"{self.path}: expected a file of shots, found {self._what_is_there()}")

    def _what_is_there(self) -> str:
        if self.path.is_dir():
            return "a directory"
        # A pipe cannot be checked before it is decoded, as that takes reading it twice.
        return "something else (a pipe or device)" if self.path.exists() else "nothing of that name"

    def count(self) -> int:
        """Read the file from end to end and return the number of shots in it.

        Raises
        ------
        CascadeError
            If anything in it does not fit the format and the width, naming file, expected and found.
        """
        return sum(len(piece) for piece in self._pieces())

    def batches(self, size: int) -> Iterator[Bits]:
        """Yield the shots as bool [size, detectors + observables]; the last batch may be smaller.

        Raises
        ------
        CascadeError
            As `count`, when the damaged place is reached.
        """
        return _rebatched(self._pieces(), size)

    def _pieces(self) -> Iterator[Bits]:
        try:
            with self.path.open("rb") as file:
                yield from READERS[self.format](file, self.detectors, self.observables)
        except CascadeError as error:
            contents = f"{self.detectors} detectors and {self.observables} observables a shot"
            raise CascadeError(f"{self.path} ({self.format}, {contents}): {error}") from None
        except OSError as error:
            raise CascadeError(f"{self.path}: cannot be read: {error.strerror}") from error


def _rebatched(pieces: Iterable[Bits], size: int) -> Iterator[Bits]:
    """The same rows in arrays of `size`, the last one possibly smaller."""
    waiting: list[Bits] = []
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
def observables_writer(path: Path, format: str) -> Iterator[Callable[[Bits], int]]:
    """Give a function that appends predicted observables, bool [shots, k], to the file that `path` will be.

    The file appears under its name when the block ends without an exception, and not at all otherwise. In ptb64
    whole groups of 64 shots are to be appended.

    Raises
    ------
    CascadeError
        Before the block is entered, if there is no such format or no file can be made there.
    """
    if format not in WRITERS:
        raise CascadeError(f"{path}: expected a format to write among {', '.join(WRITERS)}, got '{format}'")
    encode = WRITERS[format]
    with written_whole(path) as file:
        yield lambda observables: file.write(encode(observables))
