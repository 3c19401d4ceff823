# codes.get promises no more than a CSSCode.
# pyright: reportAttributeAccessIssue=false

import math

import numpy as np
import pytest
import torch

from cascade_qec import codes
from cascade_qec.lattice import Lattice, data_relations, logical_operators, memory_lattice
from cascade_qec.lattice.relations import segments, site_index
from cascade_qec.nn import Geometry
from cascade_qec.nn.operator_sums import _SumsOverTime


def to_data_qubits(x: torch.Tensor, weight: torch.Tensor, lattice: Lattice) -> torch.Tensor:
    """The last convolution before any sum: [sites, shots, H] to [data sites, shots, H]."""
    table = data_relations(lattice.frame, lattice.slices)
    plane = np.concatenate([np.full(s.stop - s.start, s.plane) for s in table.spans_out])
    by_plane = weight.view(len(weight), table.planes_out, table.relations, -1)[:, plane]
    read = torch.from_numpy(table.table)
    neighbours = x[read.clamp(min=0)] * (read >= 0)[..., None, None]
    return torch.einsum("odrc,drbc->dbo", by_plane, neighbours)


@pytest.mark.parametrize("basis", ["X", "Z"])
@pytest.mark.parametrize(("name", "rounds"), [("surface_d3", 3), ("surface_d5", 1), ("bb72", 2)])
@pytest.mark.parametrize("operators", ["observables", "translations", "lightest", "light"])
def test_an_operator_reads_the_sum_over_its_data_qubits(name, rounds, basis, operators, lively_network):
    style = "direct" if name.startswith("surface") else "bipartite"
    network = lively_network(name, convolution=style)
    lattice = memory_lattice(codes.get(name), rounds, basis)
    x = torch.randn(lattice.sites, 5, network.settings.width, generator=torch.Generator().manual_seed(1))
    y = to_data_qubits(x, network.head.to_data.weight, lattice)
    site_at = site_index(lattice.frame.data_plane_sizes, lattice.slices)
    support = logical_operators(lattice.code, basis, operators).support
    heaviest = lattice.slices * support.sum(axis=1).max()
    expected = torch.stack([y[site_at[:, places].ravel()].sum(dim=0) / heaviest for places in support])
    found = Geometry([lattice], style, operators).operator_sums(x, network.head.to_data.weight)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["surface_d3", "bb72"])
def test_of_each_segment_it_reads_the_data_qubits_in_its_slices(name, lively_network):
    style = "direct" if name.startswith("surface") else "bipartite"
    network = lively_network(name, convolution=style)
    lattices = [memory_lattice(codes.get(name), rounds, basis) for rounds, basis in ((7, "Z"), (2, "X"))]
    x = [torch.randn(one.sites, 5, network.settings.width) for one in lattices]
    expected = []
    for lattice, features in zip(lattices, x, strict=True):
        y = to_data_qubits(features, network.head.to_data.weight, lattice)
        site_at = site_index(lattice.frame.data_plane_sizes, lattice.slices)
        support = logical_operators(lattice.code, lattice.basis).support
        for start, stop in segments(lattice.rounds, 3):
            expected += [y[site_at[start:stop, places].ravel()].sum(dim=0) for places in support]
    found = Geometry(lattices, style, slices=[1, 1], segment_rounds=3).operator_sums(
        torch.cat(x), network.head.to_data.weight
    )
    heaviest = logical_operators(lattices[0].code, "Z").support.sum(axis=1).max()
    torch.testing.assert_close(found, torch.stack(expected) / heaviest, rtol=1e-4, atol=1e-5)


def test_the_gradient_of_segments_is_the_transpose():
    parts = segments(7, 3)
    x = torch.randn(8, 4, 3, generator=torch.Generator().manual_seed(3), requires_grad=True)
    sums = _SumsOverTime.apply(x, parts)
    weight = torch.randn(sums.shape, generator=torch.Generator().manual_seed(4))
    (sums * weight).sum().backward()
    expected = torch.zeros_like(x)
    for (start, stop), (own, later) in zip(parts, zip(*weight.chunk(2, dim=1), strict=True), strict=True):
        expected[start:stop] += own
        expected[start + 1 : stop + 1] += later
    torch.testing.assert_close(x.grad, expected)


def test_an_odd_number_of_segments_flips_an_operator():
    """1 - 2 P(odd) is the product of 1 - 2 P of each."""
    lattices = [memory_lattice(codes.get("surface_d3"), rounds, "Z") for rounds in (7, 2)]
    geometry = Geometry(lattices, "direct", "observables", segment_rounds=3)
    logits = torch.tensor([[3.0, -40.0, 90.0], [-2.0, 0.5, 90.0], [0.1, -7.0, -90.0], [1.5, 2.5, 0.0]])
    found = geometry.operator_sums.together(logits)
    product = (1 - 2 * logits[:3].sigmoid()).prod(dim=0)
    torch.testing.assert_close(1 - 2 * found[0].sigmoid(), product, rtol=1e-4, atol=1e-6)
    assert float(found[0, 2]) == pytest.approx(math.log(3) - 90), "what is almost certain stays so"
    torch.testing.assert_close(found[1], logits[3])


def test_several_lattices_are_read_each_on_its_own(lively_network):
    weight = lively_network("bb72", convolution="bipartite").head.to_data.weight
    lattices = [memory_lattice(codes.get("bb72"), rounds, basis) for rounds, basis in ((1, "Z"), (2, "X"))]
    both = Geometry(lattices, "bipartite")
    assert both.sites == sum(lattice.sites for lattice in lattices)
    assert both.operator_sums.operators == 2 * 84
    x = torch.randn(both.sites, 3, 8, generator=torch.Generator().manual_seed(2))
    parts = x.split([lattice.sites for lattice in lattices])
    alone = [
        Geometry([one], "bipartite").operator_sums(part, weight) for one, part in zip(lattices, parts, strict=True)
    ]
    torch.testing.assert_close(both.operator_sums(x, weight), torch.cat(alone))


def test_on_a_torus_a_translated_syndrome_has_the_same_logits_in_another_order(lively_network):
    code = codes.get("bb72")
    network = lively_network("bb72", convolution="bipartite")
    lattice = memory_lattice(code, 2, "Z")
    geometry = Geometry([lattice], "bipartite")
    states = torch.randint(0, 2, (lattice.sites, 4), dtype=torch.uint8, generator=torch.Generator().manual_seed(2))
    moved = states.clone()
    for kind in ("X", "Z"):
        sites = torch.from_numpy(lattice.check_sites(kind).copy()).view(-1, code.l, code.m)
        moved[sites.roll((1, 4), dims=(1, 2)).flatten()] = states[sites.flatten()]
    here, there = network(states, geometry), network(moved, geometry)
    torch.testing.assert_close(here.sort(dim=1).values, there.sort(dim=1).values, rtol=1e-4, atol=1e-5)
    assert not torch.allclose(here, there, atol=1e-3)


def test_the_silence_of_other_rounds_is_that_of_its_own(lively_network):
    """Of a shot without events: its sums grow with the rounds, what is left of them in segments does not."""
    lattices = [memory_lattice(codes.get("bb72"), rounds, "Z") for rounds in (6, 18)]
    spread = {}
    for segment_rounds in (None, 6):
        network = lively_network("bb72", convolution="bipartite", segment_rounds=segment_rounds)
        geometry = Geometry(lattices, "bipartite", "observables", slices=[7, 7], segment_rounds=segment_rounds)
        silent = [torch.from_numpy(one.scatter(np.zeros((1, one.detectors), bool))) for one in lattices]
        features = network.trunk(torch.cat(silent), geometry, torch.float32)
        sums = geometry.operator_sums(features, network.head.to_data.weight)
        if segment_rounds:
            sums = sums - geometry.operator_sums.silence(sums)
        own, *others = sums.squeeze(1).split(12)
        spread[segment_rounds] = max(float((own.mean(dim=0) - other.mean(dim=0)).abs().max()) for other in others)
    assert spread[6] < 1e-5 < 0.01 < spread[None]


def test_in_segments_a_shot_is_answered_alone_as_beside_others(lively_network):
    lattices = [memory_lattice(codes.get("surface_d3"), rounds, basis) for rounds in (3, 7) for basis in ("Z", "X")]
    network = lively_network("surface_d3", convolution="direct", segment_rounds=3)
    geometry = Geometry(lattices, "direct", slices=[4] * 4, segment_rounds=3)
    events = [np.random.default_rng(3).random((5, lattice.detectors)) < 0.2 for lattice in lattices]
    states = torch.cat([torch.from_numpy(lattice.scatter(e)) for lattice, e in zip(lattices, events, strict=True)])
    together = network(states, geometry)
    assert together.shape[0] == 5
    for shot in range(5):
        torch.testing.assert_close(network(states[:, shot : shot + 1], geometry), together[shot : shot + 1])
