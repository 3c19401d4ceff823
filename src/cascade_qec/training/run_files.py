"""The files of a run: what made it, its figures, its checkpoint, and the lock of the process that trains in it."""

from __future__ import annotations

import io
import json
import os
import pickle
import warnings
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from cascade_qec.errors import CascadeError, CascadeWarning
from cascade_qec.files import written_whole
from cascade_qec.locks import take_lock
from cascade_qec.provenance import commit, hardware, versions
from cascade_qec.training.recipe import Recipe

RECORD, METRICS, CHECKPOINT = "run.json", "metrics.jsonl", "checkpoint.pt"
"""Names of the files of a run, beside that of its model."""

_CONTENTS = {"recipe": str, "step": int, "seconds": float, "network": dict, "average": dict, "optimizers": list}

_held: set[Path] = set()


def record_session(path: Path, recipe: Recipe, step: int, settings: dict[str, Any]) -> None:
    """Write down that a session starts, or goes on, with a run.

    Parameters
    ----------
    path : Path
        JSON file with the recipe and a list of sessions, those that the weights descend from. Stretches before
        this run that are told of there, as `earlier`, stay.
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


def check_new(folder: Path, names: Iterable[str]) -> None:
    """Refuse to begin a run where files of these names stand that no run has made.

    Raises
    ------
    CascadeError
        If there is one, in a folder without the record of a run.
    """
    try:
        record = json.loads((folder / RECORD).read_text())
        made_by_run = isinstance(record, dict) and not {"recipe", "sessions", "earlier"}.isdisjoint(record)
    except (OSError, ValueError):
        made_by_run = False
    for path in [] if made_by_run else [folder / name for name in names]:
        if path.exists():
            raise CascadeError(f"{path} is there and was made by no run: move it away, or choose another --out")


class Metrics:
    """Rows of a run, each with its "step", in a file of JSON lines, which is made when the first row comes."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def append(self, row: dict[str, Any]) -> None:
        with self._path.open("a") as file:
            file.write(json.dumps(row) + "\n")

    def has_validation(self, step: int) -> bool:
        """Whether there is a row of a step's validation."""
        lines = self._path.read_bytes().splitlines() if self._path.exists() else []
        return any(_step(line) == step and "block_error" in json.loads(line) for line in lines)

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


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write the state of a run in place of the last one."""
    with written_whole(path) as file:
        torch.save(state, file)


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Read what `save_checkpoint` wrote, tensors on the CPU.

    Raises
    ------
    CascadeError
        If the file is missing, cannot be read, is cut short or damaged, or is no checkpoint of a run.
    """
    try:
        return state_of(path.read_bytes(), path)
    except OSError as error:
        raise CascadeError(f"cannot read checkpoint {path}: {error.strerror}") from error


def state_of(content: bytes, path: Path) -> dict[str, Any]:
    """The state in the bytes of a checkpoint; `path` is what errors name.

    Raises
    ------
    CascadeError
        If they are cut short or damaged, or no checkpoint of a run.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:  # torch writes checksums, but does not look at them
            damaged = archive.testzip()
        if damaged is not None:
            raise CascadeError(f"checkpoint {path} is damaged: the checksum of {damaged} does not match")
        state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except (zipfile.BadZipFile, pickle.UnpicklingError, RuntimeError) as error:
        raise CascadeError(f"{path} is no checkpoint of a run, or a truncated one: {error}") from error
    found = state if isinstance(state, dict) else {}
    missing = [name for name, kind in _CONTENTS.items() if not isinstance(found.get(name), kind)]
    if missing:
        raise CascadeError(f"{path} is no checkpoint of a run: expected {', '.join(missing)} in it")
    return state


@contextmanager
def run_lock(folder: Path) -> Iterator[None]:
    """Keep other processes from training in a folder, made if need be, while the block runs.

    The system releases the lock when the process ends, however it ends. The file `lock` stays; it is empty, unless the
    process was killed, which a `CascadeWarning` then says to the next one. So it does where the system has no locks. A
    process that has the lock may ask for it again.

    Raises
    ------
    CascadeError
        If another process has the lock; its number is named.
    """
    path = folder.resolve() / "lock"
    if path in _held:
        yield
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:  # not "w", which would wipe the number that the holder wrote
        taken = take_lock(file)
        file.seek(0)
        before = file.read().strip()
        if taken is False:
            raise CascadeError(f"{folder}: another process trains in this folder, number {before or 'unknown'}")
        if taken is None:
            said = "no locks here: see to it that no other process trains in this folder"
            warnings.warn(f"{folder}: {said}", CascadeWarning, stacklevel=3)
        elif before:
            said = f"process {before}, which trained in this folder, was killed; its place is taken"
            warnings.warn(f"{folder}: {said}", CascadeWarning, stacklevel=3)
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        _held.add(path)
        try:
            yield
        finally:
            file.truncate(0)
            _held.discard(path)
