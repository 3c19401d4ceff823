# codes.get promises no more than a CSSCode.
# pyright: reportAttributeAccessIssue=false

import numpy as np
import pytest
import torch

from cascade_qec import codes
from cascade_qec.circuits import UniformDepolarizing, memory
from cascade_qec.errors import CascadeError
from cascade_qec.lattice import Lattice, logical_operators, memory_lattice
from cascade_qec.model import NetworkSettings
from cascade_qec.nn import CascadeNetwork, Geometry
from cascade_qec.nn.operator_sums import OperatorSums

EVERY_BASIS = pytest.mark.parametrize("basis", ["X", "Z"])


def random_states(lattice: Lattice, shots: int, seed: int) -> torch.Tensor:
    events = np.random.default_rng(seed).random((shots, lattice.detectors)) < 0.2
    return torch.from_numpy(lattice.scatter(events))


def rolled_detectors(code, rounds: int, basis: str, by: tuple[int, int]) -> list[int]:
    """The detector at each detector's place moved by (i, j) on the torus."""
    coords = memory(code, rounds=rounds, basis=basis).get_detector_coordinates()
    at = {tuple(place): detector for detector, place in coords.items()}
    moved = [((x + by[0]) % code.l, (y + by[1]) % code.m, t, plane) for x, y, t, plane in coords.values()]
    return [at[place] for place in moved]


@EVERY_BASIS
@pytest.mark.parametrize("by", [(0, 1), (7, 2)])
@pytest.mark.parametrize(
    "settings",
    [
        {"convolution": "bipartite"},
        {"convolution": "direct"},
        {"convolution": "bipartite", "depthwise": True},
        {"convolution": "direct", "depthwise": True},
        {"convolution": "direct", "mixer": "local_attention"},
        {"convolution": "direct", "mixer": "full_attention"},
    ],
    ids=["bipartite", "direct", "depthwise bipartite", "depthwise direct", "local attention", "full attention"],
)
def test_rolling_the_detectors_rolls_everything(settings, by, basis, lively_network):
    code, rounds, shots = codes.get("bb90"), 1, 3
    network = lively_network("bb90", **settings)
    lattice = Lattice(code, rounds=rounds, basis=basis)
    geometry = Geometry([lattice], settings["convolution"], "observables", mixer=network.settings.mixer)
    # The X frame has its checks at inverted places, so there everything moves the other way.
    shift = by if basis == "Z" else (-by[0], -by[1])

    events = np.random.default_rng(1).random((shots, lattice.detectors)) < 0.2
    moved = np.empty_like(events)
    moved[:, rolled_detectors(code, rounds, basis, by)] = events

    def rolled(x: torch.Tensor) -> torch.Tensor:  # sites are numbered by plane, slice, and place on the torus
        return x.view(2, rounds + 1, code.l, code.m, -1).roll(shift, dims=(2, 3)).view(x.shape)

    before, after = torch.from_numpy(lattice.scatter(events)), torch.from_numpy(lattice.scatter(moved))
    assert torch.equal(after, rolled(before))
    x = network.trunk.embed(before, geometry, torch.float64)
    y = network.trunk.embed(after, geometry, torch.float64)
    for block in network.double().trunk.blocks:
        x, y = block(x, geometry.steps), block(y, geometry.steps)
        # The same sums in the same order: what is left is the rounding of the matrix products.
        torch.testing.assert_close(y, rolled(x), rtol=1e-13, atol=1e-13)

    network.float()
    logits = network(before, geometry)
    assert logits.std() > 0.1
    support = torch.from_numpy(logical_operators(code, basis, "observables").support)
    moved_support = support.view(-1, 2, code.l, code.m).roll(shift, dims=(2, 3)).view(support.shape).numpy()
    geometry.operator_sums = OperatorSums([lattice], [moved_support])
    torch.testing.assert_close(network(after, geometry), logits)
    assert not torch.allclose(network(before, geometry), logits)


@EVERY_BASIS
@pytest.mark.parametrize("convolution", ["bipartite", "direct"])
@pytest.mark.parametrize("name", ["toric_3x4", "gb46", "mb30", "haah_3", "lp175", "tt72"])
def test_the_translations_of_every_family_translate_what_the_network_makes(name, convolution, basis, lively_network):
    code, network = codes.get(name), lively_network(name, convolution=convolution).double()
    lattice = memory_lattice(code, 1, basis)
    geometry = Geometry([lattice], convolution, "observables")
    before = random_states(lattice, 2, 0)
    for element in (1, len(code.translations) // 2):
        moved = np.empty(lattice.sites, dtype=np.int64)  # site -> where the translation takes it
        for of in codes.BASES:
            sites = lattice.check_sites(of)
            moved[sites] = sites[:, code.check_translations(of)[element]]
        after = torch.empty_like(before)
        after[moved] = before
        x, y = (network.trunk.embed(states, geometry, torch.float64) for states in (before, after))
        for block in network.trunk.blocks:
            x, y = block(x, geometry.steps), block(y, geometry.steps)
        assert not torch.allclose(y, x)
        torch.testing.assert_close(y[moved], x, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("code", "convolution", "mixer"),
    [
        ("surface_d3", "direct", "convolution"),
        ("bb72", "bipartite", "convolution"),
        ("bb72", "direct", "convolution"),
        ("surface_d3", "direct", "local_attention"),
        ("surface_d3", "direct", "full_attention"),
    ],
)
def test_both_bases_together_give_the_logits_of_each_alone(code, convolution, mixer, lively_network):
    network = lively_network(code, convolution=convolution, mixer=mixer)
    # Different numbers of rounds may share a batch too.
    lattices = [memory_lattice(codes.get(code), rounds, basis) for rounds, basis in ((3, "Z"), (2, "X"))]
    states = [random_states(lattice, 6, seed) for seed, lattice in enumerate(lattices)]
    together = network(torch.cat(states), Geometry(lattices, convolution, "observables", mixer=mixer))
    alone = [
        network(s, Geometry([lattice], convolution, "observables", mixer=mixer))
        for s, lattice in zip(states, lattices, strict=True)
    ]
    assert together.shape == (6, 2 * codes.get(code).k)
    assert together.dtype == torch.float32
    torch.testing.assert_close(together, torch.cat(alone, dim=1))


@EVERY_BASIS
@pytest.mark.parametrize(
    ("small", "large", "convolution", "mixer"),
    [
        ("surface_d3", "surface_d7", "direct", "convolution"),
        ("bb72", "bb90", "bipartite", "convolution"),
        ("bb72", "bb90", "direct", "convolution"),
        ("surface_d3", "surface_d7", "direct", "local_attention"),
        ("surface_d3", "surface_d7", "direct", "full_attention"),
    ],
)
def test_weights_fit_every_size_of_a_family(small, large, convolution, mixer, basis, lively_network):
    network = lively_network(small, convolution=convolution, mixer=mixer)
    settings = NetworkSettings(width=8, depth=2, bottleneck=2, convolution=convolution, mixer=mixer)
    shapes = {name: t.shape for name, t in CascadeNetwork(codes.get(large), settings).state_dict().items()}
    assert {name: t.shape for name, t in network.state_dict().items()} == shapes
    lattice = memory_lattice(codes.get(large), 1, basis)
    logits = network(random_states(lattice, 2, 0), Geometry([lattice], convolution, "observables", mixer=mixer))
    assert logits.shape == (2, codes.get(large).k)


@pytest.mark.parametrize("code", ["surface_d3", "bb72"])
def test_absence_silence_and_events_are_three_states(code, lively_network):
    network = lively_network(code, convolution="direct")
    lattice = memory_lattice(codes.get(code), 1, "Z")
    geometry = Geometry([lattice], "direct")
    site = lattice.detector_sites[0]
    states = torch.from_numpy(lattice.scatter(np.zeros((3, lattice.detectors), dtype=bool)))
    states[site] = torch.tensor([0, 1, 2])
    kind = int(lattice.site_kind[site])
    embedded = network.trunk.embed(states, geometry, torch.float32)
    torch.testing.assert_close(embedded[site], network.trunk.embedding[3 * kind : 3 * kind + 3])
    assert len(set(network(states, geometry)[:, 0].tolist())) == 3


@pytest.mark.parametrize("mixer", ["convolution", "local_attention", "full_attention"])
def test_an_untrained_network_knows_nothing_and_learns(mixer):
    torch.manual_seed(0)
    code = codes.get("surface_d3")
    network = CascadeNetwork(code, NetworkSettings(width=16, depth=3, convolution="direct", mixer=mixer))
    assert [block.scale for block in network.trunk.blocks] == [6**-0.5] * 3
    lattice = memory_lattice(code, 3, "Z")
    geometry = Geometry([lattice], "direct", "observables", mixer=mixer)
    circuit = memory(code, rounds=3, noise=UniformDepolarizing(0.01))
    events, flips = circuit.compile_detector_sampler(seed=1).sample(256, separate_observables=True)
    states, labels = torch.from_numpy(lattice.scatter(events)), torch.from_numpy(flips).float()
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    losses = []
    for _ in range(12):
        loss = torch.nn.functional.binary_cross_entropy_with_logits(network(states, geometry), labels)
        losses.append(loss.item())
        loss.backward()
        unreached = [name for name, p in network.named_parameters() if p.grad is None or not p.grad.any()]
        optimizer.step()
        optimizer.zero_grad()
    assert losses[0] == pytest.approx(np.log(2))
    assert losses[-1] < 0.5 * losses[0]
    assert unreached == []


def test_bfloat16_activations_give_float32_logits(lively_network):
    network = lively_network("surface_d3", convolution="direct", width=32)
    lattice = memory_lattice(codes.get("surface_d3"), 3, "Z")
    geometry, states = Geometry([lattice], "direct"), random_states(lattice, 64, 3)
    found, exact = network(states, geometry, torch.bfloat16), network(states, geometry)
    assert found.dtype == torch.float32
    # Activations carry 8 bits; through some ten layers of independent roundings 3 % of the spread is left.
    assert (found - exact).norm() < 0.03 * (exact - exact.mean()).norm()


def test_convolutions_that_a_family_lacks_are_refused():
    with pytest.raises(CascadeError, match="expected convolution 'direct', got 'bipartite'"):
        CascadeNetwork(codes.get("surface_d3"), NetworkSettings(width=8, depth=1, convolution="bipartite"))
