"""Checkpoints that are kept along with the source: compact, and in parts where they are large.

They have the optimizers' momenta in bfloat16 and everything else exact. A large one is cut into parts, files beside it
that are named by their contents, and the checkpoint itself is an index of them.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Collection
from pathlib import Path
from typing import Any

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cascade_qec.errors import CascadeError
from cascade_qec.files import written_whole
from cascade_qec.training.run_files import state_of
from cascade_qec.zoo.checksum import Checksum

_MOST_BYTES = 15 * 2**20
"""Of a compact checkpoint in one file: repositories and their mirrors do not take files of any size."""


class _Index(BaseModel):
    """What stands in place of a checkpoint that was cut into parts."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    parts: list[Checksum] = Field(min_length=1)
    """In their order. A part's file is named by its checksum."""


def save_kept(path: Path, state: dict[str, Any]) -> None:
    """Write the state of a run with its momenta in bfloat16, in place of the last one.

    One of more than 15 MiB is cut into parts of at most so many, files beside `path`. They are written before the
    index that names them takes the place of the last checkpoint, whose parts are removed after that: a kill in between
    leaves files that nothing names, until the next checkpoint is written.
    """
    content = io.BytesIO()
    compact = [_with_momenta(optimizer, torch.float32, torch.bfloat16) for optimizer in state["optimizers"]]
    torch.save(state | {"optimizers": compact}, content)
    whole = content.getvalue()
    files = {}
    if len(whole) > _MOST_BYTES:
        parts = [whole[start : start + _MOST_BYTES] for start in range(0, len(whole), _MOST_BYTES)]
        index = _Index(parts=[Checksum(bytes=len(p), sha256=hashlib.sha256(p).hexdigest()) for p in parts])
        files = {_part(path, checksum): part for checksum, part in zip(index.parts, parts, strict=True)}
        whole = f"{index.model_dump_json(indent=1)}\n".encode()
    for name, part in files.items():
        with written_whole(name) as file:
            file.write(part)
    with written_whole(path) as file:
        file.write(whole)
    _remove_parts(path, but=files.keys())


def load_kept(path: Path) -> dict[str, Any]:
    """Read what `save_kept` wrote, or a run's own checkpoint; tensors are float32 and on the CPU.

    Raises
    ------
    CascadeError
        As `load_checkpoint` does, and if a part is missing or damaged.
    """
    try:
        state = state_of(_joined(path), path)
    except OSError as error:
        raise CascadeError(f"cannot read checkpoint {path}: {error.strerror}") from error
    except ValidationError as error:
        raise CascadeError(f"{path} is no checkpoint of a run, or a truncated one: no index of parts") from error
    try:
        optimizers = [_with_momenta(optimizer, torch.bfloat16, torch.float32) for optimizer in state["optimizers"]]
    except (AttributeError, KeyError, TypeError) as error:
        raise CascadeError(f"{path} is no checkpoint of a run: expected states of optimizers in it") from error
    return state | {"optimizers": optimizers}


def _joined(path: Path) -> bytes:
    """A checkpoint's contents, those of its parts if it is an index."""
    content = path.read_bytes()
    if not content.startswith(b"{"):
        return content
    parts = []
    for expected in _Index.model_validate_json(content).parts:
        file = _part(path, expected)
        if not file.exists():
            raise CascadeError(f"checkpoint {path}: expected its part {file.name} beside it, found no such file")
        part = file.read_bytes()
        if hashlib.sha256(part).hexdigest() != expected.sha256:
            raise CascadeError(
                f"checkpoint {path} is damaged: expected {expected} in its part {file.name}, "
                f"got {len(part):,} bytes of other contents"
            )
        parts.append(part)
    return b"".join(parts)


def _part(path: Path, checksum: Checksum) -> Path:
    return path.with_name(f"{path.stem}-{checksum.sha256[:16]}.bin")


def _remove_parts(path: Path, but: Collection[Path]) -> None:
    """Remove the files that were named by checkpoints before this one."""
    for part in path.parent.glob(f"{path.stem}-{16 * '[0-9a-f]'}.bin"):
        if part not in but:
            part.unlink(missing_ok=True)


def _with_momenta(optimizer: dict[str, Any], kept: torch.dtype, wanted: torch.dtype) -> dict[str, Any]:
    """The state of an optimizer, its tensors of one type as another."""

    def converted(value: Any) -> Any:
        return value.to(wanted) if torch.is_tensor(value) and value.dtype == kept else value

    state = {index: {name: converted(x) for name, x in entry.items()} for index, entry in optimizer["state"].items()}
    return optimizer | {"state": state}
