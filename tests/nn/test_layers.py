from functools import partial

import pytest
import torch
import torch.nn.functional as F

from cascade_qec import codes
from cascade_qec.kernels import Relations
from cascade_qec.lattice import convolution_tables, memory_lattice
from cascade_qec.lattice.relations import site_index
from cascade_qec.nn import collect_statistics
from cascade_qec.nn.convolution import LatticeConvolution
from cascade_qec.nn.layers import BatchNorm, Bottleneck, Pointwise


@pytest.mark.parametrize("depthwise", [False, True], ids=["dense", "depthwise"])
@pytest.mark.parametrize("basis", ["X", "Z"])
@pytest.mark.parametrize(("d", "rounds"), [(3, 1), (5, 4)])
def test_on_the_surface_code_the_convolution_is_conv3d(d, rounds, basis, depthwise):
    torch.manual_seed(0)
    shots, channels = 3, 4
    lattice = memory_lattice(codes.get(f"surface_d{d}"), rounds, basis)
    frame, slices = lattice.frame, lattice.slices
    (table,) = convolution_tables(frame, "direct", slices)
    layer = LatticeConvolution(channels, planes=1, relations=27, depthwise=depthwise).requires_grad_(False)
    x = torch.randn(lattice.sites, shots, channels)

    # Where each place lies on the grid of plaquettes, of which the boundary lacks every other.
    row, col = torch.empty(2, sum(frame.plane_sizes), dtype=torch.int64)
    for kind in ("X", "Z"):
        coords = torch.from_numpy(lattice.code.check_coords(kind)[:, :: -1 if basis == "X" else 1].copy())
        row[frame.check_place[kind]], col[frame.check_place[kind]] = coords.T
    sites = torch.from_numpy(site_index(frame.plane_sizes, slices))
    grid = torch.zeros(shots, channels, slices, d + 1, d + 1)
    grid[:, :, :, row, col] = x[sites].permute(2, 3, 0, 1)

    weight = layer.weight.view(-1, 27, 1 if depthwise else channels)  # [out, relations, in]
    if depthwise:
        weight = layer.weight.view(27, channels, 1).transpose(0, 1)
    kernel = weight.transpose(1, 2).unflatten(2, (3, 3, 3))
    convolved = F.conv3d(grid, kernel, padding=1, groups=channels if depthwise else 1)
    expected = convolved[:, :, :, row, col].permute(2, 3, 0, 1)  # absent plaquettes are masked again
    torch.testing.assert_close(layer(x, Relations(table))[sites], expected)


def test_training_normalises_by_the_batch_and_leaves_the_statistics_alone():
    torch.manual_seed(1)
    norm = BatchNorm(3)
    x = 5 + 2 * torch.randn(40, 30, 3)
    flat = norm(x).reshape(-1, 3)
    torch.testing.assert_close(flat.mean(dim=0), torch.zeros(3), rtol=0, atol=1e-5)
    torch.testing.assert_close(flat.var(dim=0, correction=0), torch.ones(3), rtol=0, atol=1e-4)
    assert norm.mean.tolist() == [0, 0, 0]
    assert norm.variance.tolist() == [1, 1, 1]


@pytest.mark.parametrize("training", [False, True])
def test_collected_statistics_are_the_mean_over_batches(training):
    torch.manual_seed(2)
    norm = BatchNorm(3).train(training)
    for _ in range(2):  # the second collection starts afresh
        batches = [scale * torch.randn(20, 7, 3) + scale for scale in (1, 2, 4)]
        with torch.no_grad(), collect_statistics(norm):
            for batch in batches:
                norm(batch)
        flat = torch.stack(batches).flatten(1, 2)
        torch.testing.assert_close(norm.mean, flat.mean(dim=1).mean(dim=0))
        torch.testing.assert_close(norm.variance, flat.var(dim=1).mean(dim=0))
    assert norm.training == training
    assert norm.batches is None

    norm.eval()
    x = torch.randn(5, 2, 3)
    expected = (x - norm.mean) / (norm.variance + norm.epsilon).sqrt() * norm.weight + norm.bias
    torch.testing.assert_close(norm(x), expected)


def test_collection_ends_even_if_a_batch_fails():
    norm = BatchNorm(3).eval()
    with (
        pytest.raises(RuntimeError, match="running_mean should contain 2 elements"),
        collect_statistics(norm),
    ):
        norm(torch.randn(4, 4, 2))
    assert norm.batches is None
    assert not norm.training


def test_statistics_are_float32_whatever_the_activations():
    norm = BatchNorm(3)
    with torch.no_grad(), collect_statistics(norm):
        y = norm(torch.randn(20, 7, 3, dtype=torch.bfloat16))
    assert (y.dtype, norm.mean.dtype, norm.variance.dtype) == (torch.bfloat16, torch.float32, torch.float32)


def test_a_block_adds_its_scaled_branch():
    torch.manual_seed(3)
    lattice = memory_lattice(codes.get("bb72"), 1, "Z")
    tables = convolution_tables(lattice.frame, "bipartite", lattice.slices)
    steps = [Relations(table) for table in tables]
    step = partial(LatticeConvolution, 2, planes=2, relations=12, depthwise=False)
    block = Bottleneck(8, 2, mixers=[step, step], scale=0.25).requires_grad_(False)
    x = torch.randn(lattice.sites, 5, 8)
    y = F.silu(block.norm_in(x)) @ block.down.weight.T
    for norm, convolution, relations in zip(block.norms, block.convolutions, steps, strict=True):
        y = convolution(F.silu(norm(y)), relations)
    expected = x + 0.25 * (F.silu(block.norm_out(y)) @ block.up.weight.T)
    torch.testing.assert_close(block(x, steps), expected)


@pytest.mark.parametrize(
    ("layer", "fan_in"),
    [
        (lambda: Pointwise(128, 512), 128),
        (lambda: LatticeConvolution(32, planes=2, relations=12, depthwise=False), 12 * 32),
        (lambda: LatticeConvolution(1024, planes=2, relations=12, depthwise=True), 12),
    ],
)
def test_initial_variance_is_one_over_fan_in(layer, fan_in):
    torch.manual_seed(4)
    # The standard deviation of this estimate is 1 % for the fewest weights, 24576.
    assert layer().weight.var().item() * fan_in == pytest.approx(1, rel=0.05)
