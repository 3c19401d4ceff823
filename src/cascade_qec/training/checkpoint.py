"""Checkpoints: written whole or not at all, so that a kill leaves the last one; checked when read.

A run's own checkpoint is exact. The compact one, which is kept along with the source, has the optimizers' momenta in
bfloat16 and everything else exact.
"""

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

_PARTS = ("recipe", "step", "seconds", "network", "average", "optimizers")

_MOST_COMPACT_BYTES = 16 * 2**20
"""Repositories and their mirrors do not take files of any size, and keep every version of each."""

_COMPACT_BYTES_PER_PARAMETER = 4 + 4 + 2
"""Of weights, average and momentum."""


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write the state of a run in place of the last one."""
    with written_whole(path) as file:
        torch.save(state, file)


def save_compact_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write the state of a run with its momenta in bfloat16, in place of the last one.

    Raises
    ------
    CascadeError
        If the file would be larger than 16 MiB.
    """
    content = io.BytesIO()
    compact = [_with_momenta(optimizer, torch.float32, torch.bfloat16) for optimizer in state["optimizers"]]
    torch.save(state | {"optimizers": compact}, content)
    _check_size(path, content.tell())
    with written_whole(path) as file:
        file.write(content.getbuffer())


def check_compact_size(path: Path, parameters: int) -> None:
    """Refuse, before any training, a network whose compact checkpoint would be too large.

    Raises
    ------
    CascadeError
        If it would be larger than 16 MiB.
    """
    _check_size(path, parameters * _COMPACT_BYTES_PER_PARAMETER)


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Read what `save_checkpoint` or `save_compact_checkpoint` wrote, tensors float32 and on the CPU.

    Raises
    ------
    CascadeError
        If the file cannot be read, is cut short or damaged, or is no checkpoint of a run.
    """
    try:
        with zipfile.ZipFile(path) as archive:  # torch writes checksums, but does not look at them
            damaged = archive.testzip()
        if damaged is not None:
            raise CascadeError(f"checkpoint {path} is damaged: the checksum of {damaged} does not match")
        state = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise CascadeError(f"cannot read checkpoint {path}: {error.strerror}") from error
    except (zipfile.BadZipFile, pickle.UnpicklingError, RuntimeError) as error:
        raise CascadeError(f"{path} is no checkpoint of a run, or a truncated one: {error}") from error
    missing = [part for part in _PARTS if part not in state] if isinstance(state, dict) else _PARTS
    if missing:
        raise CascadeError(f"{path} is no checkpoint of a run: expected {', '.join(missing)} in it")
    optimizers = [_with_momenta(optimizer, torch.bfloat16, torch.float32) for optimizer in state["optimizers"]]
    return state | {"optimizers": optimizers}


def _check_size(path: Path, size: int) -> None:
    if size > _MOST_COMPACT_BYTES:
        raise CascadeError(
            f"{path}: expected a compact checkpoint of at most {_MOST_COMPACT_BYTES / 2**20:.0f} MiB, "
            f"got one of {size / 2**20:.1f} MiB; `cascade train` trains networks of any size"
        )


def _with_momenta(optimizer: dict[str, Any], kept: torch.dtype, wanted: torch.dtype) -> dict[str, Any]:
    """The state of an optimizer, its tensors of one type as another."""

    def converted(value: Any) -> Any:
        return value.to(wanted) if torch.is_tensor(value) and value.dtype == kept else value

    state = {index: {name: converted(x) for name, x in entry.items()} for index, entry in optimizer["state"].items()}
    return optimizer | {"state": state}
