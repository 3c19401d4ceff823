"""CSV with a small header: `# name: value` lines, then titles with units as in `delay [us],signal [V]`.

The first column is the axis; `# axes: 2` says that the first two are. The rest are data.
"""

from __future__ import annotations

import csv
import re
from pathlib import Path

import numpy as np

from cascade_calibration.measurement import Measurement
from cascade_calibration.readers import columns
from cascade_calibration.readers.columns import Column
from cascade_qec.errors import CascadeError

FORMAT = "CSV with units in its header"


def fits(path: Path) -> bool:
    return path.is_file() and path.suffix.lower() in (".csv", ".tsv", ".txt", ".dat")


def read(path: Path) -> list[Measurement]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise CascadeError("expected text, found bytes that are none") from error
    header = [re.match(r"#\s*(\w+)\s*:\s*(.*)", line) for line in lines if line.startswith("#")]
    attributes: dict[str, str | float] = {found[1]: found[2].strip() for found in header if found}
    body = [line for line in lines if line.strip() and not line.startswith("#")]
    if len(body) < 2:
        raise CascadeError("expected a line of titles and rows of numbers, found fewer than two lines")
    table = list(csv.reader(body, delimiter="\t" if "\t" in body[0] else ","))
    titles = [re.fullmatch(r"\s*(.+?)\s*[\[(]([^\])]*)[\])]\s*", title) for title in table[0]]
    if not all(titles):
        raise CascadeError(f"expected titles with units, as `delay [us],signal [V]`, found {body[0]!r}")
    try:
        values = np.array([[float(cell) for cell in row] for row in table[1:]])
    except ValueError as error:
        raise CascadeError(f"expected rows of numbers, {len(titles)} each: {error}") from error
    if values.ndim != 2 or values.shape[1] != len(titles):
        raise CascadeError(f"expected {len(titles)} numbers in each row, found {values.shape}")
    made = [Column(title[1], title[2], column) for title, column in zip(titles, values.T, strict=True) if title]
    swept = str(attributes.pop("axes", "1"))
    if not swept.isdigit() or not 0 < int(swept) < len(made):
        raise CascadeError(f"expected `# axes:` to be less than the {len(made)} columns, found {swept}")
    return [
        columns.measurement(
            made[: int(swept)], made[int(swept) :], **({"name": path.stem, "source": str(path)} | attributes)
        )
    ]
