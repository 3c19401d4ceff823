"""One process at a time trains in a folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cascade_qec.errors import CascadeError

try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None

_held: set[Path] = set()


@contextmanager
def run_lock(folder: Path) -> Iterator[None]:
    """Keep other processes from training in a folder while the block runs.

    The system releases the lock when the process ends, however it ends; the file `lock` stays and means nothing by
    itself. A process that has the lock may ask for it again. Where the platform has no such locks, there is none.

    Parameters
    ----------
    folder : Path
        Made if it does not exist.

    Raises
    ------
    CascadeError
        If another process has the lock; its number is named.
    """
    path = folder.resolve() / "lock"
    if fcntl is None or path in _held:
        yield
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:  # not "w", which would wipe the number that the holder wrote
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise CascadeError(
                f"{folder}: another process trains in this folder, number {file.read().strip() or 'unknown'}"
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        _held.add(path)
        try:
            yield
        finally:
            _held.discard(path)
