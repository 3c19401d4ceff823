"""Files: written whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from cascade_qec.errors import CascadeError


@contextmanager
def written_whole(path: Path) -> Iterator[BinaryIO]:
    """Open a binary file that takes its name `path` only when the block ends without an exception.

    Until then it has a temporary name in the same directory; whatever goes wrong, that file is removed and
    what stood at `path` before stays.

    Raises
    ------
    CascadeError
        If `path` is a directory, or a file cannot be made beside it.
    """
    if path.is_dir():
        raise CascadeError(f"{path}: expected the name of a file to write, found a directory")
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        file = temporary.open("wb")
    except OSError as error:
        raise CascadeError(f"{path}: cannot be written: {error.strerror}") from error
    try:
        with file:
            yield file
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def check_folder(path: Path) -> None:
    """Find out, before there is anything to write, whether a folder could be written to, and made if need be.

    Raises
    ------
    CascadeError
        If not.
    """
    there = next(part for part in (path.absolute(), *path.absolute().parents) if part.exists())
    if not there.is_dir():
        raise CascadeError(f"{path}: expected a folder to write to, found the file {there}")
    if not os.access(there, os.W_OK):
        raise CascadeError(f"{path}: expected a folder to write to, found no right to write to {there}")
