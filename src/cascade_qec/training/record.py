"""What a run writes of itself: what made it, and its figures."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

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
        JSON file with the recipe and a list of sessions, those that the weights descend from. Stretches before
        this run that are told of there, as `earlier`, stay.
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
    earlier, sessions = [], []
    # A record that cannot be read is no reason not to train.
    with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
        before = json.loads(path.read_text())
        earlier = before.get("earlier", [])
        sessions = [other for other in before.get("sessions", []) if other["from_step"] < step]
    record = {"recipe": recipe.model_dump(mode="json"), "sessions": [*sessions, session]}
    record |= {"earlier": earlier} if earlier else {}
    with written_whole(path) as file:
        file.write(json.dumps(record, indent=1).encode() + b"\n")


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
