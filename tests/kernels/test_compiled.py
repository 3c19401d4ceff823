"""The kernels in C++ against the network's layers and the formula in float64, by every instruction set of this chip."""

import copy

import pytest
import torch

from cascade_qec import codes, kernels
from cascade_qec.codes import BivariateBicycleCode
from cascade_qec.errors import CascadeError
from cascade_qec.kernels import Relations, lattice_convolution
from cascade_qec.lattice import concatenate, convolution_tables, data_relations, memory_lattice
from cascade_qec.model import NetworkSettings
from cascade_qec.native import native, native_bfloat16, set_threads
from cascade_qec.nn import CascadeNetwork, Geometry, collect_statistics
from cascade_qec.nn.layers import BatchNorm

SETS = [] if native() is None else native().instruction_sets()
CASES = {
    "surface": ("surface_d3", {"convolution": "direct", "width": 64, "depth": 2}),
    "bicycle": ("torus", {"convolution": "bipartite", "width": 32, "bottleneck": 2, "depth": 2}),
    "bicycle, direct": ("torus", {"convolution": "direct", "width": 16, "bottleneck": 1, "depth": 1}),
    "narrow": ("torus", {"convolution": "bipartite", "width": 32, "depth": 1}),
}


@pytest.fixture(params=SETS, autouse=True)
def instructions(request, monkeypatch):
    monkeypatch.setenv("CASCADE_INSTRUCTIONS", request.param)


def code_named(name):
    return BivariateBicycleCode(3, 3, "1+x+x^2", "1+y+y^2") if name == "torus" else codes.get(name)


def built(case: str) -> tuple[CascadeNetwork, Geometry]:
    """A network whose norms are neither zero nor one, and the lattices of both bases."""
    name, settings = CASES[case]
    torch.manual_seed(0)
    network = CascadeNetwork(code_named(name), NetworkSettings(**settings))
    for norm in (m for m in network.modules() if isinstance(m, BatchNorm)):
        norm.weight.data.uniform_(0.5, 2)
        norm.bias.data.normal_()
        norm.mean.normal_()
        norm.variance.uniform_(0.5, 2)
    lattices = [memory_lattice(code_named(name), 2, basis) for basis in ("Z", "X")]
    return network, Geometry(lattices, settings["convolution"])


def passed(network, geometry, x, grad) -> dict[str, torch.Tensor]:
    """The trunk's result, and the gradients to its input and to its parameters by name."""
    network = copy.deepcopy(network)
    x = x.clone().requires_grad_()
    y = network.trunk.layers(x, geometry)
    y.backward(grad)
    return {"y": y.detach(), "x": x.grad} | {n: p.grad for n, p in network.named_parameters() if p.grad is not None}


# one tile and less, several with a rest, and batches that are decoded by groups of sites
@pytest.mark.parametrize("shots", [1, 3, 7, 26])
@pytest.mark.parametrize("case", CASES)
def test_the_trunk_and_its_gradients_are_those_of_the_layers(case, shots):
    network, geometry = built(case)
    x = 3 + torch.randn(geometry.sites, shots, network.settings.width)
    grad = torch.randn_like(x)
    with kernels.use("reference"):
        expected = passed(network.double(), geometry, x.double(), grad.double())
    with kernels.use("native"):
        found = passed(network.float(), geometry, x, grad)
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        # gradients cancel in sums over the batch: a few roundings of what is summed
        assert (found[name] - value).norm() <= 3e-5 * value.norm(), name


def test_sums_do_not_depend_on_who_else_computes_but_threads_share_them():
    network, geometry = built("bicycle")
    x = torch.randn(geometry.sites, 8, network.settings.width)
    found = []
    for threads in (1, 3, 3):
        set_threads(threads)
        found.append(passed(network, geometry, x, torch.ones_like(x)))
    for name, value in found[0].items():
        assert torch.equal(found[1][name], found[2][name])
        torch.testing.assert_close(found[1][name], value, rtol=1e-4, atol=1e-4)


def test_fixed_statistics_and_those_that_are_collected():
    network, geometry = built("surface")
    inputs = [torch.randn(geometry.sites, shots, network.settings.width) for shots in (5, 9)]
    collected, outputs = [], []
    for name in ("reference", "native"):
        each = copy.deepcopy(network)
        with torch.no_grad(), kernels.use(name):
            outputs.append(each.eval().trunk.layers(inputs[0], geometry))
            with collect_statistics(each):
                for x in inputs:
                    each.trunk.layers(x, geometry)
        norms = [norm for n, norm in each.named_modules() if isinstance(norm, BatchNorm) and n != "head.norm"]
        collected.append([part for norm in norms for part in (norm.mean, norm.variance)])
    torch.testing.assert_close(*outputs, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(*collected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("shots", [2, 13])
@pytest.mark.parametrize("channels", [(16, 48), (32, 16)])
@pytest.mark.parametrize("which", ["surface", "gather", "to data"])
def test_a_convolution_and_its_gradients_are_those_of_the_formula(which, channels, shots):
    code = codes.get("surface_d3") if which == "surface" else code_named("torus")
    frames = [code.frame(basis) for basis in ("Z", "X")]
    if which == "to data":
        table = concatenate([data_relations(frame, 2) for frame in frames])
    else:
        style = "direct" if which == "surface" else "bipartite"
        table = concatenate([convolution_tables(frame, style, 3)[0] for frame in frames])
    torch.manual_seed(1)
    x = torch.randn(table.sites_in, shots, channels[0], requires_grad=True)
    weight = torch.randn(table.planes_out, channels[1], table.relations * channels[0], requires_grad=True)
    grad, relations = torch.randn(table.sites_out, shots, channels[1]), Relations(table)
    results = []
    for name in ("reference", "native"):
        with kernels.use(name):
            y = lattice_convolution(x, weight, relations)
            results.append((y.detach(), *torch.autograd.grad(y, (x, weight), grad)))
    for expected, found in zip(*results, strict=True):
        assert (found - expected).norm() <= 1e-5 * expected.norm()


def test_bfloat16_asked_of_kernels_that_do_not_multiply_it_is_refused(instructions):
    with kernels.use("auto"):
        kernels.expect_precision("cpu", torch.bfloat16)
    with kernels.use("native"):
        kernels.expect_precision("cpu", torch.float32)
        if native_bfloat16():
            kernels.expect_precision("cpu", torch.bfloat16)
        else:
            with pytest.raises(CascadeError, match="expected a chip that multiplies bfloat16"):
                kernels.expect_precision("cpu", torch.bfloat16)


def test_what_the_kernels_cannot_do_the_layers_do():
    code = code_named("torus")
    settings = NetworkSettings(convolution="bipartite", width=24, depth=1, depthwise=True)
    network = CascadeNetwork(code, settings)
    geometry = Geometry([memory_lattice(code, 1, "Z")], "bipartite")
    x = torch.randn(geometry.sites, 2, 24)
    with kernels.use("native"):
        found = passed(network, geometry, x, torch.ones_like(x))
    with kernels.use("reference"):
        expected = passed(network, geometry, x, torch.ones_like(x))
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value)
