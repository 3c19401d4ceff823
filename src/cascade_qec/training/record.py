"""What made a run: its recipe, and the machine, versions and commit of every session that trained it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cascade_qec.errors import CascadeError
from cascade_qec.files import written_whole
from cascade_qec.provenance import commit, hardware, versions
from cascade_qec.training.recipe import Recipe

RECORD, METRICS = "run.json", "metrics.jsonl"
"""Names of the two files of a run that tell of it."""


def record_session(path: Path, recipe: Recipe, step: int, settings: dict[str, Any]) -> None:
    """Write down that a session starts, or goes on, with a run.

    Parameters
    ----------
    path : Path
        JSON file with the recipe and a list of sessions, those that the weights descend from. What
        `record_earlier_stretch` wrote there stays.
    recipe : Recipe
    step : int
        Step the session goes on from. Earlier sessions that got no checkpoint beyond it left no trace in the
        weights and are dropped.
    settings : dict
        Device, precision, threads and the like.
    """
    session = {
        "from_step": step,
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        **settings,
        "hardware": hardware(),
        "versions": versions(),
        "commit": commit(),
    }
    earlier = _earlier(path)
    record = {"recipe": recipe.model_dump(mode="json"), "sessions": [*_sessions_before(path, step), session]}
    _write(path, record | ({"earlier": earlier} if earlier else {}))


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
    _write(begun / RECORD, {"earlier": [*record.get("earlier", []), stretch]})


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


def _write(path: Path, record: dict[str, Any]) -> None:
    with written_whole(path) as file:
        file.write((json.dumps(record, indent=1) + "\n").encode())


def _earlier(path: Path) -> list[dict[str, Any]]:
    try:
        return json.loads(path.read_text())["earlier"]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _sessions_before(path: Path, step: int) -> list[dict[str, Any]]:
    try:
        sessions = json.loads(path.read_text())["sessions"]
        return [session for session in sessions if session["from_step"] < step]
    except (OSError, ValueError, KeyError, TypeError):
        return []  # a record that cannot be read is no reason not to train
