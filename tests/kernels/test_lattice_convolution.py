import importlib
from functools import cache

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cascade_qec import codes
from cascade_qec.codes import BivariateBicycleCode, CSSCode
from cascade_qec.kernels import Relations, lattice_convolution, use
from cascade_qec.lattice import RelationTable, Span, concatenate, convolution_tables, memory_lattice

pytestmark = pytest.mark.slow

MODULE = importlib.import_module("cascade_qec.kernels.lattice_convolution")
TABLES = [
    "surface",
    "gather",
    "spread",
    "direct",
    "surface both",
    "gather both",
    "spread both",
    "direct both",
]


@cache
def table_named(name: str, *, small: bool = False) -> RelationTable:
    """A code's table, or those of both its bases (2 and 3 slices) side by side; small ones for gradcheck."""
    which, both = name.split()[0], "both" in name
    style = "bipartite" if which in ("gather", "spread") else "direct"
    lattices = [memory_lattice(_code(which, small), rounds, basis) for rounds, basis in ((1, "Z"), (2, "X"))]
    steps = [convolution_tables(lattice.frame, style, lattice.slices) for lattice in lattices[: 2 if both else 1]]
    return concatenate([tables[1 if which == "spread" else 0] for tables in steps])


@cache
def _code(which: str, small: bool) -> CSSCode:
    if which == "surface":
        return codes.get("surface_d3")
    return BivariateBicycleCode(2, 2, "1+x", "1+y") if small else codes.get("bb72")


def naive(x: torch.Tensor, weight: torch.Tensor, table: RelationTable) -> torch.Tensor:
    """y[s, b, :] = sum_r W[plane(s), r] x[table[s, r], b, :], as the formula reads."""
    plane = torch.cat([torch.full((s.stop - s.start,), s.plane) for s in table.spans_out])
    depthwise = weight.dim() == 2
    weight = weight.unflatten(-1, (table.relations, x.shape[2]))
    y = 0
    for r in range(table.relations):
        read = torch.from_numpy(table.table[:, r])
        neighbour = x[read.clamp(min=0)] * (read >= 0)[:, None, None]
        by_site = weight[plane, ..., r, :]
        y = y + (by_site[:, None] * neighbour if depthwise else torch.einsum("soi,sbi->sbo", by_site, neighbour))
    return y


def random_case(
    table: RelationTable,
    depthwise: bool,
    shots: int,
    channels: tuple[int, int],
    seed: int,
    dtype: torch.dtype,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Input, weight and output gradient; the sums over relations and channels are of order one."""
    rng = torch.Generator().manual_seed(seed)
    channels_in, channels_out = (channels[0], channels[0]) if depthwise else channels
    fan_in = table.relations if depthwise else table.relations * channels_in
    shape = (table.planes_out,) if depthwise else (table.planes_out, channels_out)
    x = torch.randn(table.sites_in, shots, channels_in, generator=rng, dtype=torch.float64)
    weight = torch.randn(*shape, table.relations * channels_in, generator=rng, dtype=torch.float64)
    grad = torch.randn(table.sites_out, shots, channels_out, generator=rng, dtype=torch.float64)
    return x.to(dtype), (weight * fan_in**-0.5).to(dtype), grad.to(dtype)


def forward_and_gradients(
    operation, x: torch.Tensor, weight: torch.Tensor, grad: torch.Tensor, relations
) -> tuple[torch.Tensor, ...]:
    x, weight = x.clone().requires_grad_(), weight.clone().requires_grad_()
    y = operation(x, weight, relations)
    return y.detach(), *torch.autograd.grad(y, (x, weight), grad)


@pytest.fixture(params=[1, 50_000, MODULE._CHUNK_BYTES], ids=["site by site", "some sites", "all sites"])
def chunk_bytes(request, monkeypatch) -> int:
    """Neighbours gathered at a time, whatever the number of cores."""
    monkeypatch.setattr(MODULE, "_CHUNK_BYTES", max(1, request.param // torch.get_num_threads()))
    return request.param


@pytest.mark.parametrize("depthwise", [False, True], ids=["dense", "depthwise"])
@pytest.mark.parametrize("name", TABLES)
def test_output_and_gradients_are_those_of_the_formula(name, depthwise, chunk_bytes):
    table = table_named(name)
    x, weight, grad = random_case(table, depthwise, 3, (5, 2), seed=1, dtype=torch.float64)
    found = forward_and_gradients(lattice_convolution, x, weight, grad, Relations(table))
    expected = forward_and_gradients(naive, x, weight, grad, table)
    for a, b in zip(found, expected, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-12)


def test_chunks_follow_the_spans(chunk_bytes):
    table = table_named("direct")  # two spans of 72 sites, each of which gathers 66 * 5 * 3 * 8 = 7920 bytes
    relations, rows = Relations(table), torch.zeros(table.sites_in + 1, 5, 3, dtype=torch.float64)
    chunks = list(MODULE._neighbours(rows, relations.table, relations.spans_out))
    step = {1: 1, 50_000: 6}.get(chunk_bytes, 72)
    expected = [slice(start, start + step) for start in range(0, 144, step)]
    assert [sites for sites, _, _ in chunks] == expected
    assert [plane for _, plane, _ in chunks] == [sites.start // 72 for sites in expected]


@pytest.mark.parametrize("shots", [1, 7, 33])
@pytest.mark.parametrize("channels", [(1, 1), (3, 5), (16, 16)])
@pytest.mark.parametrize("depthwise", [False, True], ids=["dense", "depthwise"])
@pytest.mark.parametrize("name", ["surface", "spread"])
def test_odd_sizes(name, depthwise, channels, shots):
    table = table_named(name)
    x, weight, grad = random_case(table, depthwise, shots, channels, seed=2, dtype=torch.float32)
    found = forward_and_gradients(lattice_convolution, x, weight, grad, Relations(table))
    expected = forward_and_gradients(naive, x.double(), weight.double(), grad.double(), table)
    for a, b in zip(found, expected, strict=True):
        # float32 sums of up to some thousand terms of order one
        torch.testing.assert_close(a.double(), b, rtol=1e-5, atol=1e-4)


# Of a tensor's norm. float32 differs from float64 by its rounding, 6e-8, over sums that cancel; bfloat16 by the 4e-3 of
# its operands, which are the same on both sides, and of the result, half a unit of 2^-8 at most.
_TOLERANCE = {torch.float32: 1e-6, torch.bfloat16: 4e-3}


# Every table, dense and depthwise, in both types; tiles that shots and channels fill, overfill and leave half empty.
_TRITON_CASES = [
    ("surface", "dense", torch.float32, 7, (5, 3)),
    ("gather", "dense", torch.bfloat16, 65, (16, 16)),
    ("surface", "depthwise", torch.float32, 1, (5, 5)),
    ("gather both", "dense", torch.float32, 33, (32, 16)),
    ("gather", "depthwise", torch.bfloat16, 66, (16, 16)),
    ("spread", "dense", torch.bfloat16, 1, (64, 64)),
    ("spread both", "depthwise", torch.float32, 3, (3, 3)),
    ("direct", "dense", torch.float32, 7, (3, 20)),
    ("direct", "depthwise", torch.bfloat16, 9, (16, 16)),
    ("spread", "dense", torch.bfloat16, 3, (128, 128)),
]


@pytest.mark.parametrize(("name", "kind", "dtype", "shots", "channels"), _TRITON_CASES)
def test_triton_is_the_formula(name, kind, dtype, shots, channels, device):
    table = table_named(name, small=True)
    x, weight, grad = random_case(table, kind == "depthwise", shots, channels, seed=3, dtype=dtype)
    with use("triton"):
        relations = Relations(table).to(device)
        found = forward_and_gradients(lattice_convolution, x.to(device), weight.to(device), grad.to(device), relations)
    expected = forward_and_gradients(naive, x.double(), weight.double(), grad.double(), table)
    for a, b in zip(found, expected, strict=True):
        assert a.dtype == dtype
        assert (a.cpu().double() - b).norm() <= _TOLERANCE[dtype] * b.norm()


def test_triton_sums_in_one_order_whatever_finishes_first(device):
    table = table_named("gather", small=True)
    x, weight, grad = random_case(table, False, 70, (16, 16), seed=5, dtype=torch.float32)
    with use("triton"):
        arguments = (x.to(device), weight.to(device), grad.to(device), Relations(table).to(device))
        once, twice = (forward_and_gradients(lattice_convolution, *arguments) for _ in range(2))
    for a, b in zip(once, twice, strict=True):
        assert torch.equal(a, b)


def test_triton_takes_tensors_that_are_not_contiguous(device):
    table = table_named("gather", small=True)
    x, weight, grad = random_case(table, False, 6, (16, 16), seed=4, dtype=torch.float32)
    expected = forward_and_gradients(naive, x.double(), weight.double(), grad.double(), table)
    x, grad = (t.transpose(0, 1).contiguous().transpose(0, 1) for t in (x, grad))
    with use("triton"):
        relations = Relations(table).to(device)
        found = forward_and_gradients(lattice_convolution, x.to(device), weight.to(device), grad.to(device), relations)
    for a, b in zip(found, expected, strict=True):
        assert (a.cpu().double() - b).norm() <= _TOLERANCE[torch.float32] * b.norm()


@given(
    sites=st.integers(1, 9),
    planes=st.integers(1, 3),
    relations=st.integers(1, 4),
    shots=st.integers(1, 4),
    depthwise=st.booleans(),
    seed=st.integers(0, 2**32),
)
@settings(deadline=None, max_examples=60)
def test_any_table(sites, planes, relations, shots, depthwise, seed):
    # Relation r leads from input plane p to output plane (p + r) mod planes, for a random half of the sites.
    rng = np.random.default_rng(seed)
    spans = tuple(Span(p * sites, (p + 1) * sites, p) for p in range(planes))
    columns = [
        np.concatenate([(p - r) % planes * sites + rng.permutation(sites) for p in range(planes)])
        for r in range(relations)
    ]
    present = rng.random((planes * sites, relations)) < 0.5
    table = RelationTable(np.where(present, np.stack(columns, axis=1), -1), spans, spans)
    x, weight, grad = random_case(table, depthwise, shots, (2, 3), seed=seed, dtype=torch.float64)
    found = forward_and_gradients(lattice_convolution, x, weight, grad, Relations(table))
    expected = forward_and_gradients(naive, x, weight, grad, table)
    for a, b in zip(found, expected, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("depthwise", [False, True], ids=["dense", "depthwise"])
@pytest.mark.parametrize("name", ["surface", "gather", "spread", "direct"])
def test_gradcheck(name, depthwise):
    table = table_named(name, small=True)
    x, weight, _ = random_case(table, depthwise, 1, (1, 2), seed=3, dtype=torch.float64)
    inputs = (x.requires_grad_(), weight.requires_grad_(), Relations(table))
    assert torch.autograd.gradcheck(lattice_convolution, inputs)


@pytest.mark.parametrize("depthwise", [False, True], ids=["dense", "depthwise"])
@pytest.mark.parametrize("name", ["surface", "gather", "spread", "direct"])
def test_bfloat16(name, depthwise):
    table = table_named(name)
    x, weight, grad = random_case(table, depthwise, 9, (8, 8), seed=4, dtype=torch.bfloat16)
    found = forward_and_gradients(lattice_convolution, x, weight, grad, Relations(table))
    expected = forward_and_gradients(naive, x.double(), weight.double(), grad.double(), table)
    for a, b in zip(found, expected, strict=True):
        assert a.dtype == torch.bfloat16
        # The inputs are exact and sums run in float32. What is rounded to 8 bits are results and, before
        # their sum, products (depthwise) or each site's share of a weight's gradient: at most 2^-9 each time.
        assert (a.double() - b).norm() < 2**-8 * b.norm()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=["float32", "bfloat16"])
@pytest.mark.parametrize("depthwise", [False, True], ids=["dense", "depthwise"])
def test_gradients_are_the_same_bits_every_time(depthwise, dtype):
    table = table_named("direct both")
    case = random_case(table, depthwise, 17, (8, 8), seed=5, dtype=dtype)
    relations = Relations(table)
    first, second = (forward_and_gradients(lattice_convolution, *case, relations) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def test_tables_are_not_part_of_a_models_weights():
    assert Relations(table_named("surface")).state_dict() == {}
