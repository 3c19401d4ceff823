"""What made a run: its recipe, and the machine, versions and commit of every session that trained it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cascade_qec.files import written_whole
from cascade_qec.provenance import commit, hardware, versions
from cascade_qec.training.recipe import Recipe


def record_session(path: Path, recipe: Recipe, step: int, settings: dict[str, Any]) -> None:
    """Write down that a session starts, or goes on, with a run.

    Parameters
    ----------
    path : Path
        JSON file with the recipe and a list of sessions, those that the weights descend from.
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
    record = {"recipe": recipe.model_dump(mode="json"), "sessions": [*_sessions_before(path, step), session]}
    with written_whole(path) as file:
        file.write((json.dumps(record, indent=1) + "\n").encode())


def _sessions_before(path: Path, step: int) -> list[dict[str, Any]]:
    try:
        sessions = json.loads(path.read_text())["sessions"]
        return [session for session in sessions if session["from_step"] < step]
    except (OSError, ValueError, KeyError, TypeError):
        return []  # a record that cannot be read is no reason not to train
