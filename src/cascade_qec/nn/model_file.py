"""Trained weights as a safetensors file whose metadata say how to rebuild the network."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from cascade_qec import codes, limits
from cascade_qec.codes import CSSCode, Operators
from cascade_qec.components import ComponentType
from cascade_qec.errors import CascadeError
from cascade_qec.nn.calibration import UNCHECKED, Calibration
from cascade_qec.nn.network import CascadeNetwork
from cascade_qec.nn.settings import NetworkSettings

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


class ModelDescription(BaseModel):
    """What a file says of its weights."""

    model_config = ConfigDict(frozen=True)

    format: Literal[1, 2, 3] = 3
    """1 where trunk and head were not told apart in the names of weights; from 3 on the file has a digest."""
    name: str
    code: str
    rounds: int = Field(ge=1, le=limits.ROUNDS)
    bases: list[Literal["X", "Z"]] = Field(min_length=1)
    noise_model: str = "uniform"
    noise_p: float
    network: NetworkSettings
    head: Literal["logical", "local"] = "logical"
    """What the network makes of the trunk's features: logits of logical operators, or of components of the noise."""
    operators: Operators = "translations"
    """The logical operators that the network is to be asked about."""
    components: list[ComponentType] | None = None
    """The types of component that a local head knows, in its order."""
    calibration: Calibration | None = None
    """What its log-odds are worth; None where nobody has looked, so that it tells no confidence."""

    def serves(self, code: CSSCode) -> bool:
        """Whether the model decodes a code."""
        return self.code == code.name or (self.head == "local" and codes.get(self.code).locally_like(code))

    def measured_at(self, rounds: int) -> bool:
        """Whether it was trained and measured at so many rounds; of what is there to try interfaces, nobody asks."""
        return rounds == self.rounds or self.calibration == UNCHECKED


def model_bytes(network: CascadeNetwork, description: ModelDescription) -> bytes:
    """The file of a model: its weights, what it says of them, and a digest of both."""
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    text = description.model_dump_json()
    # in one entry: safetensors writes several in any order
    return save(tensors, metadata={_KEY: f'{text[:-1]},"sha256":"{_digest(text, tensors)}"}}'})


def _digest(text: str, tensors: Mapping[str, torch.Tensor]) -> str:
    """SHA-256 of the description and of names, types, shapes and bytes of all weights, in hexadecimal."""
    found = hashlib.sha256(text.encode())
    for name, tensor in sorted(tensors.items()):
        found.update(f"\0{name} {tensor.dtype} {list(tensor.shape)}\0".encode())
        found.update(tensor.contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return found.hexdigest()


def load_model(path: str | Path) -> tuple[CascadeNetwork, ModelDescription]:
    """Rebuild the network of a file, in evaluation mode.

    Raises
    ------
    CascadeError
        If the file is missing, damaged, not one of ours, or its weights are not finite or do not fit its description.
    """
    path = Path(path)
    try:
        with safe_open(path, framework="pt") as file:
            text = (file.metadata() or {}).get(_KEY)
            # copies, so that they are aligned whatever the length of the header is
            tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118 (not a dict)
    except (OSError, SafetensorError) as error:
        raise CascadeError(f"cannot read model file {path}: {error}") from error
    if text is None:
        raise CascadeError(f"expected a Cascade model in {path}, got a safetensors file without its description")
    try:
        description = ModelDescription.model_validate(json.loads(text))
    except (ValidationError, json.JSONDecodeError) as error:
        raise CascadeError(f"the description in model file {path} cannot be read: {error}") from error
    signed = _SIGNED.fullmatch(text)
    if (description.format >= 3 and signed is None) or (signed and signed[2] != _digest(f"{signed[1]}}}", tensors)):
        raise CascadeError(f"model file {path} is damaged: its contents do not match the digest in it")
    if description.format == 1:
        tensors = _renamed(tensors)
    description = description.model_copy(update={"format": 3})
    try:
        return rebuilt(description, tensors), description
    except CascadeError as error:
        raise CascadeError(f"{path}: {error}") from None


def rebuilt(description: ModelDescription, tensors: Mapping[str, torch.Tensor]) -> CascadeNetwork:
    """The network of a description with these weights, in evaluation mode.

    Raises
    ------
    CascadeError
        If the weights do not fit the description, or are not all finite.
    """
    # the global random state stays; on the "meta" device nothing would be drawn, but that takes seconds to import
    with torch.random.fork_rng(devices=[]):
        network = network_of(description)
    wanted = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    found = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    if wanted != found:
        name = min(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))
        raise CascadeError(
            f"the weights do not fit their description: expected {name} of shape "
            f"{wanted.get(name, 'none')}, got {found.get(name, 'none')}"
        )
    for name, tensor in tensors.items():
        if not torch.isfinite(tensor).all():
            raise CascadeError(f"expected finite weights, got NaN or infinity in {name}")
    network.load_state_dict(dict(tensors), assign=True)
    return network.eval().requires_grad_(False)


def network_of(description: ModelDescription) -> CascadeNetwork:
    """A network as described, its weights drawn anew."""
    types = None if description.components is None else len(description.components)
    return CascadeNetwork(codes.get(description.code), description.network, types)


def _renamed(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Weights of format 1 by the names that they have now."""
    renamed = {}
    for name, tensor in tensors.items():
        first, dot, rest = name.partition(".")
        renamed[f"head.{_FORMAT_1[first]}{dot}{rest}" if first in _FORMAT_1 else f"trunk.{name}"] = tensor
    return renamed
