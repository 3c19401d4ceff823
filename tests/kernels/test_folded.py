"""Folded inference by Triton's kernels: what they say is what the program in NumPy says."""

import numpy as np
import pytest
import torch

from cascade_qec import circuits, codes, kernels
from cascade_qec.codes import BivariateBicycleCode
from cascade_qec.components import Components
from cascade_qec.engine import LocalTables, LogicalTables, NumPyProgram, Tables, folded
from cascade_qec.error_models import Mechanisms, error_model
from cascade_qec.lattice import memory_lattice
from cascade_qec.model import NetworkSettings
from cascade_qec.nn import CascadeNetwork, TorchProgram, state_of
from cascade_qec.nn.layers import BatchNorm

# code, network, operators; of a width that fills no tile, and of one that fills more than one
CASES = {
    "surface": ("surface_d3", {"convolution": "direct", "width": 20, "depth": 2}, "translations"),
    "bicycle": ("small", {"convolution": "bipartite", "width": 64, "depth": 2}, "lightest"),
    "bicycle, direct": ("small", {"convolution": "direct", "width": 136, "bottleneck": 4, "depth": 1}, "observables"),
    "local": ("surface_d3", {"convolution": "direct", "width": 32, "depth": 2}, None),
}


def programs(case: str, basis: str, device: torch.device, *precisions: str):
    """The program in NumPy, those in PyTorch, and packed shots with many events."""
    name, values, operators = CASES[case]
    code = BivariateBicycleCode(2, 2, "1+x", "1+y") if name == "small" else codes.get(name)
    lattice, settings = memory_lattice(code, 1, basis), NetworkSettings(**values)
    if operators is None:
        circuit = circuits.memory(code, rounds=1, basis=basis, noise=circuits.UniformDepolarizing(0.01))
        components = Components.of(Mechanisms.of(error_model(circuit)), lattice)
        types, head = len(components.types), LocalTables.of(components)
    else:
        types, head = None, LogicalTables.of(lattice, operators, np.eye(code.k, dtype=np.uint8))
    torch.manual_seed(3)
    network = CascadeNetwork(code, settings, types).eval().requires_grad_(False)
    torch.nn.init.normal_(network.head.output)
    for norm in (m for m in network.modules() if isinstance(m, BatchNorm)):
        norm.weight.uniform_(0.5, 1.5)
        norm.variance.uniform_(0.5, 2)
        norm.bias.normal_()
        norm.mean.normal_()
    weights = folded(state_of(network), code, convolution=settings.convolution, depthwise=settings.depthwise)
    tables = Tables.of(lattice, settings.convolution)
    events = np.random.default_rng(4).random((70, lattice.detectors)) < 0.2
    made = [TorchProgram(weights, tables, head, device, precision) for precision in precisions]
    return NumPyProgram(weights, tables, head), made, np.packbits(events, axis=1, bitorder="little")


def by_triton(program: TorchProgram, packed: np.ndarray) -> np.ndarray:
    with kernels.use("triton"):
        return program.evidence(packed)


@pytest.mark.parametrize(("case", "basis", "counts"), [("surface", "Z", (19, 1)), ("surface", "X", (7,)), ("bicycle", "X", (5,)), ("bicycle, direct", "Z", (3,)), ("local", "Z", (3,))])
def test_it_says_what_numpy_says(case, basis, counts, device):
    reference, (program,), packed = programs(case, basis, device, "float32")
    for shots in counts:
        expected, found = reference.evidence(packed[:shots]), by_triton(program, packed[:shots])
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())
    assert by_triton(program, packed[:0]).shape == (0, expected.shape[1])
