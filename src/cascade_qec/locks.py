"""Locks of open files, which the system releases when the process that has one ends, however it ends."""

from typing import IO, Any

try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None


def take_lock(file: IO[Any]) -> bool | None:
    """Take the lock of an open file, without waiting; it is released when the file is closed.

    Returns
    -------
    bool or None
        Whether this process has it now; False if another one has. None where the system or the folder has no locks.
    """
    if fcntl is None:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True
