"""Measured speeds as rows, and rows as files."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict

from cascade_qec.files import read_table
from cascade_qec.performance.table_file import put_rows
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

    @property
    def place(self) -> tuple[object, ...]:
        """What a new measurement replaces in a file: everything measured of one recipe in one way of running it."""
        return self.recipe, self.device, self.precision, self.threads


Rows = TypeVar("Rows", bound=SpeedRow)


def circumstances() -> dict[str, str]:
    """Hardware, versions and commit, as rows have them."""
    packages = ", ".join(f"{name} {version}" for name, version in versions().items())
    return {"hardware": hardware(), "versions": packages, "commit": commit() or ""}


def load_average() -> float | None:
    """Processes that wanted a core in the last minute, ourselves included; None where the system does not tell."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else None


def write_rows(rows: Sequence[Rows], path: Path) -> None:
    """Put rows into a CSV file, in place of those of the same recipe, device, precision and threads.

    The file appears whole or not at all; folders on the way to it are made.

    Raises
    ------
    CascadeError
        If there are no rows, the file cannot be written, or stands there already with other columns.
    """
    put_rows(rows, path, place=lambda row: row.place)


def read_rows(path: Path, kind: type[Rows]) -> list[Rows]:
    """Read back what `write_rows` wrote.

    Raises
    ------
    CascadeError
        If the file cannot be read, or a row lacks a column or has a value that is none of its type.
    """
    return read_table(path, kind)
