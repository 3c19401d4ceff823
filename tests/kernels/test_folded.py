"""Folded inference by Triton's kernels: what they say is what the program in NumPy says."""

from contextlib import nullcontext

import numpy as np
import pytest
import torch
import triton.language as tl
from triton.runtime import interpreter

from cascade_qec import circuits, codes, kernels
from cascade_qec.codes import BivariateBicycleCode
from cascade_qec.components import Components
from cascade_qec.engine import LocalTables, LogicalTables, NumPyProgram, Tables, folded
from cascade_qec.error_models import Mechanisms, error_model
from cascade_qec.errors import CascadeWarning
from cascade_qec.kernels import choice
from cascade_qec.kernels import folded as folded_kernels
from cascade_qec.lattice import memory_lattice
from cascade_qec.model import NetworkSettings
from cascade_qec.nn import CascadeNetwork, TorchProgram, state_of
from cascade_qec.nn import program as program_module
from cascade_qec.nn.layers import BatchNorm

pytestmark = pytest.mark.slow

# code, network, operators; of a width that fills no tile, and of one that fills more than one
CASES = {
    "surface": ("surface_d3", {"convolution": "direct", "width": 20, "depth": 1}, "translations"),
    "bicycle": ("small", {"convolution": "bipartite", "width": 64, "depth": 2}, "lightest"),
    "bicycle, direct": ("small", {"convolution": "direct", "width": 72, "bottleneck": 4, "depth": 1}, "observables"),
    "wide": ("small", {"convolution": "bipartite", "width": 64, "bottleneck": 2, "depth": 2}, "lightest"),
    "segments": ("surface_d3", {"convolution": "direct", "width": 20, "depth": 1, "segment_rounds": 1}, "translations"),
    "local": ("surface_d3", {"convolution": "direct", "width": 32, "depth": 1}, None),
}


def programs(case: str, basis: str, device: torch.device, *precisions: str):
    """The program in NumPy, those in PyTorch, and packed shots with many events."""
    name, values, operators = CASES[case]
    code = BivariateBicycleCode(2, 2, "1+x", "1+y") if name == "small" else codes.get(name)
    settings = NetworkSettings(**values)
    lattice = memory_lattice(code, 3 if settings.segment_rounds else 1, basis)
    if operators is None:
        circuit = circuits.memory(code, rounds=1, basis=basis, noise=circuits.UniformDepolarizing(0.01))
        components = Components.of(Mechanisms.of(error_model(circuit)), lattice)
        types, head = len(components.types), LocalTables.of(components)
    else:
        wanted = np.eye(code.k, dtype=np.uint8)
        types, head = None, LogicalTables.of(lattice, operators, wanted, segment_rounds=settings.segment_rounds)
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


@pytest.fixture
def exact_fp8(monkeypatch):
    """The interpreter rounds to FP8 without a carry: 1.97 becomes 1. Chips round as PyTorch does."""
    convert = interpreter._convert_float

    def rounded(x, given, wanted, mode):
        if wanted == tl.float8e4nv and given == tl.float32:
            return torch.from_numpy(x).to(torch.float8_e4m3fn).view(torch.uint8).numpy()
        return convert(x, given, wanted, mode)

    monkeypatch.setattr(interpreter, "_convert_float", rounded)


@pytest.mark.parametrize(
    ("case", "basis", "counts"),
    [
        ("surface", "Z", (17,)),
        ("surface", "X", (1,)),
        ("bicycle", "X", (3,)),
        ("bicycle, direct", "Z", (3,)),
        ("segments", "Z", (3,)),
        ("local", "Z", (3,)),
    ],
)
def test_it_says_what_numpy_says(case, basis, counts, device):
    reference, (program,), packed = programs(case, basis, device, "float32")
    for shots in counts:
        expected, found = reference.evidence(packed[:shots]), by_triton(program, packed[:shots])
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())
    assert by_triton(program, packed[:0]).shape == (0, expected.shape[1])


# Numbers between kernels are rounded to 2^-9 or 2^-12 of themselves, operands in FP8 to 2^-4; a few layers deep.
@pytest.mark.parametrize(("precision", "tolerance"), [("bfloat16", 2e-2), ("float16", 2e-3), ("fp8", 5e-2)])
def test_fewer_bits_cost_little(precision, tolerance, device, exact_fp8):
    reference, (program,), packed = programs("wide", "Z", device, precision)
    expected = reference.evidence(packed[:5])
    with kernels.use("reference"):
        plain = program.evidence(packed[:5])
    for found in (plain, by_triton(program, packed[:5])):
        assert 1e-6 < np.linalg.norm(found - expected) < tolerance * np.linalg.norm(expected)
        assert np.linalg.norm(found - plain) <= tolerance / 2 * np.linalg.norm(expected)


def test_products_in_fp8_are_scaled_by_channel():
    rng = np.random.default_rng(5)
    weight = (rng.normal(size=(3, 40, 6)) * 10.0 ** np.arange(-4, 2)).astype(np.float32)
    product = folded_kernels.Product.of(weight, None, folded_kernels.FP8, torch.device("cpu"))
    assert product.weight.dtype == folded_kernels.FP8
    assert product.weight.stride(-2) == 1  # inputs lie one after the other
    back = product.weight.float().numpy() * product.scale.numpy()
    # half a unit of three bits behind the point, or of the least number, 2^-9 of 448ths of the largest
    least = 2.0**-10 / 448 * np.abs(weight).max(axis=(0, 1))
    assert (np.abs(back - weight) <= np.maximum(2.0**-4 * np.abs(weight), least * 1.001)).all()
    assert (product.weight.float().abs().amax(dim=(0, 1)) == 448).all()
    assert folded_kernels.stored(torch.tensor([1e9, -500.0]), folded_kernels.FP8).tolist() == [448, -448]


class TestGraphs:
    @pytest.fixture
    def sizes(self, monkeypatch) -> list[int]:
        """Shots of the batches for which a graph was captured, on a CPU as if it were a CUDA device."""
        sizes: list[int] = []

        def stand_in(function, packed, *, pool):
            assert pool == "pool"
            sizes.append(len(packed))
            return lambda given: function(given)

        monkeypatch.setattr(program_module, "captured", stand_in)
        monkeypatch.setattr(program_module.kernels, "backend", lambda device: "triton")
        monkeypatch.setattr(torch.cuda, "graph_pool_handle", lambda: "pool")
        monkeypatch.setattr(torch.cuda, "device", nullcontext)
        return sizes

    @staticmethod
    def made(monkeypatch):
        """A program that thinks it is on a CUDA device, by the operations that everything has, and shots."""
        _, (program,), packed = programs("surface", "Z", torch.device("cpu"), "float32")
        expected = program._placed.evidence(torch.from_numpy(packed), folded_kernels).numpy()
        monkeypatch.setattr(program, "_device", torch.device("cuda"))
        monkeypatch.setattr(program, "_moved", torch.tensor)
        monkeypatch.setattr(program, "_by_triton", lambda packed: program._placed.evidence(packed, folded_kernels))
        return program, packed, expected

    def test_there_are_few(self, sizes, monkeypatch):
        program, packed, expected = self.made(monkeypatch)
        for shots in (1, 5, 16, 17, 31, 1, 32, 70):
            np.testing.assert_allclose(program.evidence(packed[:shots]), expected[:shots], rtol=1e-5, atol=1e-5)
        assert sizes == [1, 16, 32, 128]

    def test_large_batches_have_none(self, sizes, monkeypatch):
        program, packed, expected = self.made(monkeypatch)
        monkeypatch.setattr(program, "_graph_shots", 16)
        np.testing.assert_allclose(program.evidence(packed), expected, rtol=1e-5, atol=1e-5)
        assert sizes == []

    def test_one_that_cannot_be_captured_is_told_once(self, sizes, monkeypatch):
        def fails(*_, **__):
            raise RuntimeError("operation not permitted")

        program, packed, expected = self.made(monkeypatch)
        monkeypatch.setattr(program_module, "captured", fails)
        with pytest.warns(CascadeWarning, match="without a CUDA graph, .*: operation not permitted") as told:
            found = [program.evidence(packed[:3]) for _ in range(2)]
        assert len(told) == 1
        np.testing.assert_allclose(found, [expected[:3]] * 2, rtol=1e-5, atol=1e-5)


def test_graphs_can_be_replayed(device):
    """Of every size, and each of them again behind others; on a CPU there are none."""
    reference, (program,), packed = programs("surface", "Z", device, "float32")
    for shots in (1, 17, 1, 16, 17) if device.type == "cuda" else (1,):
        expected, found = reference.evidence(packed[:shots]), by_triton(program, packed[:shots])
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())
    assert sorted(program._graphs) == ([1, 16, 32] if device.type == "cuda" else [])


def test_kernels_that_fail_are_replaced_with_one_warning(monkeypatch):
    def fails(*_):
        raise RuntimeError("no such instruction")

    reference, (program,), packed = programs("surface", "Z", torch.device("cpu"), "float32")
    monkeypatch.setattr(choice, "_failure", None)
    monkeypatch.setattr(program_module.kernels, "backend", lambda device: "triton")
    monkeypatch.setattr(program, "_by_triton", fails)
    with pytest.warns(CascadeWarning, match="plain PyTorch takes over.*no such instruction") as told:
        found = [program.evidence(packed[:3]) for _ in range(2)]
    assert len(told) == 1
    np.testing.assert_allclose(found, [reference.evidence(packed[:3])] * 2, rtol=1e-4, atol=1e-4)
