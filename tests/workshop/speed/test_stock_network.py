"""The network in stock PyTorch is the same network: logits and every gradient, in float64."""

import pytest
import torch
import torch.nn.functional as F

from cascade_qec import kernels
from cascade_qec.nn import LogicalHead
from cascade_qec.training import data
from cascade_qec.training.feed import Examples
from workshop.speed.contender import build


@pytest.mark.parametrize("variant", ["stock", "stock-sites"])
@pytest.mark.parametrize("depthwise", [False, True], ids=["dense", "depthwise"])
@pytest.mark.parametrize(("code", "convolution"), [("surface_d3", "direct"), ("bb72", "bipartite"), ("bb72", "direct")])
def test_logits_and_gradients_are_the_same(tiny, code, convolution, depthwise, variant):
    network = {"width": 8, "depth": 2, "bottleneck": 2, "convolution": convolution, "depthwise": depthwise}
    recipe = tiny(code=code, network=network)
    states, labels = Examples(recipe, torch.device("cpu"))(data.sample(recipe, data.TRAINING, 0, 0, 7))
    found = []
    for name in (variant, "reference"):
        network, geometry = build(recipe, name)
        assert isinstance(network.head, LogicalHead)
        # The head stays float32 in both: it is given float32 by design.
        head = (network.head.norm, network.head.hidden)
        network.double()
        for module in head:
            module.float()
        for parameter in (network.head.hidden_bias, network.head.output, network.head.output_bias):
            parameter.data = parameter.data.float()
        torch.manual_seed(1)
        for parameter in network.parameters():  # nothing zero, nothing one
            parameter.data += 0.3 * torch.randn_like(parameter)
        with kernels.use("reference"):
            logits = network(states, geometry, torch.float64)
        F.binary_cross_entropy_with_logits(logits, labels).backward()
        found.append({"logits": logits.detach()} | {n: p.grad for n, p in network.named_parameters()})
    ours, theirs = found[1], found[0]
    assert ours.keys() == theirs.keys()
    for name, expected in ours.items():
        # Sums in another order in float64, then a float32 head: its rounding is what is left.
        torch.testing.assert_close(theirs[name], expected, rtol=1e-4, atol=1e-7, msg=lambda m, n=name: f"{n}: {m}")
        assert expected.any(), name


def test_equal_seeds_give_equal_weights(tiny):
    ours, stock, other = build(tiny(), "reference")[0], build(tiny(), "stock")[0], build(tiny(seed=8), "stock")[0]
    states = ours.state_dict()
    assert states.keys() == stock.state_dict().keys()
    assert all(torch.equal(tensor, states[name]) for name, tensor in stock.state_dict().items())
    assert not torch.equal(other.trunk.embedding, stock.trunk.embedding)
