"""The coordinate check of MuP: what a step changes must not depend on the width."""

import pytest
import torch
import torch.nn.functional as F

from cascade_qec import codes, kernels
from cascade_qec.circuits import UniformDepolarizing, memory
from cascade_qec.lattice import memory_lattice
from cascade_qec.model import NetworkSettings
from cascade_qec.nn import CascadeNetwork, Geometry, LogicalHead
from cascade_qec.training.optimizers import Optimizers
from cascade_qec.training.recipe import OptimizerSettings

pytestmark = pytest.mark.slow

WIDTHS = (24, 64, 192)
STEPS = 4


def sizes_before_and_changes_after_training(width: int) -> tuple[dict[str, float], dict[str, float]]:
    """Root mean square of each activation at the start, and of its change after a few steps."""
    code = codes.get("surface_d3")
    lattice = memory_lattice(code, 3, "Z")
    circuit = memory(code, rounds=3, noise=UniformDepolarizing(0.01))
    events, flips = circuit.compile_detector_sampler(seed=1).sample(32, separate_observables=True)
    states, labels = torch.from_numpy(lattice.scatter(events)), torch.from_numpy(flips).float()
    geometry = Geometry([lattice], "direct", "observables")

    torch.manual_seed(0)
    network = CascadeNetwork(code, NetworkSettings(width=width, depth=2, convolution="direct"))
    optimizers = Optimizers(network, OptimizerSettings(steps=1000, muon_lr=0.01, lion_lr=5e-4, warmup_steps=0))
    assert isinstance(network.head, LogicalHead)
    watched: dict[str, torch.nn.Module] = {"sums": geometry.operator_sums, "hidden": network.head.hidden}
    for index, block in enumerate(network.trunk.blocks):
        watched |= {f"block {index}": block, f"convolution {index}": block.get_submodule("convolutions.0")}
    activations: dict[str, torch.Tensor] = {}

    def watch(name: str, module: torch.nn.Module) -> None:
        module.register_forward_hook(lambda _, __, y: activations.update({name: y.detach()}))

    for name, module in watched.items():
        watch(name, module)

    def look() -> dict[str, torch.Tensor]:
        with torch.no_grad(), kernels.use("reference"):  # whose layers can be watched
            logits = network(states, geometry)
        return activations | {"logits": logits}

    start = look()
    for step in range(STEPS):
        F.binary_cross_entropy_with_logits(network(states, geometry), labels).backward()
        optimizers.step(step)
    end = look()
    sizes = {name: y.square().mean().sqrt().item() for name, y in start.items()}
    changes = {name: (end[name] - y).square().mean().sqrt().item() for name, y in start.items()}
    return sizes, changes


@pytest.fixture(scope="module")
def by_width() -> dict[int, tuple[dict[str, float], dict[str, float]]]:
    return {width: sizes_before_and_changes_after_training(width) for width in WIDTHS}


def test_initial_activations_are_of_order_one_at_every_width(by_width):
    for sizes, _ in by_width.values():
        assert sizes["logits"] == 0
        assert all(0.1 < size < 2 for name, size in sizes.items() if name != "logits")


def test_a_few_steps_change_activations_and_logits_alike_at_every_width(by_width):
    # Widths differ by a factor of 8: an update that grows or shrinks with the width shows as that factor or
    # as its root, 2.8.
    for name in by_width[WIDTHS[0]][1]:
        changes = [by_width[width][1][name] for width in WIDTHS]
        assert max(changes) < 2 * min(changes), f"{name}: {changes}"
        assert min(changes) > 0.01, f"{name}: {changes}"
