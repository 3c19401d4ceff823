"""The record of a run read again, and handed on to the run that begins with its weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cascade_qec.errors import CascadeError
from cascade_qec.files import written_whole
from cascade_qec.training.run_files import METRICS, RECORD


def read_run(run: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The record of a run, with its recipe and its sessions, and the rows of its metrics, of which there is one.

    Raises
    ------
    CascadeError
        If the folder lacks one of the files, or it cannot be read.
    """
    try:
        record = json.loads((run / RECORD).read_text())
        rows = [json.loads(line) for line in (run / METRICS).read_text().splitlines()]
    except (OSError, ValueError) as error:
        raise CascadeError(f"{run}: expected the folder of a training run: {error}") from error
    told = isinstance(record, dict) and {"recipe", "sessions"} <= record.keys()
    if not (told and rows and all(isinstance(row, dict) and {"step", "shots"} <= row.keys() for row in rows)):
        raise CascadeError(f"{run}: expected the folder of a training run, with a recipe, sessions and metrics")
    return record, rows


def record_earlier_stretch(run: Path, begun: Path) -> None:
    """Tell a run that is about to begin of the one whose weights it begins with.

    Parameters
    ----------
    run : Path
        Folder of the run before.
    begun : Path
        Folder of the new run, whose record gets a list of the stretches before it: of each its recipe, sessions,
        shots, seconds and validations.

    Raises
    ------
    CascadeError
        If the record or the metrics of the run before cannot be read.
    """
    record, rows = read_run(run)
    stretch = {
        "recipe": record["recipe"],
        "sessions": record["sessions"],
        "shots": max(row["shots"] for row in rows),
        "seconds": max(row.get("seconds", 0.0) for row in rows),
        "validations": [row for row in rows if "block_error" in row],
    }
    with written_whole(begun / RECORD) as file:
        file.write(json.dumps({"earlier": [*record.get("earlier", []), stretch]}, indent=1).encode() + b"\n")
