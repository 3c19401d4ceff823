"""MACs: against PyTorch's count, the network's own tables, and what the paper says in words and numbers."""

from __future__ import annotations

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from cascade_qec import codes
from cascade_qec.errors import CascadeError
from cascade_qec.lattice import memory_lattice
from cascade_qec.model import NetworkSettings
from cascade_qec.nn import CascadeNetwork
from workshop.roofline import (
    ARCHITECTURES,
    Architecture,
    CodeShape,
    block_cost,
    macs_per_round,
    multiplier_area_saving,
    shape_of,
)
from workshop.speed.floor import convolution_products

PAPER = shape_of("surface_d19")
"""The code of the supplement's comparison."""


def _small(positions: int, rounds: int = 1) -> CodeShape:
    return CodeShape("small", 3, positions, rounds, relations=27, matrices=27, neighbours=27)


def _counted(modules: torch.nn.Module, x: torch.Tensor) -> float:
    """MACs per position by PyTorch's own count; x is [positions, ..., width] or as the module wants it."""
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        modules(x)
    return counter.get_total_flops() / 2


class _Attention(torch.nn.Module):
    """A bottleneck block with attention over all positions."""

    def __init__(self, width: int, channels: int) -> None:
        super().__init__()
        self.down = torch.nn.Linear(width, channels)
        self.attention = torch.nn.MultiheadAttention(channels, num_heads=2, batch_first=True)
        self.up = torch.nn.Linear(channels, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.down(x)
        # with the weights asked for, every product is an operation of its own, which the counter sees
        return self.up(self.attention(y, y, y, need_weights=True)[0])


@pytest.mark.parametrize("architecture", ["convolution", "depthwise"])
def test_convolutions_cost_what_pytorch_counts(architecture: Architecture) -> None:
    width, channels, positions = 32, 8, 4 * 5 * 6
    groups = channels if architecture == "depthwise" else 1
    block = torch.nn.Sequential(
        torch.nn.Conv3d(width, channels, 1),
        torch.nn.Conv3d(channels, channels, 3, padding=1, groups=groups),
        torch.nn.Conv3d(channels, width, 1),
    )
    counted = _counted(block, torch.zeros(1, width, 4, 5, 6))
    assert counted == positions * block_cost(architecture, _small(positions), width=width).total


def test_full_attention_costs_what_pytorch_counts() -> None:
    width, positions, rounds = 32, 10, 3
    counted = _counted(_Attention(width, 8).train(), torch.zeros(1, positions * rounds, width))
    cost = block_cost("full_attention", _small(positions, rounds), width=width)
    assert counted == positions * rounds * cost.total


def test_local_attention_is_full_attention_that_sees_its_neighbours_only() -> None:
    everywhere = CodeShape("small", 3, positions=9, rounds=3, relations=27, matrices=27, neighbours=27)
    local, full = (block_cost(name, everywhere, width=64) for name in ("local_attention", "full_attention"))
    assert local == full


@pytest.mark.parametrize("depthwise", [False, True])
@pytest.mark.parametrize("code", ["bb72", "bb144"])
def test_a_round_in_the_middle_costs_what_the_networks_tables_say(code: str, depthwise: bool) -> None:
    """A torus has no boundary, so that one more round costs just the formula."""
    settings = NetworkSettings(width=32, depth=1, convolution="bipartite", depthwise=depthwise)
    few, more = (convolution_products(memory_lattice(codes.get(code), rounds, "Z"), settings) for rounds in (5, 6))
    shape = shape_of(code)
    cost = block_cost("depthwise" if depthwise else "convolution", shape, width=32)
    assert more - few == shape.positions * cost.spatial


def test_a_boundary_cuts_off_less_the_larger_the_code() -> None:
    settings = NetworkSettings(width=32, depth=1, convolution="direct")
    parts = []
    for code in ("surface_d3", "surface_d19"):
        few, more = (convolution_products(memory_lattice(codes.get(code), rounds, "Z"), settings) for rounds in (5, 6))
        shape = shape_of(code)
        parts.append((more - few) / (shape.positions * block_cost("convolution", shape, width=32).spatial))
    assert 0.4 < parts[0] < 0.8 < parts[1] < 1


def test_relations_are_the_papers() -> None:
    """Methods, "Architecture": 12 relations in each bipartite step, 22 neighbours over 3 rounds in the direct one."""
    gross = shape_of("bb144")
    assert gross.relations == 12 + 12
    assert gross.neighbours == 22 * 3 == 66
    assert gross.neighbours / 12 > 5  # "an over 5x reduction in kernel size"
    assert shape_of("bb144", convolution="direct").relations == 66
    assert PAPER.relations == PAPER.neighbours == 27
    assert (PAPER.positions, gross.positions) == (19**2 - 1, 144)


@pytest.mark.parametrize("width", [64, 128, 256, 512])
def test_the_supplements_comparison_of_architectures(width: int) -> None:
    """ "Computational cost and roofline latency": what it says of the distance-19 surface code."""
    convolution, depthwise, local, full = (block_cost(name, PAPER, width=width) for name in ARCHITECTURES)
    assert {cost.pointwise for cost in (convolution, depthwise, local, full)} == {2 * width * width // 4}
    # "the spatial term dominates standard convolution", 27 of 35 parts whatever the width
    assert convolution.spatial_share == pytest.approx(27 / 35)
    # "a net speedup rather than the reduction in spatial cost alone, because the pointwise projections (unchanged)
    # become the bottleneck"
    assert convolution.spatial / depthwise.spatial == width / 4
    assert 1 < convolution.total / depthwise.total < convolution.spatial / depthwise.spatial
    assert depthwise.spatial_share < 1 / 2
    # "Local attention costs [a fraction of] standard convolution, while full attention costs [several times] more"
    assert local.total < 0.7 * convolution.total
    assert full.total > 3 * convolution.total


def test_only_full_attention_grows_faster_than_the_syndrome() -> None:
    for architecture in ARCHITECTURES:
        one, two = (block_cost(architecture, _small(1000, rounds), width=64).total for rounds in (10, 20))
        assert (two > 1.9 * one) == (architecture == "full_attention")
        assert two == one or architecture == "full_attention"


def test_bb_codes_cost_less_than_surface_codes_of_the_same_width() -> None:
    """Same section: "because both" positions and kernel "are smaller"."""
    gross = shape_of("bb144")
    assert gross.positions < PAPER.positions
    assert gross.relations < PAPER.relations
    for width in (64, 512):
        costs = [block_cost("convolution", shape, width=width) for shape in (gross, PAPER)]
        ours, surface = (
            macs_per_round(cost, shape, depth=12) for cost, shape in zip(costs, (gross, PAPER), strict=True)
        )
        assert 2 < surface / ours < 4


def test_area_is_quadratic_in_bits() -> None:
    """ "Quantization and inference optimization": FP8 against FP32, and with depthwise convolutions on top."""
    convolution, depthwise = (block_cost(name, PAPER, width=256) for name in ("convolution", "depthwise"))
    assert multiplier_area_saving(convolution, convolution) == 16
    assert multiplier_area_saving(depthwise, convolution) == pytest.approx(16 * convolution.total / depthwise.total)
    assert multiplier_area_saving(convolution, convolution, bits=4) == 64


@pytest.mark.parametrize(("code", "style"), [("surface_d3", "direct"), ("bb72", "bipartite"), ("bb72", "direct")])
def test_pointwise_costs_are_the_networks_weights(code: str, style) -> None:
    settings = NetworkSettings(width=32, depth=1, convolution=style)
    block = CascadeNetwork(codes.get(code), settings).trunk.blocks.get_submodule("0")
    weights = [
        parameter.numel() for name, parameter in block.named_parameters() if name in ("down.weight", "up.weight")
    ]
    shape = shape_of(code, convolution=style)
    assert len(weights) == 2
    assert sum(weights) == block_cost("convolution", shape, width=32).pointwise


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: block_cost("recurrent", PAPER, width=64), "expected an architecture among convolution"),  # type: ignore
        (lambda: block_cost("convolution", PAPER, width=30), "positive multiple of 4, got 30"),
        (lambda: block_cost("convolution", PAPER, width=0), "positive multiple of 4, got 0"),
        (lambda: macs_per_round(block_cost("convolution", PAPER, width=64), PAPER, depth=0), "at least 1 block"),
        (lambda: shape_of("bb144", rounds=0), "at least 1 round, got 0"),
        (lambda: shape_of("steane"), "unknown code"),
    ],
)
def test_bad_sizes_are_told(call, message: str) -> None:
    with pytest.raises(CascadeError, match=message):
        call()
