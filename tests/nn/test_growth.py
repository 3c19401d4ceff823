import numpy as np
import pytest
import torch

from cascade_qec import codes
from cascade_qec.lattice import memory_lattice
from cascade_qec.model import NetworkSettings
from cascade_qec.nn import CascadeNetwork, Geometry, deepened


@pytest.mark.parametrize(("code", "convolution"), [("surface_d3", "direct"), ("bb72", "bipartite")])
def test_a_deepened_network_says_what_the_trained_one_says_and_learns_in_every_block(code, convolution, lively_network):
    trained = lively_network(code, convolution=convolution, depth=2)
    settings = NetworkSettings(width=8, depth=5, bottleneck=2, convolution=convolution)
    network = CascadeNetwork(codes.get(code), settings)
    network.load_state_dict(deepened(network, trained))
    lattice = memory_lattice(codes.get(code), 2, "Z")
    events = np.random.default_rng(1).random((6, lattice.detectors)) < 0.2
    states, geometry = torch.from_numpy(lattice.scatter(events)), Geometry([lattice], convolution)
    torch.testing.assert_close(network.eval()(states, geometry), trained(states, geometry))
    network.train()(states, geometry).square().sum().backward()
    assert all(block.get_parameter("up.weight").grad.any() for block in network.trunk.blocks)


def test_as_many_blocks_are_a_copy(lively_network):
    trained = lively_network("surface_d3", convolution="direct")
    for name, tensor in deepened(lively_network("surface_d3", convolution="direct", seed=1), trained).items():
        assert torch.equal(tensor, trained.state_dict()[name])
        assert tensor.data_ptr() != trained.state_dict()[name].data_ptr()
