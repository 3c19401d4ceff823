"""Output files that exist whole or not at all."""

import csv
import io
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from cascade_qec.errors import CascadeError


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
