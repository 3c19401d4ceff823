"""Checkpoints: written whole or not at all, so that a kill leaves the last one; checked when read."""

from __future__ import annotations

import io
import pickle
import zipfile
from pathlib import Path
from typing import Any

import torch

from cascade_qec.errors import CascadeError
from cascade_qec.files import written_whole

CHECKPOINT = "checkpoint.pt"
"""Its name in the folder of a run."""

_CONTENTS = {"recipe": str, "step": int, "seconds": float, "network": dict, "average": dict, "optimizers": list}


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
