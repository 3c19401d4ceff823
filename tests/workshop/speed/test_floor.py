"""The count of operations and bytes, by hand for small cases and against published figures."""

import pytest

from cascade_qec import codes
from cascade_qec.lattice import memory_lattice
from cascade_qec.nn import CascadeNetwork
from workshop.speed.floor import block_passes, convolution_products, floor


def test_every_part_of_a_tiny_network_by_hand(tiny):
    # d = 3: 8 checks; one round has 2 slices, so 16 sites. H = 8, C = 2.
    counted = floor(tiny(rounds=1, bases=["Z"]))
    assert counted.sites == 16
    # The 4 x 4 grid of plaquettes is full in its middle 2 x 2, and has one more beside each of its sides.
    # In the middle: 4 checks, each next to all 4 of them and to 2 of the outer ones -> 24 pairs and, by symmetry,
    # 8 from the outer ones inwards; the 4 outer ones see themselves. 36 pairs, times 2 x 2 pairs of slices.
    assert convolution_products(memory_lattice(codes.get("surface_d3"), 1, "Z"), tiny().network) == 36 * 4 * 2 * 2
    assert counted.forward["convolution"] == 2 * 36 * 4 * 4
    assert counted.forward["down"] == counted.forward["up"] == 2 * 16 * 8 * 2
    # Checks of 24 data qubits in all, each read in its own slice and the next, H to H; three parallel lines of three
    # data qubits, each H to 2 H to 1.
    assert counted.forward["readout"] == 2 * (24 * 2 * 8 * 8 + 3 * (8 * 16 + 16))
    assert counted.forward["pooling"] == 2 * 9 * 8
    assert counted.training["up"] == 3 * counted.forward["up"]
    assert counted.training["pooling"] == 2 * counted.forward["pooling"]
    assert counted.operations == sum(counted.training.values())


def test_bytes_of_a_tiny_network_by_hand(tiny):
    counted = floor(tiny(rounds=1, bases=["Z"]))
    # One convolution: 3 wide and 6 narrow passes forward, 7 and 17 backward.
    assert block_passes(1) == (10, 23)
    assert counted.block_bytes == 2 * 16 * (10 * 8 + 23 * 2)
    assert counted.end_bytes == 2 * 8 * (6 * 16 + 6 * 16)
    assert floor(tiny(rounds=1, bases=["Z"]), itemsize=4).bytes == 2 * counted.bytes


def test_a_shot_is_one_experiment_whatever_the_bases(tiny):
    both, one = floor(tiny()), floor(tiny(bases=["X"]))
    assert both.operations == one.operations
    assert both.bytes == one.bytes


def test_depth_and_width_scale_as_they_should(tiny):
    one = floor(tiny())
    deep, wide = floor(tiny(network={"depth": 3})), floor(tiny(network={"width": 16}))
    for part in ("down", "up", "convolution"):
        assert deep.training[part] == 3 * one.training[part]
        assert wide.training[part] == 4 * one.training[part]
    assert deep.block_bytes == 3 * one.block_bytes
    assert wide.block_bytes == 2 * one.block_bytes
    depthwise = floor(tiny(network={"depthwise": True}))
    assert depthwise.training["convolution"] * 2 == one.training["convolution"]


def test_parameters_are_the_networks(tiny):
    recipe = tiny(network={"depthwise": True})
    network = CascadeNetwork(codes.get("surface_d3"), recipe.network)
    assert floor(recipe).parameters == sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize(
    ("code", "rounds", "width", "depth", "gflop", "megabytes"),
    [("bb144", 12, 256, 12, 17.7, 213), ("bb144", 12, 128, 12, 4.4, 107), ("bb72", 6, 256, 8, 3.2, 38)],
)
def test_agrees_with_the_count_that_the_kernels_were_designed_by(tiny, code, rounds, width, depth, gflop, megabytes):
    """That count is rougher: blocks only, all 24 relations everywhere, and bytes rounded to 9.5 kB a position."""
    network = {"width": width, "depth": depth, "convolution": "bipartite"}
    counted = floor(tiny(code=code, rounds=rounds, network=network))
    blocks = sum(counted.training[part] for part in ("down", "convolution", "up"))
    # Of the two slices that a relation may lead to, one is missing in one slice out of rounds + 1.
    cut = counted.training["convolution"] / (2 * (rounds + 1) - 1)
    assert (blocks + cut) / 1e9 == pytest.approx(gflop, rel=0.01)
    assert counted.block_bytes / 1e6 == pytest.approx(megabytes, rel=0.02)
    # The readout, and the ends' passes over the wide tensors, are small beside the blocks.
    assert counted.operations / blocks < 1.15
    assert counted.end_bytes < 0.07 * counted.block_bytes


def test_speeds_by_operations_and_by_bytes(tiny):
    counted = floor(tiny())
    assert counted.shots_by_operations(1e12) == 1e12 / counted.operations
    assert counted.shots_by_bytes(1e9) == 1e9 / counted.bytes
