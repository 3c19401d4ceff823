"""Muon and Lion: which takes what, at which rates, and their state."""

import copy
from pathlib import Path

import lion_pytorch
import pytest
import torch

from cascade_qec import codes
from cascade_qec.model import NetworkSettings
from cascade_qec.nn import CascadeNetwork
from cascade_qec.training import optimizers as optimizers_module
from cascade_qec.training.optimizers import Muon, Optimizers, learning_rate_factor
from cascade_qec.training.recipe import OptimizerSettings, Recipe
from workshop.queue.kept import load_kept

CHECKPOINTS = Path(__file__).parents[2] / "checkpoints"


def network(width: int = 16) -> CascadeNetwork:
    torch.manual_seed(3)
    settings = NetworkSettings(width=width, depth=1, convolution="direct")
    return CascadeNetwork(codes.get("surface_d3"), settings)


def give_gradients(network: CascadeNetwork, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    for parameter in network.parameters():
        parameter.grad = torch.randn(parameter.shape, generator=generator)


def settings(**changes) -> OptimizerSettings:
    fields = {
        "steps": 100,
        "muon_lr": 0.02,
        "lion_lr": 1e-3,
        "base_width": 64,
        "warmup_steps": 0,
        "weight_decay": 0,
    }
    return OptimizerSettings(**(fields | changes))


def moves(width: int, **changes) -> dict[str, torch.Tensor]:
    """By how much the first step changes each parameter."""
    net = network(width)
    before = {name: parameter.detach().clone() for name, parameter in net.named_parameters()}
    optimizers = Optimizers(net, settings(**changes))
    give_gradients(net, seed=1)
    optimizers.step(0)
    return {name: parameter.detach() - before[name] for name, parameter in net.named_parameters()}


MATRICES = {
    "trunk.blocks.0.down.weight",
    "trunk.blocks.0.convolutions.0.weight",
    "trunk.blocks.0.up.weight",
    "head.to_data.weight",
    "head.hidden.weight",
}


@pytest.mark.parametrize("width", [8, 16])
def test_lion_moves_every_entry_by_its_rate_and_muon_matrices_by_a_norm(width):
    for name, move in moves(width).items():
        if name in MATRICES:
            rows, columns = move.shape
            norms = torch.linalg.svdvals(move) / (0.02 * max(1, rows / columns) ** 0.5)
            # Newton and Schulz's five steps bring singular values near 1, not to it
            assert 0.3 < norms.min() <= norms.max() < 1.4, name
        else:
            rate = 1e-3 * 64 / width if name == "head.output" else 1e-3
            torch.testing.assert_close(move.abs(), torch.full_like(move, rate), atol=1e-6, rtol=0)


def test_weights_decay_but_vectors_do_not():
    plain, decayed = moves(8), moves(8, weight_decay=0.5)
    start = dict(network(8).named_parameters())
    for name, move in decayed.items():
        rate = 0.02 if name in MATRICES else 1e-3 * 64 / 8 if name == "head.output" else 0.0
        expected = plain[name] - 0.5 * rate * start[name].detach()
        torch.testing.assert_close(move, expected, atol=1e-6, rtol=1e-4)


def test_the_rate_of_the_step_is_used():
    fast, slow = moves(8), moves(8, warmup_steps=4)
    for name in fast:
        torch.testing.assert_close(slow[name], fast[name] / 4, atol=1e-6, rtol=1e-3)


def test_state_goes_on_as_if_nothing_had_happened():
    straight = network()
    optimizers = Optimizers(straight, settings())
    for step in range(3):
        give_gradients(straight, seed=step)
        optimizers.step(step)
        if step == 1:
            resumed = network()
            resumed.load_state_dict(straight.state_dict())
            later = Optimizers(resumed, settings())
            later.load_state_dict(copy.deepcopy(optimizers.state_dict()))
    give_gradients(resumed, seed=2)
    later.step(2)
    for expected, found in zip(straight.parameters(), resumed.parameters(), strict=True):
        assert torch.equal(expected, found)


class TestMuon:
    SHAPES = ((8, 24), (24, 8), (8, 24), (16, 16), (24, 8), (8, 24), (1, 5), (7, 1))

    def matrices(self, device: torch.device) -> list[torch.nn.Parameter]:
        generator = torch.Generator().manual_seed(5)
        return [torch.nn.Parameter(torch.randn(shape, generator=generator).to(device)) for shape in self.SHAPES]

    def give_gradients(self, matrices: list[torch.nn.Parameter], step: int) -> None:
        generator = torch.Generator().manual_seed(step)
        for matrix in matrices:
            matrix.grad = (10.0**-step * torch.randn(matrix.shape, generator=generator)).to(matrix.device)

    def test_moves_as_torch_does(self, device):
        start, own, one_by_one = (self.matrices(device) for _ in range(3))
        optimizers = [
            (own, Muon(own, lr=0.02, weight_decay=0.1)),
            (one_by_one, torch.optim.Muon(one_by_one, lr=0.02, weight_decay=0.1)),
        ]
        for step in range(6):
            for matrices, optimizer in optimizers:
                self.give_gradients(matrices, step)
                optimizer.step()
        for first, found, expected in zip(start, own, one_by_one, strict=True):
            # both round to bfloat16 (2**-9) after each of fifteen products, but may sum those in another order
            assert (found - expected).norm() <= 0.02 * (expected - first).norm()

    @pytest.mark.parametrize("one_by_one_first", [True, False])
    def test_state_is_that_of_torch(self, one_by_one_first, device, monkeypatch):
        monkeypatch.setattr("cascade_qec.training.optimizers.bfloat16_pays", lambda device: True)  # as torch has it
        classes = [torch.optim.Muon, Muon][:: 1 if one_by_one_first else -1]
        found, expected = self.matrices(device), self.matrices(device)
        first, later = classes[0](found, lr=0.02, weight_decay=0.1), classes[1](found, lr=0.5, weight_decay=0.5)
        throughout = Muon(expected, lr=0.02, weight_decay=0.1)
        for step, optimizer in enumerate((first, later)):
            if optimizer is later:
                later.load_state_dict(copy.deepcopy(first.state_dict()))
            for matrices, each in ((found, optimizer), (expected, throughout)):
                self.give_gradients(matrices, step)
                each.step()
        for one, other in zip(found, expected, strict=True):
            torch.testing.assert_close(one, other, atol=0.02 * 0.02, rtol=0)
            torch.testing.assert_close(later.state[one], throughout.state[other])


def test_a_checkpoint_of_one_by_one_optimizers_goes_on(monkeypatch):
    """surface_d5 was trained with torch's Muon and the plain Lion."""
    state = load_kept(CHECKPOINTS / "surface_d5" / "checkpoint.pt")
    recipe = Recipe.model_validate_json(state["recipe"])

    def one_step_on() -> CascadeNetwork:
        net = CascadeNetwork(codes.get(recipe.code), recipe.network)
        net.load_state_dict(state["network"])
        optimizers = Optimizers(net, recipe.optimizer)
        optimizers.load_state_dict(copy.deepcopy(state["optimizers"]))
        give_gradients(net, seed=1)
        optimizers.step(state["step"])
        return net

    found = one_step_on()
    monkeypatch.setattr(optimizers_module, "Muon", torch.optim.Muon)
    monkeypatch.setattr(optimizers_module, "Lion", lion_pytorch.Lion)
    for (name, one), other in zip(found.named_parameters(), one_step_on().parameters(), strict=True):
        move = (other - state["network"][name]).norm()
        assert move > 0
        # fifteen products, each of which torch rounds to bfloat16, 2**-9: 2.2 % here
        assert (one - other).norm() <= 0.03 * move, name


class TestLearningRateFactor:
    def test_warm_up_then_cosine_to_the_final_share(self):
        shape = settings(steps=110, warmup_steps=10, final_lr=0.1)
        assert [learning_rate_factor(shape, step) for step in (0, 4, 9)] == pytest.approx([0.1, 0.5, 1.0])
        assert [learning_rate_factor(shape, step) for step in (10, 60, 110)] == pytest.approx([1.0, 0.55, 0.1])
        factors = [learning_rate_factor(shape, step) for step in range(10, 111)]
        assert factors == sorted(factors, reverse=True)

    def test_without_warm_up(self):
        assert learning_rate_factor(settings(warmup_steps=0, final_lr=0), 0) == 1.0
        assert learning_rate_factor(settings(warmup_steps=0, final_lr=0), 100) == pytest.approx(0)

    def test_a_warm_up_longer_than_the_run(self):
        shape = settings(steps=5, warmup_steps=1000)
        assert [learning_rate_factor(shape, step) for step in (0, 4)] == pytest.approx([1e-3, 5e-3])
