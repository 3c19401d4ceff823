"""The file of a run's figures: one JSON object a line, each step once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cascade_qec.files import written_whole


class Metrics:
    """Rows of a run, each with its "step", in a file of JSON lines.

    Parameters
    ----------
    path : Path
        Of the file; it is made when the first row comes.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def append(self, row: dict[str, Any]) -> None:
        with self._path.open("a") as file:
            file.write(json.dumps(row) + "\n")

    def forget_after(self, step: int) -> None:
        """Drop rows of steps after this one, which a run that goes on from here will write again."""
        if not self._path.exists():
            return
        kept = [line for line in self._path.read_bytes().splitlines() if _step(line) <= step]
        with written_whole(self._path) as file:
            file.writelines(line + b"\n" for line in kept)


def _step(line: bytes) -> float:
    try:
        return json.loads(line)["step"]
    except ValueError:  # the last line, cut short by a kill
        return float("inf")
