"""The fused trunk against the network's layers in float64: output, every gradient, statistics."""

import copy
import warnings

import pytest
import torch

from cascade_qec import codes, kernels
from cascade_qec.codes import BivariateBicycleCode
from cascade_qec.errors import CascadeError, CascadeWarning
from cascade_qec.kernels import choice
from cascade_qec.lattice import memory_lattice
from cascade_qec.model import NetworkSettings
from cascade_qec.native import native
from cascade_qec.nn import CascadeNetwork, Geometry, collect_statistics
from cascade_qec.nn.layers import BatchNorm

pytestmark = pytest.mark.slow

CASES = {
    "surface": ("surface_d3", {"convolution": "direct", "width": 20, "depth": 2}),
    "bicycle": ("small", {"convolution": "bipartite", "width": 64, "depth": 1}),
    "bicycle, direct": ("small", {"convolution": "direct", "width": 16, "bottleneck": 2, "depth": 1}),
    "depthwise": ("small", {"convolution": "bipartite", "width": 24, "bottleneck": 2, "depth": 1, "depthwise": True}),
}


def code_named(name):
    return BivariateBicycleCode(2, 2, "1+x", "1+y") if name == "small" else codes.get(name)


def build(case: str) -> tuple[CascadeNetwork, Geometry]:
    """A network whose norms are neither zero nor one, and a lattice, or for "bicycle" those of both bases."""
    name, settings = CASES[case]
    torch.manual_seed(0)
    network = CascadeNetwork(code_named(name), NetworkSettings(**settings))
    for norm in (m for m in network.modules() if isinstance(m, BatchNorm)):
        norm.weight.data.uniform_(0.5, 2)
        norm.bias.data.normal_()
        norm.mean.normal_()
        norm.variance.uniform_(0.5, 2)
    lattices = [memory_lattice(code_named(name), 1, basis) for basis in ("ZX" if case == "bicycle" else "Z")]
    return network, Geometry(lattices, settings["convolution"])


def run(network, geometry, x, grad):
    """Output of the trunk, gradient to its input, and those to its parameters by name."""
    network = copy.deepcopy(network)
    x = x.clone().requires_grad_()
    y = network.trunk.layers(x, geometry)
    y.backward(grad)
    return {"y": y.detach(), "x": x.grad} | {n: p.grad for n, p in network.named_parameters() if p.grad is not None}


def distances(found, expected):
    assert found.keys() == expected.keys()
    return {name: float((found[name].cpu().double() - b).norm() / b.norm()) for name, b in expected.items()}


def random_input(geometry, width, shots, dtype):
    # A mean of three standard deviations: variances must not be lost in the difference of large sums.
    return (3 + torch.randn(geometry.sites, shots, width)).to(dtype), torch.randn(geometry.sites, shots, width).to(
        dtype
    )


# float32: rounding, amplified by norms that divide by a small deviation and by gradients that cancel in sums; the
# layers themselves come to 1e-5 in float32. bfloat16: every tensor between two kernels is rounded to 2^-9 of itself;
# the layers themselves come to 4e-2.
_TOLERANCE = {torch.float32: 5e-5, torch.bfloat16: 6e-2}


@pytest.mark.parametrize(
    ("case", "dtype"),
    [*((case, torch.float32) for case in CASES), ("surface", torch.bfloat16), ("bicycle", torch.bfloat16)],
)
def test_training_is_that_of_the_layers(case, dtype, device):
    network, geometry = build(case)
    x, grad = random_input(geometry, network.settings.width, 3, dtype)
    exact = run(network.double(), geometry, x.double(), grad.double())
    network.float().to(device)
    with kernels.use("triton"):
        found = run(network, geometry.to(device), x.to(device), grad.to(device))
    assert found["y"].dtype == dtype
    assert all(found[name].dtype == torch.float32 for name, _ in network.named_parameters() if name in found)
    assert max(distances(found, exact).values()) < _TOLERANCE[dtype]


def test_a_trained_network_decodes_the_same(device):
    network, geometry = build("surface")
    network.eval()
    x, _ = random_input(geometry, network.settings.width, 9, torch.float32)
    with torch.no_grad():
        expected = network.double().trunk.layers(x.double(), geometry)
        with kernels.use("triton"):
            found = network.float().to(device).trunk.layers(x.to(device), geometry.to(device))
    torch.testing.assert_close(found.cpu().double(), expected, rtol=1e-5, atol=1e-5)


def test_statistics_are_collected_as_by_the_layers(device):
    network, geometry = build("surface")
    reference = copy.deepcopy(network)
    inputs = [random_input(geometry, network.settings.width, shots, torch.float32)[0] for shots in (5, 9)]
    with torch.no_grad(), collect_statistics(reference):
        for x in inputs:
            reference.trunk.layers(x, geometry)
    network, geometry = network.to(device), geometry.to(device)
    with torch.no_grad(), collect_statistics(network), kernels.use("triton"):
        for x in inputs:
            network.trunk.layers(x.to(device), geometry)
    norms = [(n, m) for n, m in network.named_modules() if isinstance(m, BatchNorm) and n != "head.norm"]
    assert len(norms) == 2 * 3 + 1
    for name, norm in norms:
        expected = reference.get_submodule(name)
        torch.testing.assert_close(norm.mean.cpu(), expected.mean, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(norm.variance.cpu(), expected.variance, rtol=1e-4, atol=1e-5)


@pytest.fixture
def any_device_may_use_triton(monkeypatch):
    """As if this machine had a GPU, and no kernel had failed yet."""
    monkeypatch.setattr(choice, "_failure", None)
    monkeypatch.setattr("cascade_qec.kernels.backend", lambda device: "triton")


@pytest.mark.parametrize("where", ["_forward", "_backward"])
def test_a_kernel_that_fails_is_replaced_by_the_layers_with_one_warning(where, monkeypatch, any_device_may_use_triton):
    from cascade_qec.kernels.fused import trunk

    def fails(*_, **__):
        raise RuntimeError("no such instruction")

    network, geometry = build("bicycle, direct")
    x, grad = random_input(geometry, network.settings.width, 3, torch.float32)
    with kernels.use("reference"):
        expected = run(network, geometry, x, grad)
    monkeypatch.setattr(trunk, where, fails)
    with pytest.warns(CascadeWarning, match="plain PyTorch takes over.*no such instruction") as told:
        found = run(network, geometry, x, grad)
    assert len(told) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        again = run(network, geometry, x, grad)
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(again[name], value, rtol=1e-4, atol=1e-4)


def test_memory_that_runs_out_is_no_reason_to_fall_back(monkeypatch, any_device_may_use_triton):
    from cascade_qec.kernels.fused import trunk

    def fails(*_, **__):
        raise torch.OutOfMemoryError("CUDA out of memory")

    network, geometry = build("surface")
    x, grad = random_input(geometry, network.settings.width, 3, torch.float32)
    monkeypatch.setattr(trunk, "_forward", fails)
    with pytest.raises(torch.OutOfMemoryError):
        run(network, geometry, x, grad)


def test_kernels_asked_for_by_name_do_not_fall_back(monkeypatch):
    from cascade_qec.kernels.fused import trunk

    def fails(*_, **__):
        raise RuntimeError("no such instruction")

    network, geometry = build("surface")
    x, grad = random_input(geometry, network.settings.width, 3, torch.float32)
    monkeypatch.setattr(trunk, "_forward", fails)
    with kernels.use("triton"), pytest.raises(RuntimeError, match="no such instruction"):
        run(network, geometry, x, grad)


def test_the_choice_can_be_overridden(monkeypatch):
    monkeypatch.setattr(choice, "_failure", None)
    assert kernels.backend("cpu") == ("reference" if native() is None else "native")
    assert kernels.backend("cuda") == "triton"
    with kernels.use("reference"):
        assert kernels.backend("cpu") == "reference"
        assert kernels.backend("cuda") == "reference"
        with kernels.use("triton"):
            assert kernels.backend("cpu") == "triton"
        with kernels.use("auto"):
            assert kernels.backend("cuda") == "triton"
    monkeypatch.setattr(choice, "_failure", RuntimeError())
    assert kernels.backend("cuda") == "reference"
    with (
        pytest.raises(CascadeError, match="expected kernels 'auto', 'triton', 'native' or 'reference', got 'cudnn'"),
        kernels.use("cudnn"),
    ):
        pass


def test_without_triton_the_reference_computes(monkeypatch):
    monkeypatch.setattr(choice, "find_spec", lambda name: None)
    assert kernels.backend("cuda") == "reference"
    with pytest.raises(CascadeError, match="Triton is not installed"), kernels.use("triton"):
        pass


def test_kernels_are_not_tuned_where_that_is_asked_for(monkeypatch):
    from cascade_qec.kernels.fused.convolution import _convolve
    from cascade_qec.kernels.fused.launch import untuned

    configs = [object(), object()]
    assert _convolve.early_config_prune(configs) == configs[:1]  # as all tests of this folder
    monkeypatch.setattr("cascade_qec.kernels.fused.launch._tuning", True)
    assert _convolve.early_config_prune(configs) == configs
    with untuned():
        assert _convolve.early_config_prune(configs) == configs[:1]
    assert _convolve.early_config_prune(configs) == configs
