"""Trained weights as a safetensors file whose metadata say how to rebuild the network."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from cascade_qec.errors import CascadeError
from cascade_qec.model.description import ModelDescription

State = Mapping[str, NDArray[Any]]
"""Weights by their names, float32 as a rule."""

_KEY = "cascade"

_SIGNED = re.compile(r'(.*),"sha256":"([^"]*)"}', re.DOTALL)
"""A description with its digest, which is of the description without it."""

_FORMAT_1 = {
    "readout": "to_data",
    "norm_readout": "norm",
    "hidden": "hidden",
    "hidden_bias": "hidden_bias",
    "output": "output",
    "output_bias": "output_bias",
}
"""The head's weights by the names that files of format 1 have for them; all others are the trunk's."""


def model_bytes(state: State, description: ModelDescription) -> bytes:
    """The file of a model: its weights, what it says of them, and a digest of both."""
    arrays = {name: np.ascontiguousarray(array) for name, array in state.items()}
    text = description.model_dump_json()
    # in one entry: safetensors writes several in any order
    return save(arrays, metadata={_KEY: f'{text[:-1]},"sha256":"{_digest(text, arrays)}"}}'})


def _digest(text: str, state: State) -> str:
    """SHA-256 of the description and of names, types, shapes and bytes of all weights, in hexadecimal."""
    found = hashlib.sha256(text.encode())
    for name, array in sorted(state.items()):
        found.update(f"\0{name} torch.{array.dtype} {list(array.shape)}\0".encode())  # as PyTorch names types
        found.update(array.tobytes())
    return found.hexdigest()


def load_model(path: str | Path) -> tuple[State, ModelDescription]:
    """Weights and description of a file.

    Raises
    ------
    CascadeError
        If the file is missing, damaged, not one of ours, or its weights are not finite or do not fit its description.
    """
    path = Path(path)
    try:
        with safe_open(path, framework="np") as file:
            text = (file.metadata() or {}).get(_KEY)
            # copies, so that they are aligned whatever the length of the header is
            state = {name: file.get_tensor(name).copy() for name in file.keys()}  # noqa: SIM118 (not a dict)
    except (OSError, SafetensorError) as error:
        raise CascadeError(f"cannot read model file {path}: {error}") from error
    if text is None:
        raise CascadeError(f"expected a Cascade model in {path}, got a safetensors file without its description")
    try:
        description = ModelDescription.model_validate(json.loads(text))
    except (ValueError, RecursionError) as error:  # no JSON, a number of too many digits, or another description
        raise CascadeError(f"the description in model file {path} cannot be read: {error}") from error
    signed = _SIGNED.fullmatch(text)
    if (description.format >= 3 and signed is None) or (signed and signed[2] != _digest(f"{signed[1]}}}", state)):
        raise CascadeError(f"model file {path} is damaged: its contents do not match the digest in it")
    if description.format == 1:
        state = _renamed(state)
    description = description.model_copy(update={"format": 3})
    try:
        check(state, description)
    except CascadeError as error:
        raise CascadeError(f"{path}: {error}") from None
    return state, description


def check(state: State, description: ModelDescription) -> None:
    """Check that weights fit a description.

    Raises
    ------
    CascadeError
        If they do not, or are not all finite.
    """
    wanted, found = description.shapes(), {name: array.shape for name, array in state.items()}
    if wanted != found:
        name = min(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))
        raise CascadeError(
            f"the weights do not fit their description: expected {name} of shape "
            f"{wanted.get(name, 'none')}, got {found.get(name, 'none')}"
        )
    for name, array in state.items():
        if not np.isfinite(array).all():
            raise CascadeError(f"expected finite weights, got NaN or infinity in {name}")


def _renamed(state: State) -> State:
    """Weights of format 1 by the names that they have now."""
    renamed = {}
    for name, array in state.items():
        first, dot, rest = name.partition(".")
        renamed[f"head.{_FORMAT_1[first]}{dot}{rest}" if first in _FORMAT_1 else f"trunk.{name}"] = array
    return renamed
