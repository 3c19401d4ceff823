"""Files: written whole or not at all, and tables as rows that are checked."""

import csv
import io
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TypeVar

from pydantic import BaseModel, ValidationError

from cascade_qec.errors import CascadeError

Model = TypeVar("Model", bound=BaseModel)


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


def write_table(path: Path, columns: Sequence[str], records: Iterable[Mapping[str, object]]) -> None:
    """Write records as a CSV file with a header; None is an empty field.

    Raises
    ------
    CascadeError
        If the file cannot be written.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    with written_whole(path) as file:
        file.write(text.getvalue().encode())


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


def read_table(path: Path, kind: type[Model]) -> list[Model]:
    """Read the rows of a CSV file; an empty field of a column that is no text is None.

    Parameters
    ----------
    path
        With a header, as :func:`write_table` writes it.
    kind
        What the rows are. Whether they may have further columns is for its configuration to say.

    Raises
    ------
    CascadeError
        If the file cannot be read, or a row lacks a column, has more fields than the header, or a value that is
        none of its type.
    """
    texts = {name for name, field in kind.model_fields.items() if field.annotation is str}
    rows = []
    for number, record in enumerate(csv.DictReader(io.StringIO(_text(path))), start=2):
        if None in record:
            raise CascadeError(f"{path}, line {number}: expected as many fields as the header has, got more")
        fields = {name: None if value == "" and name not in texts else value for name, value in record.items()}
        try:
            rows.append(kind.model_validate(fields))
        except ValidationError as error:
            problem = error.errors()[0]
            column = ".".join(str(part) for part in problem["loc"])
            where = f"line {number}" + (f", column {column}" if column else "")
            raise CascadeError(f"{path}, {where}: {problem['msg']}") from error
    return rows


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise CascadeError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise CascadeError(f"{path}: cannot be read: expected a CSV file, found bytes that are no text") from error
