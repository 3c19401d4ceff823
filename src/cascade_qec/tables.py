"""CSV tables, declared once: a pydantic model says what a row is, for those who write a table and those who read it.

An :class:`Interval` in a row is three columns of the file: NAME, NAME_low and NAME_high; empty ones are None. Computed
fields of a row are written for readers elsewhere, and computed again, not read, here.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from html import escape
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from cascade_qec.errors import CascadeError
from cascade_qec.files import written_in_place, written_whole
from cascade_qec.provenance import commit, hardware, versions

Row = TypeVar("Row", bound=BaseModel)

_ENDS = ("value", "low", "high")


class Circumstances(BaseModel):
    """What rows of measurements say of their circumstances; these columns come last.

    Attributes
    ----------
    hardware, versions, commit : str
        Machine, packages and checkout; the last is empty for an installed package.
    """

    model_config = ConfigDict(frozen=True)

    hardware: str
    versions: str
    commit: str


def circumstances() -> dict[str, str]:
    """Hardware, versions and commit of this process, as :class:`Circumstances` have them."""
    packages = ", ".join(f"{name} {version}" for name, version in versions().items())
    return {"hardware": hardware(), "versions": packages, "commit": commit() or ""}


def as_html(caption: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table for notebooks. Without a head, the first cell of each row is its title."""
    left = " style='text-align:left'"
    titles = "".join(f"<th{left}>{escape(title)}</th>" for title in head)

    def row(cells: Sequence[object]) -> str:
        first, *others = [escape(str(cell)) for cell in cells]
        tag = "td" if head else "th"
        return f"<tr><{tag}{left}>{first}</{tag}>{''.join(f'<td{left}>{other}</td>' for other in others)}</tr>"

    above = f"<tr>{titles}</tr>" if head else ""
    return f"<table><caption>{escape(caption)}</caption>{above}{''.join(map(row, rows))}</table>"


def columns(kind: type[BaseModel], *, needed: bool = False) -> list[str]:
    """Names of the columns of a table of such rows; or of those only without which it cannot be read."""
    required = {name for name, field in kind.model_fields.items() if field.is_required()}
    return [
        column
        for name, annotation in _fields(kind).items()
        if not needed or name in required
        for column in _columns(name, annotation)
    ]


def write_rows(path: Path, rows: Sequence[BaseModel]) -> None:
    """Write rows of one kind as a CSV file with a header; None is an empty field.

    The file appears whole or not at all.

    Raises
    ------
    CascadeError
        If there are no rows or the file cannot be written.
    """
    if not rows:
        raise CascadeError(f"{path}: expected at least one row to write, got none")
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=columns(type(rows[0])), lineterminator="\n")
    writer.writeheader()
    writer.writerows(map(_record, rows))
    with written_whole(path) as file:
        file.write(text.getvalue().encode())


def put_rows(path: Path, rows: Sequence[Row], *, place: Callable[[Row], Hashable]) -> None:
    """Put rows into a CSV file in place of those that have the same place; others stay.

    The file appears whole or not at all; folders on the way to it are made. Devices, pipes and standard output
    ("-") get the new rows.

    Raises
    ------
    CascadeError
        If there are no rows, the file cannot be written, or stands there already with other columns.
    """
    if not rows:
        raise CascadeError(f"{path}: expected at least one row to write, got none")
    if written_in_place(path):
        write_rows(path, rows)
        return
    kept: list[Row] = []
    if path.exists():
        kind, replaced = type(rows[0]), {place(row) for row in rows}
        unknown = [name for name in read_header(path) if name not in columns(kind)]
        if unknown:
            raise CascadeError(f"{path}: expected the columns {', '.join(columns(kind))}; found {', '.join(unknown)}")
        kept = [row for row in read_rows(path, kind) if place(row) not in replaced]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CascadeError(f"{path}: cannot be written: {error.strerror}") from error
    write_rows(path, [*kept, *rows])


def read_rows(path: Path, kind: type[Row]) -> list[Row]:
    """Read the rows of a CSV file; an empty field of a column that is no text is None.

    Parameters
    ----------
    path
        With a header. Further columns may stand beside those of the rows, unless ``kind`` forbids extra fields.
    kind
        What the rows are. Fields with a default value need no column.

    Raises
    ------
    CascadeError
        If the file cannot be read or lacks a column, or a row has more fields than the header or a value that is
        none of its type.
    """
    header, needed = read_header(path), columns(kind, needed=True)
    missing = [column for column in needed if column not in header]
    if missing:
        raise CascadeError(
            f"{path}: expected the columns {', '.join(needed)}; {', '.join(missing)} missing from {', '.join(header)}"
        )
    lines = csv.reader(io.StringIO(_text(path)))
    next(lines)  # the header
    rows = []
    for values in lines:
        if not values:
            continue
        where = f"{path}, line {lines.line_num}"
        if len(values) > len(header):
            raise CascadeError(f"{where}: expected as many fields as the header has, got more")
        try:
            rows.append(kind.model_validate(_read_fields(kind, dict(zip(header, values, strict=False)))))
        except ValidationError as error:
            problem = error.errors()[0]
            column = ".".join(str(part) for part in problem["loc"])
            raise CascadeError(f"{where}{f', column {column}' if column else ''}: {problem['msg']}") from error
    return rows


def read_header(path: Path) -> list[str]:
    """Names of the columns of a CSV file, without blanks around them.

    Raises
    ------
    CascadeError
        If the file cannot be read or is empty.
    """
    names = next(csv.reader(io.StringIO(_text(path))), [])
    if not names:
        raise CascadeError(f"{path}: expected a CSV file with a header, found an empty file")
    return [name.strip() for name in names]


def _fields(kind: type[BaseModel]) -> dict[str, Any]:
    """Annotations of all fields: the row's own, those computed, and its circumstances."""
    stated = {name: field.annotation for name, field in kind.model_fields.items()}
    computed = {name: field.return_type for name, field in kind.model_computed_fields.items()}
    last = [name for name in Circumstances.model_fields if name in stated and issubclass(kind, Circumstances)]
    own = {name: annotation for name, annotation in stated.items() if name not in last}
    return own | computed | {name: stated[name] for name in last}


def _is_interval(annotation: Any) -> bool:
    kinds = get_args(annotation) or (annotation,)
    return any(is_dataclass(kind) and tuple(field.name for field in fields(kind)) == _ENDS for kind in kinds)


def _columns(name: str, annotation: Any) -> list[str]:
    return [name, f"{name}_low", f"{name}_high"] if _is_interval(annotation) else [name]


def _record(row: BaseModel) -> dict[str, object]:
    record: dict[str, object] = {}
    for name, annotation in _fields(type(row)).items():
        value = getattr(row, name)
        if _is_interval(annotation):
            ends = (None, None, None) if value is None else (getattr(value, end) for end in _ENDS)
            record |= zip(_columns(name, annotation), ends, strict=True)
        else:
            record[name] = value
    return record


def _read_fields(kind: type[BaseModel], record: Mapping[str, str]) -> dict[str, Any]:
    """A row's fields from their texts: an interval from its three columns, and nothing for what is computed."""
    stated = kind.model_fields
    found: dict[str, Any] = {
        name: None if value == "" and (name not in stated or stated[name].annotation is not str) else value
        for name, value in record.items()
    }
    for name, annotation in _fields(kind).items():
        if name not in stated:
            for column in _columns(name, annotation):
                found.pop(column, None)
        elif _is_interval(annotation) and name in found:
            ends = [found.pop(column, None) for column in _columns(name, annotation)]
            found[name] = None if ends == [None, None, None] else dict(zip(_ENDS, ends, strict=True))
    return found


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise CascadeError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise CascadeError(f"{path}: cannot be read: expected a CSV file, found bytes that are no text") from error
