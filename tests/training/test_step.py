"""One step: its sums, its update, and the graph that may stand for its micro-batches."""

import copy
import warnings
from collections.abc import Iterator

import pytest
import torch
import torch.nn.functional as F

from cascade_qec import codes
from cascade_qec.errors import CascadeError, CascadeWarning
from cascade_qec.lattice import memory_lattice
from cascade_qec.nn import CascadeNetwork, Geometry
from cascade_qec.training import Recipe
from cascade_qec.training import step as step_module
from cascade_qec.training.data import TRAINING, sample
from cascade_qec.training.feed import Examples
from cascade_qec.training.step import Step


class Stepper:
    """A `Step` and all that it works on."""

    def __init__(self, recipe: Recipe, device: torch.device, *, graph: bool = True) -> None:
        torch.manual_seed(recipe.seed)
        code = codes.get(recipe.code)
        self.recipe = recipe
        self.network = CascadeNetwork(code, recipe.network).to(device)
        self.average = copy.deepcopy(self.network).requires_grad_(False)
        lattices = [memory_lattice(code, recipe.rounds, basis) for basis in recipe.bases]
        self.geometry = Geometry(lattices, recipe.network.convolution).to(device)
        self.unpack = Examples(recipe, device)
        self.micros = range(recipe.batch.micro_batches)
        self.step = Step(
            self.network,
            self.average,
            self.geometry,
            self.unpack.questions,
            recipe,
            device=device,
            dtype=torch.float32,
            micros=self.micros,
            graph=graph,
        )

    def batches(self, number: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        for micro in self.micros:
            yield self.unpack(sample(self.recipe, TRAINING, number, micro, self.recipe.batch.shots))

    def take(self, steps: int) -> list[torch.Tensor]:
        return [self.step(self.batches(number), number) for number in range(steps)]


def test_the_average_follows_quickly_at_first_and_then_with_its_decay(tiny, device):
    stepper = Stepper(tiny(optimizer={"ema": 0.35}), device)
    expected = [parameter.clone() for parameter in stepper.average.parameters()]
    for number, decay in enumerate((0.1, 2 / 11, 0.25, 4 / 13, 0.35)):
        stepper.step(stepper.batches(number), number)
        for average, found, parameter in zip(
            expected, stepper.average.parameters(), stepper.network.parameters(), strict=True
        ):
            average.mul_(decay).add_((1 - decay) * parameter.detach())
            torch.testing.assert_close(found, average)


@pytest.mark.parametrize("loss", ["operators", "classes"])
def test_micro_batches_are_one_batch_in_parts(tiny, device, loss):
    """Of a linear loss: the gradient is the mean over micro-batches, and so is the reported loss of the operators."""
    recipe = tiny(loss=loss, batch={"micro_batches": 3})
    whole = Stepper(recipe, device)
    gradients = []
    whole.step.optimizers.step = lambda step: gradients.extend(p.grad.clone() for p in whole.network.parameters())
    (losses,) = whole.take(1)
    of_operators, of_classes = [], []
    for states, labels in whole.batches(0):
        logits = whole.network(states, whole.geometry)
        of_operators.append(F.binary_cross_entropy_with_logits(logits, labels, reduction="none").mean(0))
        # of one observable: the lines across the code say together what they say in the mean
        means = [part.mean(dim=1) for part in (logits * (1 - 2 * labels)).split(logits.shape[1] // 2, dim=1)]
        of_classes.append(F.softplus(torch.cat(means)).mean())
    expected = torch.stack(of_operators).mean(0)
    torch.testing.assert_close(losses, expected.detach())
    (expected.mean() + (torch.stack(of_classes).mean() if loss == "classes" else 0)).backward()
    norm = torch.stack([p.grad.norm() for p in whole.network.parameters()]).norm()
    scale = min(1.0, recipe.optimizer.clip / norm.item())
    for gradient, parameter in zip(gradients, whole.network.parameters(), strict=True):
        torch.testing.assert_close(gradient, parameter.grad * scale, atol=1e-6, rtol=1e-4)


def test_sums_begin_at_zero_in_the_same_place(tiny, device):
    stepper = Stepper(tiny(), device)
    places = [parameter.grad.data_ptr() for parameter in stepper.network.parameters()]
    losses = []
    for number in range(2):
        batch = next(stepper.batches(number))
        losses.append(stepper.step.forward_backward(*batch).clone())
        assert any(parameter.grad.any() for parameter in stepper.network.parameters())
        torch.testing.assert_close(stepper.step.update(number), losses[-1])
        assert not any(parameter.grad.any() for parameter in stepper.network.parameters())
    assert not torch.equal(*losses)
    assert places == [parameter.grad.data_ptr() for parameter in stepper.network.parameters()]


def test_nothing_waits_for_the_device(tiny, device):
    stepper = Stepper(tiny(), device)
    stepper.take(2)  # tunes, captures and makes the optimizers' state
    batch = next(stepper.batches(2))
    cuda = device.type == "cuda"
    if cuda:
        torch.cuda.set_sync_debug_mode("error")
    try:
        losses = stepper.step(iter([batch]), 2)
    finally:
        if cuda:
            torch.cuda.set_sync_debug_mode("default")
    assert torch.isfinite(losses).all()


class TestGraph:
    def assert_same(self, one: Stepper, other: Stepper, **tolerance: float) -> None:
        for network in ("network", "average"):
            weights = [getattr(stepper, network).parameters() for stepper in (one, other)]
            for found, expected in zip(*weights, strict=True):
                torch.testing.assert_close(found, expected, **tolerance)

    def test_steps_are_those_without_one(self, tiny, device):
        recipe = tiny(batch={"micro_batches": 2})
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            found, expected = Stepper(recipe, device), Stepper(recipe, device, graph=False)
            losses = [torch.stack(stepper.take(4)) for stepper in (found, expected)]
        torch.testing.assert_close(*losses, atol=1e-5, rtol=1e-4)
        self.assert_same(found, expected, atol=1e-5, rtol=1e-4)

    def stand_in(self, monkeypatch, error: Exception | None = None) -> None:
        """For `captured` where there is no CUDA: it warms up, and then may fail."""

        def captured(function, *inputs):
            for _ in range(3):
                function(*inputs)
            if error is not None:
                raise error
            return function

        monkeypatch.setattr(step_module, "captured", captured)

    def test_the_warm_up_leaves_no_trace(self, tiny, monkeypatch):
        cpu = torch.device("cpu")
        self.stand_in(monkeypatch)
        found, expected = Stepper(tiny(), cpu), Stepper(tiny(), cpu)
        found.step._graph = True
        for stepper in (found, expected):
            stepper.step.forward_backward(*next(stepper.batches(9)))  # the sums before the capture may not be zero
        found.step._run = None
        for losses_found, losses_expected in zip(found.take(3), expected.take(3), strict=True):
            assert torch.equal(losses_found, losses_expected)
        self.assert_same(found, expected, atol=0, rtol=0)

    def test_a_failing_capture_is_told_once_and_makes_no_difference(self, tiny, monkeypatch):
        cpu = torch.device("cpu")
        self.stand_in(monkeypatch, RuntimeError("operation not permitted when stream is capturing"))
        found, expected = Stepper(tiny(), cpu), Stepper(tiny(), cpu)
        found.step._graph = True
        with pytest.warns(CascadeWarning, match="without a CUDA graph, .*: operation not permitted") as told:
            found.take(3)
        assert len(told) == 1
        expected.take(3)
        self.assert_same(found, expected, atol=0, rtol=0)

    def test_too_little_memory_is_no_failing_capture(self, tiny, monkeypatch):
        self.stand_in(monkeypatch, torch.OutOfMemoryError("CUDA out of memory"))
        stepper = Stepper(tiny(), torch.device("cpu"))
        stepper.step._graph = True
        with pytest.raises(CascadeError, match=r"lower batch\.shots"):
            stepper.take(1)


def test_too_little_memory(tiny, device, monkeypatch):
    def forward(*arguments):
        raise torch.OutOfMemoryError("CUDA out of memory")

    stepper = Stepper(tiny(batch={"micro_batches": 3}), device)
    monkeypatch.setattr(stepper.network, "forward", forward)
    message = (
        rf"a micro-batch of 8 shots does not fit into the memory of {device}: "
        r"lower batch\.shots and raise batch\.micro_batches, now 3, by the same factor"
    )
    with pytest.raises(CascadeError, match=message):
        stepper.take(1)
