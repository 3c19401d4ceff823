import pytest
import torch

from cascade_qec import codes
from cascade_qec.lattice import memory_lattice, readout
from cascade_qec.nn import CascadeNetwork, Geometry, NetworkSettings, PlaceReadout


@pytest.mark.parametrize("basis", ["X", "Z"])
@pytest.mark.parametrize(("name", "rounds"), [("surface_d3", 3), ("surface_d5", 1), ("bb72", 2)])
def test_it_gives_what_pooling_first_gives(name, rounds, basis):
    code = codes.get(name)
    style = "direct" if code.family == "surface" else "bipartite"
    torch.manual_seed(1)
    network = CascadeNetwork(code, NetworkSettings(width=8, depth=1, convolution=style)).eval()
    torch.nn.init.normal_(network.output)
    lattice = memory_lattice(code, rounds, basis)
    geometry = Geometry([lattice], style)
    states = torch.randint(0, 3, (lattice.sites, 5), dtype=torch.uint8)
    with torch.no_grad():
        pooled = network(states, geometry)
        by_place = network(states, geometry, places=PlaceReadout(lattice, lattice.frame.support))
    assert by_place.shape == (5, code.k)
    torch.testing.assert_close(by_place, pooled, rtol=1e-4, atol=1e-5)


def test_on_a_torus_a_translated_syndrome_has_the_same_logits_in_another_order():
    code = codes.get("bb72")
    torch.manual_seed(2)
    network = CascadeNetwork(code, NetworkSettings(width=8, depth=1, convolution="bipartite")).eval()
    torch.nn.init.normal_(network.output)
    lattice = memory_lattice(code, 2, "Z")
    geometry, places = Geometry([lattice], "bipartite"), PlaceReadout(lattice, readout(code, "Z").support)
    states = torch.randint(0, 2, (lattice.sites, 4), dtype=torch.uint8)
    moved = states.clone()
    for kind in ("X", "Z"):
        sites = torch.from_numpy(lattice.check_sites(kind).copy()).view(-1, code.l, code.m)
        moved[sites.roll((1, 4), dims=(1, 2)).flatten()] = states[sites.flatten()]
    with torch.no_grad():
        here, there = network(states, geometry, places=places), network(moved, geometry, places=places)
    torch.testing.assert_close(here.sort(dim=1).values, there.sort(dim=1).values, rtol=1e-4, atol=1e-5)
    assert not torch.allclose(here, there, atol=1e-3)
