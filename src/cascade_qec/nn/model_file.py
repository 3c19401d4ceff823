"""Trained weights as a safetensors file whose metadata say how to rebuild the network."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from cascade_qec import codes, limits
from cascade_qec.codes import Operators
from cascade_qec.components import ComponentType
from cascade_qec.errors import CascadeError
from cascade_qec.nn.network import CascadeNetwork
from cascade_qec.nn.settings import NetworkSettings

_KEY = "cascade"

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

    format: Literal[1, 2] = 2
    """1 where trunk and head were not told apart in the names of weights."""
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


def model_bytes(network: CascadeNetwork, description: ModelDescription) -> bytes:
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    return save(tensors, metadata={_KEY: description.model_dump_json()})


def load_model(path: str | Path) -> tuple[CascadeNetwork, ModelDescription]:
    """Rebuild the network of a file, in evaluation mode.

    Raises
    ------
    CascadeError
        If the file is missing, damaged, not one of ours, or its weights do not fit its description.
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
    if description.format == 1:
        tensors, description = _renamed(tensors), description.model_copy(update={"format": 2})
    try:
        return rebuilt(description, tensors), description
    except CascadeError as error:
        raise CascadeError(f"{path}: {error}") from None


def rebuilt(description: ModelDescription, tensors: Mapping[str, torch.Tensor]) -> CascadeNetwork:
    """The network of a description with these weights, in evaluation mode.

    Raises
    ------
    CascadeError
        If the weights do not fit the description.
    """
    with torch.device("meta"):  # none are drawn, and the global random state stays
        network = network_of(description)
    wanted = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    found = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    if wanted != found:
        name = min(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))
        raise CascadeError(
            f"the weights do not fit their description: expected {name} of shape "
            f"{wanted.get(name, 'none')}, got {found.get(name, 'none')}"
        )
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
