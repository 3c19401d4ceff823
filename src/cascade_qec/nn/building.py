"""From a model's description and weights to its network, and back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from cascade_qec import codes
from cascade_qec.model import ModelDescription, State, check, load_model
from cascade_qec.nn.network import CascadeNetwork


def load_network(path: str | Path) -> tuple[CascadeNetwork, ModelDescription]:
    """The network of a file in evaluation mode, and its description; see `cascade_qec.model.load_model`."""
    state, description = load_model(path)
    return rebuilt(description, state), description


def rebuilt(description: ModelDescription, state: State) -> CascadeNetwork:
    """The network of a description with these weights, in evaluation mode.

    Raises
    ------
    CascadeError
        If the weights do not fit the description, or are not all finite.
    """
    check(state, description)
    # the global random state stays; on the "meta" device nothing would be drawn, but that takes seconds to import
    with torch.random.fork_rng(devices=[]):
        network = network_of(description)
    # of their own, so that nobody writes into the arrays
    network.load_state_dict({name: torch.from_numpy(np.array(array)) for name, array in state.items()}, assign=True)
    return network.eval().requires_grad_(False)


def network_of(description: ModelDescription) -> CascadeNetwork:
    """A network as described, its weights drawn anew."""
    types = None if description.components is None else len(description.components)
    return CascadeNetwork(codes.get(description.code), description.network, types, 2 * len(description.told or []))


def state_of(network: CascadeNetwork) -> State:
    """A network's weights as arrays of their own."""
    return {name: tensor.detach().cpu().numpy().copy() for name, tensor in network.state_dict().items()}
