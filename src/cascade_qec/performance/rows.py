"""Measured speeds as rows, and rows as files."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from cascade_qec.errors import CascadeError
from cascade_qec.files import written_whole
from cascade_qec.provenance import commit, hardware, versions


class SpeedRow(BaseModel):
    """What every measured speed says of its circumstances.

    Attributes
    ----------
    recipe, variant : str
        What was run, and how it was written.
    device, precision : str
    threads : int
        CPU threads.
    hardware, versions, commit : str
        Machine, packages and checkout; the last is empty for an installed package.
    """

    model_config = ConfigDict(frozen=True)

    recipe: str
    variant: str
    device: str
    precision: str
    threads: int
    hardware: str
    versions: str
    commit: str

    @field_validator("*", mode="before")
    @classmethod
    def _empty_is_none(cls, value: object, info) -> object:
        """A column that has no value is empty in a file."""
        is_text = cls.model_fields[info.field_name].annotation is str
        return None if value == "" and not is_text else value

    @property
    def place(self) -> tuple[object, ...]:
        """What a new measurement replaces in a file: everything measured of one recipe in one way of running it."""
        return self.recipe, self.device, self.precision, self.threads


Rows = TypeVar("Rows", bound=SpeedRow)


def circumstances() -> dict[str, str]:
    """Hardware, versions and commit, as rows have them."""
    packages = ", ".join(f"{name} {version}" for name, version in versions().items())
    return {"hardware": hardware(), "versions": packages, "commit": commit() or ""}


def write_rows(rows: Sequence[Rows], path: Path) -> None:
    """Put rows into a CSV file, in place of those of the same recipe, device, precision and threads.

    The file appears whole or not at all; folders on the way to it are made.

    Raises
    ------
    CascadeError
        If there are no rows, the file cannot be written, or stands there already with other columns.
    """
    if not rows:
        raise CascadeError(f"{path}: expected at least one row to write, got none")
    replaced = {row.place for row in rows}
    kept = [row for row in read_rows(path, type(rows[0])) if row.place not in replaced] if path.exists() else []
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(type(rows[0]).model_fields), lineterminator="\n")
    writer.writeheader()
    writer.writerows(row.model_dump() for row in [*kept, *rows])
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(path) as file:
        file.write(text.getvalue().encode())


def read_rows(path: Path, kind: type[Rows]) -> list[Rows]:
    """Read back what `write_rows` wrote.

    Raises
    ------
    CascadeError
        If the file cannot be read, or a row lacks a column or has a value that is none of its type.
    """
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise CascadeError(f"{path}: cannot be read: {error}") from error
    rows = []
    for number, record in enumerate(csv.DictReader(io.StringIO(text)), start=2):
        try:
            rows.append(kind.model_validate(record))
        except ValidationError as error:
            problem = error.errors()[0]
            column = ".".join(str(part) for part in problem["loc"])
            raise CascadeError(f"{path}, line {number}, column {column}: {problem['msg']}") from error
    return rows
