import numpy as np
import pytest
import torch

from cascade_qec import codes
from cascade_qec.lattice import Lattice, memory_lattice
from cascade_qec.lattice.relations import site_index
from cascade_qec.nn import Geometry


def to_data_qubits(x: torch.Tensor, weight: torch.Tensor, lattice: Lattice) -> torch.Tensor:
    """The last convolution before any pooling: [sites, shots, H] to [data sites, shots, H]."""
    table = lattice.frame.readout(lattice.slices)
    plane = np.concatenate([np.full(s.stop - s.start, s.plane) for s in table.spans_out])
    by_plane = weight.view(len(weight), table.planes_out, table.relations, -1)[:, plane]
    read = torch.from_numpy(table.table)
    neighbours = x[read.clamp(min=0)] * (read >= 0)[..., None, None]
    return torch.einsum("odrc,drbc->dbo", by_plane, neighbours)


@pytest.mark.parametrize("basis", ["X", "Z"])
@pytest.mark.parametrize(("code", "convolution"), [("surface_d3", "direct"), ("bb72", "bipartite")])
def test_pooling_first_is_the_mean_over_what_the_data_qubits_read(code, convolution, basis, lively_network):
    network = lively_network(code, convolution=convolution)
    lattice = memory_lattice(codes.get(code), 2, basis)
    x = torch.randn(lattice.sites, 5, network.settings.width, generator=torch.Generator().manual_seed(1))
    y = to_data_qubits(x, network.readout.weight, lattice)
    site_at = site_index(lattice.frame.data_plane_sizes, lattice.slices)
    expected = [y[site_at[:, support].ravel()].mean(dim=0) for support in lattice.frame.support]
    found = network.readout(Geometry([lattice], convolution).pool(x))
    torch.testing.assert_close(found, torch.stack(expected))


def test_several_lattices_are_pooled_each_on_its_own():
    lattices = [memory_lattice(codes.get("bb72"), rounds, basis) for rounds, basis in ((1, "Z"), (2, "X"))]
    both = Geometry(lattices, "bipartite")
    assert both.sites == sum(lattice.sites for lattice in lattices)
    assert both.observables == 24
    x = torch.randn(both.sites, 3, 4, generator=torch.Generator().manual_seed(2))
    parts = x.split([lattice.sites for lattice in lattices])
    alone = [Geometry([lattice], "bipartite").pool(part) for lattice, part in zip(lattices, parts, strict=True)]
    torch.testing.assert_close(both.pool(x), torch.cat(alone))
