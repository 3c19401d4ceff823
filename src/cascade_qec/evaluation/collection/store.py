"""Collected counts in sinter's CSV, appended row by row."""

from __future__ import annotations

import csv
import errno
import json
import os
import warnings
from contextlib import ExitStack
from io import FileIO
from pathlib import Path

import sinter

from cascade_qec.errors import CascadeError, CascadeWarning
from cascade_qec.locks import take_lock


class CollectionStore:
    """A CSV file like those of ``sinter collect``, for ``sinter combine`` and ``sinter plot``: rows of a task add up.

    Each row is written at once and at the end of the file, so that nothing is lost but what a killed process
    had not yet written. A last row that was cut short by a full disk or a power cut is removed when the file is opened
    again. Files without sinter's header are left as they are. One process at a time adds to a file; where the system
    has no locks, a `CascadeWarning` says that nobody sees to that.

    Parameters
    ----------
    path
        The file; it is made, with its folder, if it is not there.

    Raises
    ------
    CascadeError
        If the file cannot be written, is not such a CSV file, or another process adds to it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if str(path) == "-" or (path.exists() and not path.is_file()):
            raise CascadeError(f"{path}: expected a file to add rows to, which can be read again, got none")
        with ExitStack() as stack:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                self._file = stack.enter_context(path.open("a+b", buffering=0))
                self._take_lock()
                _mend(path, self._file)
            except OSError as error:
                raise CascadeError(f"{path}: cannot be written: {error.strerror}") from error
            self._totals = {stats.strong_id: stats for stats in read_store(path)}
            stack.pop_all()  # it stays open

    def __enter__(self) -> CollectionStore:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def total(self, strong_id: str) -> sinter.AnonTaskStats:
        """What there is of a task, over all its rows."""
        stats = self._totals.get(strong_id)
        return sinter.AnonTaskStats() if stats is None else stats.to_anon_stats()

    def add(self, stats: sinter.TaskStats) -> None:
        """Write a row.

        Raises
        ------
        CascadeError
            If it cannot be written; nothing of it is then in the file.
        """
        row, end = f"{stats.to_csv_line()}\n".encode(), self.path.stat().st_size
        try:
            if self._file.write(row) != len(row):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            self._file.truncate(end)
            raise CascadeError(
                f"{self.path}: cannot be written: {error.strerror}; rows before are kept, and the same command goes on"
            ) from error
        before = self._totals.get(stats.strong_id)
        self._totals[stats.strong_id] = stats if before is None else before + stats

    def _take_lock(self) -> None:
        taken = take_lock(self._file)
        if taken is False:
            raise CascadeError(f"{self.path}: another process adds rows to this file: wait, or name another file")
        if taken is None:
            message = f"{self.path}: no locks here: see to it that no other process adds rows to this file"
            warnings.warn(message, CascadeWarning, stacklevel=4)


def read_store(path: Path) -> list[sinter.TaskStats]:
    """What a CSV file of sinter's holds, one entry for each task.

    Raises
    ------
    CascadeError
        If it cannot be read or is not such a file.
    """
    try:
        return sinter.stats_from_csv_files(path)
    except OSError as error:
        raise CascadeError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, IndexError, TypeError, AssertionError, csv.Error) as error:
        why = str(error) or "fewer shots than errors"  # of which sinter's assertion says nothing
        raise CascadeError(f"{path}: expected a CSV file with sinter's columns: {why}") from error


def _mend(path: Path, file: FileIO) -> None:
    """Look whether a file is such a CSV file, then complete its header, and end its last line or take it away."""
    header = f"{sinter.CSV_HEADER}\n".encode()
    content = path.read_bytes()
    if header.startswith(content):  # nothing yet, or cut short
        file.write(header[len(content) :])
        return
    names = [name.strip() for name in content.partition(b"\n")[0].decode(errors="replace").split(",")]
    columns = [name.strip() for name in sinter.CSV_HEADER.split(",")]
    if names not in (columns, columns[:-1]):  # the last one is new
        raise CascadeError(f"{path}: expected a CSV file with sinter's columns {', '.join(columns)}, got another file")
    kept, _, last = content.rpartition(b"\n")
    if not last:
        return
    if not kept or _is_whole(last, columns=len(names)):
        file.write(b"\n")
    else:
        file.truncate(len(kept) + 1)


def _is_whole(line: bytes, columns: int) -> bool:
    try:
        fields = next(csv.reader([line.decode()], strict=True))
        return len(fields) == columns and all(json.loads(text) is not None for text in fields[6:] if text)
    except (ValueError, RecursionError, csv.Error):
        return False
