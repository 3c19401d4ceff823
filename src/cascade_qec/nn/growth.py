"""A deeper network that begins as a shallower trained one."""

from __future__ import annotations

import torch

from cascade_qec.nn.network import CascadeNetwork

_BLOCK = "trunk.blocks."


def deepened(network: CascadeNetwork, trained: CascadeNetwork) -> dict[str, torch.Tensor]:
    """Weights with which a network says what a trained one says that has as many blocks or fewer.

    The trained blocks come first. The others keep what they were initialised with, but for their last product, which
    is zero, so that they begin by adding nothing and learn from the first step on. Each block's share of the residual
    stream is 1 / sqrt(2 L): the trained blocks' last product makes up for the greater depth.

    Parameters
    ----------
    network : CascadeNetwork
        Freshly initialised, on the CPU; it is left as it is.
    trained : CascadeNetwork
        Of the same settings but for a depth that may be smaller, on the CPU.

    Returns
    -------
    dict
        A state for `network`.
    """
    state = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    state |= {name: tensor.clone() for name, tensor in trained.state_dict().items()}
    share = (len(network.trunk.blocks) / len(trained.trunk.blocks)) ** 0.5
    for name, tensor in state.items():
        if name.startswith(_BLOCK) and name.endswith(".up.weight"):
            tensor *= share if int(name.split(".")[2]) < len(trained.trunk.blocks) else 0.0
    return state
