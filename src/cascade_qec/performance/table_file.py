"""Rows of any kind in a CSV file, new ones in place of old."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from pathlib import Path

from cascade_qec.errors import CascadeError
from cascade_qec.files import Model, read_table, write_table


def put_rows(rows: Sequence[Model], path: Path, *, place: Callable[[Model], Hashable]) -> None:
    """Put rows into a CSV file in place of those that have the same place; others stay.

    The file appears whole or not at all; folders on the way to it are made. None is written as an empty field.

    Raises
    ------
    CascadeError
        If there are no rows, the file cannot be written, or stands there already with other columns.
    """
    if not rows:
        raise CascadeError(f"{path}: expected at least one row to write, got none")
    replaced = {place(row) for row in rows}
    kept = [row for row in read_table(path, type(rows[0])) if place(row) not in replaced] if path.exists() else []
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CascadeError(f"{path}: cannot be written: {error.strerror}") from error
    write_table(path, list(type(rows[0]).model_fields), (row.model_dump() for row in [*kept, *rows]))
