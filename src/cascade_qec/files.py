"""Files: written whole or not at all; devices, pipes and standard output as they are."""

import errno
import io
import os
import re
import secrets
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from cascade_qec.errors import CascadeError
from cascade_qec.locks import take_lock

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

STANDARD = Path("-")
"""In the place of a file: standard input, or standard output."""

_BUFFER = 1 << 15
"""Bytes that small pieces are gathered to; larger ones, as whole batches are, go out without being copied."""


@contextmanager
def written_whole(path: Path) -> Iterator[BinaryIO]:
    """Open a binary file that takes its name `path` only when the block ends without an exception.

    Until then it has a temporary name in the same folder; whatever goes wrong, that file is removed and what stood at
    `path` before stays. What a killed process left of the same file is removed as well. A link stays, and the file that
    it leads to is replaced; a replaced file's permissions and owner stay. Devices, pipes and standard output ("-") are
    written to as it goes.

    Raises
    ------
    CascadeError
        If `path` is a folder or cannot be written, now or later.
    """
    if path.is_dir():
        raise CascadeError(f"{path}: expected the name of a file to write, found a directory")
    with _in_place(path) if written_in_place(path) else _renamed(path) as file:
        yield file


def written_in_place(path: Path) -> bool:
    """Whether what is written goes to `path` as it comes: to a device, a pipe, or standard output ("-")."""
    return path == STANDARD or (path.exists() and not path.is_file())


def check_distinct(inputs: Iterable[Path | None], outputs: Iterable[Path | None]) -> None:
    """Refuse to read or write one file twice; devices such as /dev/null may be named any number of times.

    What is read from standard input may be written to standard output.

    Raises
    ------
    CascadeError
        If a file is named twice, under whatever names.
    """
    seen: set[object] = set()
    for place, paths in (("input", inputs), ("output", outputs)):
        for path in filter(None, paths):
            if path == STANDARD:
                file: object = place
            elif path.is_char_device():
                continue
            elif path.exists():
                there = path.stat()
                file = (there.st_dev, there.st_ino)
            else:
                file = os.path.realpath(path)
            if file in seen:
                raise CascadeError(f"{path}: expected a file of its own for each input and output, got it twice")
            seen.add(file)


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


@contextmanager
def _in_place(path: Path) -> Iterator[BinaryIO]:
    if path == STANDARD:
        sys.stdout.flush()
        raw = _Named(cast("io.RawIOBase", sys.stdout.buffer), "standard output", close=False)
    else:
        with _told(path):
            raw = _Named(path.open("wb", buffering=0), str(path))
    with io.BufferedWriter(raw, _BUFFER) as file:
        yield cast("BinaryIO", file)


@contextmanager
def _renamed(path: Path) -> Iterator[BinaryIO]:
    target = Path(os.path.realpath(path))
    with _told(path):
        if target.exists() and not os.access(target, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        _remove_leftovers(target)
    temporaries: list[Path] = []
    try:
        with _told(path):
            opened = _temporary(target, temporaries)
        # A second handle keeps the lock until the file has its name: the first one is closed before.
        with os.fdopen(os.dup(opened.fileno()), "wb", buffering=0):
            with io.BufferedWriter(_Named(opened, str(path)), _BUFFER) as file:
                yield cast("BinaryIO", file)
            with _told(path):
                _like(target, temporaries[-1])
                temporaries[-1].replace(target)
    except BaseException:
        for temporary in temporaries:
            with suppress(OSError):  # it may not have been made yet
                temporary.unlink()
        raise


def _temporary(target: Path, names: list[Path]) -> io.FileIO:
    """A new file beside `target`, locked while it is open, so that others tell it from a leftover.

    Its name, the last of `names`, is there before the file is: whenever an interrupt comes, it can be removed.
    """
    while True:
        names.append(target.with_name(f".{target.name}.{secrets.token_hex(4)}.part"))
        opened = names[-1].open("xb", buffering=0)
        if take_lock(opened) is not False and names[-1].exists():
            return opened
        opened.close()  # another process took it for a leftover, in the moment before it was locked


def _remove_leftovers(target: Path) -> None:
    """Remove what processes that were killed left beside `target`: temporary files of it that nobody has locked."""
    name = re.compile(rf"\.{re.escape(target.name)}\.[0-9a-f]{{8}}\.part")
    for found in [entry for entry in os.scandir(target.parent) if name.fullmatch(entry.name)]:
        with suppress(OSError), open(found, "r+b") as file:  # of another user, or just now gone
            if take_lock(file):
                os.unlink(found)


def _like(before: Path, after: Path) -> None:
    """Give a file the owner and the permissions of the one it replaces, if there is one."""
    with suppress(FileNotFoundError):
        owner = before.stat()
        with suppress(OSError, AttributeError):  # not one's own to give, or not on this system
            os.chown(after, owner.st_uid, owner.st_gid)
        shutil.copymode(before, after)


class _Named(io.RawIOBase):
    """An open file whose errors name it."""

    def __init__(self, file: io.RawIOBase, name: str, *, close: bool = True) -> None:
        self._file, self._name, self._close = file, name, close

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self._file.seekable()

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        return self._file.seek(offset, whence)

    def write(self, data: "WriteableBuffer", /) -> int | None:
        with _told(self._name):
            return self._file.write(data)

    def close(self) -> None:
        if not self.closed:
            with _told(self._name):
                self._file.close() if self._close else self._file.flush()
        super().close()


@contextmanager
def _told(path: Path | str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise CascadeError(f"{path}: cannot be written: {error.strerror}") from error
