"""The kernels in C++ in bfloat16, against the layers with what they multiply and keep rounded alike."""

import copy
from statistics import mean

import pytest
import torch
import torch.nn.functional as F

from cascade_qec import kernels
from cascade_qec.kernels import lattice_convolution
from cascade_qec.native import native_bfloat16, set_threads
from tests.kernels.test_compiled import built, passed

pytestmark = pytest.mark.skipif(not native_bfloat16(), reason="kernels and a chip that multiply bfloat16")


class Rounded(torch.autograd.Function):
    """The nearest bfloat16 of a number, and of its gradient unless it is a weight's."""

    @staticmethod
    def forward(ctx, x, weight):
        ctx.weight = weight
        return x.to(torch.bfloat16).to(x.dtype)

    @staticmethod
    def backward(ctx, gradient):
        return gradient if ctx.weight else gradient.to(torch.bfloat16).to(gradient.dtype), None


def kept(x):
    return Rounded.apply(x, False)


def emulated(network, geometry, x):
    """The trunk's result in float64, of rounded operands."""
    for block in network.trunk.blocks:
        y = kept(kept(F.silu(block.norm_in(x))) @ Rounded.apply(block.down.weight, True).T)
        for norm, convolution, step in zip(block.norms, block.convolutions, geometry.steps, strict=True):
            y = kept(kept(F.silu(norm(y))))
            weight = Rounded.apply(convolution.weight, True)
            y = kept(lattice_convolution(y, weight.view(step.planes_out, -1, weight.shape[1]), step))
        up = Rounded.apply(block.up.weight * block.scale, True)
        x = x + kept(F.silu(block.norm_out(y))) @ up.T
    return kept(F.silu(network.trunk.norm_out(x)))


def passed_emulated(network, geometry, x, grad):
    network = copy.deepcopy(network)
    x = x.clone().requires_grad_()
    y = emulated(network, geometry, x)
    y.backward(grad)
    return {"y": y.detach(), "x": x.grad} | {n: p.grad for n, p in network.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("shots", [1, 7, 26])
@pytest.mark.parametrize("case", ["surface", "bicycle", "bicycle, direct"])  # whose channels fill a vector
def test_the_trunk_and_its_gradients_lose_what_rounding_loses(case, shots):
    """Mean loss of the gradients within half of it, as they are rounded in other places than here."""
    network, geometry = built(case)
    x = (3 + torch.randn(geometry.sites, shots, network.settings.width)).bfloat16()
    grad = torch.randn(x.shape).bfloat16()
    with kernels.use("native"):
        found = passed(network, geometry, x, grad)
    network.double()
    with kernels.use("reference"):
        exact = passed(network, geometry, x.double(), grad.double())
        rounded = passed_emulated(network, geometry, x.double(), grad.double())
    assert found.keys() == exact.keys()
    assert found["y"].dtype == found["x"].dtype == torch.bfloat16
    lost, lost_here = (
        {name: float((those[name] - value).norm() / value.norm()) for name, value in exact.items()}
        for those in (rounded, found)
    )
    assert mean(lost_here.values()) < 1.5 * mean(lost.values()) < 0.1, lost_here
    assert max(lost_here.values()) < 3 * max(lost.values())
    assert lost_here["y"] < 1.1 * lost["y"]


def test_the_same_shots_in_as_many_threads_give_the_same_gradients():
    network, geometry = built("bicycle")
    x = torch.randn(geometry.sites, 9, network.settings.width).bfloat16()
    found = []
    for threads in (1, 1, 3, 3):
        set_threads(threads)
        with kernels.use("native"):
            found.append(passed(network, geometry, x, torch.ones_like(x)))
    for name, value in found[0].items():
        assert torch.equal(found[1][name], value)
        assert torch.equal(found[3][name], found[2][name])
