"""Rows of any kind in a CSV file, new ones in place of old."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Hashable, Sequence
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from cascade_qec.errors import CascadeError
from cascade_qec.files import write_table

Model = TypeVar("Model", bound=BaseModel)


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
    kept = [row for row in get_rows(path, type(rows[0])) if place(row) not in replaced] if path.exists() else []
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CascadeError(f"{path}: cannot be written: {error.strerror}") from error
    write_table(path, list(type(rows[0]).model_fields), (row.model_dump() for row in [*kept, *rows]))


def get_rows(path: Path, kind: type[Model]) -> list[Model]:
    """Read back what `put_rows` wrote; an empty field of a column that is no text is None.

    Raises
    ------
    CascadeError
        If the file cannot be read, or a row lacks a column, has one too many, or a value that is none of its type.
    """
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise CascadeError(f"{path}: cannot be read: {error}") from error
    rows = []
    for number, record in enumerate(csv.DictReader(io.StringIO(text)), start=2):
        fields = {
            name: None
            if value == "" and name in kind.model_fields and kind.model_fields[name].annotation is not str
            else value
            for name, value in record.items()
        }
        try:
            rows.append(kind.model_validate(fields))
        except ValidationError as error:
            problem = error.errors()[0]
            column = ".".join(str(part) for part in problem["loc"])
            raise CascadeError(f"{path}, line {number}, column {column}: {problem['msg']}") from error
    return rows
