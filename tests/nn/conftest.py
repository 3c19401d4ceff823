"""Networks as training leaves them: nothing zero, nothing one."""

from collections.abc import Callable

import pytest
import torch

from cascade_qec import codes
from cascade_qec.model import NetworkSettings
from cascade_qec.nn import CascadeNetwork
from cascade_qec.nn.layers import BatchNorm


@pytest.fixture
def lively_network() -> Callable[..., CascadeNetwork]:
    """Builds a small network in evaluation mode with random output weights, affine weights and statistics."""

    def build(code: str, *, seed: int = 0, **settings) -> CascadeNetwork:
        torch.manual_seed(seed)
        shape = NetworkSettings(**{"width": 8, "depth": 2, "bottleneck": 2} | settings)
        network = CascadeNetwork(codes.get(code), shape).requires_grad_(False).eval()
        torch.nn.init.normal_(network.head.output)
        torch.nn.init.normal_(network.head.hidden_bias)
        for norm in (m for m in network.modules() if isinstance(m, BatchNorm)):
            norm.mean.normal_()
            norm.variance.uniform_(0.5, 2)
            torch.nn.init.uniform_(norm.weight, 0.5, 2)
            torch.nn.init.normal_(norm.bias)
        return network

    return build
