"""Collected counts in sinter's CSV, appended row by row."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import sinter

from cascade_qec.errors import CascadeError


class CollectionStore:
    """A CSV file like those of ``sinter collect``, for ``sinter combine`` and ``sinter plot``: rows of a task add up.

    Each row is written at once and at the end of the file, so that nothing is lost but what a killed process
    had not yet written, and several collections may share a file. A last row that was cut short by a full disk
    or a power cut is removed when the file is opened again.

    Parameters
    ----------
    path
        The file; it is made, with its folder, if it is not there.

    Raises
    ------
    CascadeError
        If the file cannot be written, or is not such a CSV file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
            _mend(path)
            if path.stat().st_size == 0:
                path.write_text(f"{sinter.CSV_HEADER}\n")
        except OSError as error:
            raise CascadeError(f"{path}: cannot be written: {error.strerror}") from error
        self._totals = {stats.strong_id: stats for stats in read_store(path)}
        self._file = path.open("ab", buffering=0)

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
        OSError
            If it cannot be written.
        """
        self._file.write(f"{stats.to_csv_line()}\n".encode())
        before = self._totals.get(stats.strong_id)
        self._totals[stats.strong_id] = stats if before is None else before + stats


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
    except (ValueError, KeyError, TypeError, AssertionError) as error:
        raise CascadeError(f"{path}: expected a CSV file with sinter's columns: {error}") from error


def _mend(path: Path) -> None:
    """Give the last line an end, or take it away if it is not whole."""
    content = path.read_bytes()
    if not content or content.endswith(b"\n"):
        return
    kept, _, last = content.rpartition(b"\n")
    if not kept:
        if last.decode(errors="replace") != sinter.CSV_HEADER[: len(last)]:
            raise CascadeError(f"{path}: expected a CSV file with sinter's columns, got {last[:80]!r}")
        with path.open("r+b") as file:
            file.truncate(0)
        return
    with path.open("r+b") as file:
        if _is_whole(last, columns=len(sinter.CSV_HEADER.split(","))):
            file.seek(0, io.SEEK_END)
            file.write(b"\n")
        else:
            file.truncate(len(kept) + 1)


def _is_whole(line: bytes, columns: int) -> bool:
    try:
        fields = next(csv.reader([line.decode()], strict=True))
        return len(fields) == columns and all(json.loads(text) is not None for text in fields[6:] if text)
    except (UnicodeDecodeError, csv.Error, json.JSONDecodeError):
        return False
