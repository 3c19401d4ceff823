"""The audit log of a run: an SQLite file to which entries are added, and that is all that can be done with it."""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from cascade_qec.errors import CascadeError

FILE = "log.sqlite"
NOTE = "note"
"""The kind of entries that nothing depends on."""

_TABLE = """
CREATE TABLE IF NOT EXISTS entries (
    number INTEGER PRIMARY KEY, time TEXT NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL, digest TEXT NOT NULL);
CREATE TRIGGER IF NOT EXISTS no_change BEFORE UPDATE ON entries
    BEGIN SELECT RAISE(ABORT, 'entries are not changed'); END;
CREATE TRIGGER IF NOT EXISTS no_removal BEFORE DELETE ON entries
    BEGIN SELECT RAISE(ABORT, 'entries are not removed'); END;
"""


@dataclass(frozen=True)
class Entry:
    """One thing that happened.

    Attributes
    ----------
    number
        From 1 on, without gaps.
    time
        Of the clock on the wall, UTC, ISO 8601.
    kind
        "begin", "propose", "measure", "decide", "note", "resume" or "end".
    body
        What and why; null stands for numbers that are not finite.
    digest
        SHA-256 of the entry and the digest before: whoever changes an entry has to change all that follow.
    """

    number: int
    time: str
    kind: str
    body: Mapping[str, Any]
    digest: str


class Log:
    """The entries of one run.

    Parameters
    ----------
    path
        Of the file; None keeps the entries in memory.

    Raises
    ------
    CascadeError
        If the file cannot be opened, or is no such log.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        try:
            # a page may show what another thread adds; each call is one transaction
            self._connection = sqlite3.connect(path or ":memory:", isolation_level=None, check_same_thread=False)
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.executescript(_TABLE)
            found = self._connection.execute("SELECT digest FROM entries ORDER BY number DESC LIMIT 1").fetchone()
        except sqlite3.Error as error:
            raise CascadeError(f"{path}: expected the log of a run: {error}") from error
        self._digest: str = found[0] if found else ""

    def append(self, kind: str, body: Mapping[str, Any]) -> Entry:
        """Add an entry; when this returns, it is on the disk.

        Raises
        ------
        CascadeError
            If it cannot be written.
        """
        text = json.dumps(_finite(body), ensure_ascii=False, allow_nan=False)
        time = datetime.now(UTC).isoformat(timespec="milliseconds")
        digest = _digest(self._digest, time, kind, text)
        try:
            added = self._connection.execute(
                "INSERT INTO entries (time, kind, body, digest) VALUES (?, ?, ?, ?)", (time, kind, text, digest)
            )
        except sqlite3.Error as error:
            raise CascadeError(f"{self._path}: cannot be written: {error}") from error
        self._digest = digest
        return Entry(int(added.lastrowid or 0), time, kind, json.loads(text), digest)

    def entries(self, after: int = 0) -> Iterator[Entry]:
        """Entries whose number is larger, in order."""
        query = "SELECT number, time, kind, body, digest FROM entries WHERE number > ? ORDER BY number"
        for number, time, kind, body, digest in self._connection.execute(query, (after,)).fetchall():
            yield Entry(number, time, kind, json.loads(body), digest)

    def verify(self) -> None:
        """Check that no entry was changed, removed or put in between.

        Raises
        ------
        CascadeError
            If one was.
        """
        before = ""
        rows = self._connection.execute("SELECT number, time, kind, body, digest FROM entries ORDER BY number")
        for expected, (number, time, kind, body, digest) in enumerate(rows, start=1):
            before = _digest(before, time, kind, body)
            if number != expected or digest != before:
                raise CascadeError(f"{self._path}: entry {expected} is not as it was written")

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


def read_log(folder: Path) -> list[Entry]:
    """The entries of a run in a folder, checked; the run may still be going on.

    Raises
    ------
    CascadeError
        If there is none, or entries are not as they were written.
    """
    path = folder / FILE
    if not path.is_file():
        raise CascadeError(f"{folder}: expected the folder of a run, found no {FILE}")
    with closing(Log(path)) as log:
        log.verify()
        return list(log.entries())


def _finite(value: Any) -> Any:
    """With null for numbers that JSON does not have: evidence may be infinite."""
    if isinstance(value, Mapping):
        return {name: _finite(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return value if not isinstance(value, float) or math.isfinite(value) else None


def _digest(before: str, *parts: str) -> str:
    return sha256("\n".join((before, *parts)).encode()).hexdigest()
