"""Which symmetries of a code its memory experiment has, noise included."""

import numpy as np
import pytest
import torch

from cascade_qec import CascadeDecoder, circuits, codes
from cascade_qec.error_models import Mechanisms
from cascade_qec.lattice import logical_operators, memory_lattice
from cascade_qec.nn import Geometry
from workshop.studies import reflections

NOISE = circuits.UniformDepolarizing(0.003)


def translated(basis, step, rounds=3):
    """The experiment of bb72 with every check moved by a step on the torus."""
    code = codes.get("bb72")
    place = np.arange(36).reshape(6, 6)
    moved = np.roll(place, (-step[0], -step[1]), axis=(0, 1)).ravel()
    lattice = memory_lattice(code, rounds, basis)
    return reflections.Turn(lattice, lattice, np.concatenate([moved, len(moved) + moved]), reverses=False)


def half_turned(name, basis):
    """The experiment of a surface code turned by 180 degrees, with time reversed."""
    lattice = memory_lattice(codes.get(name), 3, basis)
    own = np.arange(len(lattice.code.hx))[::-1]
    return reflections.Turn(lattice, lattice, np.concatenate([own, len(own) + own]), reverses=True)


@pytest.mark.parametrize("basis", ["X", "Z"])
def test_translations_keep_the_noise(basis):
    """Steps along both axes do, and so all translations."""
    for step in ((1, 0), (0, 1)):
        assert translated(basis, step).kept(NOISE) == pytest.approx(1)


@pytest.mark.parametrize("basis", ["X", "Z"])
def test_no_other_symmetry_of_a_bicycle_code_keeps_the_noise(basis):
    """Of all 48 up to translations; the nearest one exchanges X with Z and reverses time."""
    code = codes.get("bb72")
    turns = list(reflections.turns(code, basis, 3))
    assert [sum(t.exchanges == a and t.reverses == b for t in turns) for a in (0, 1) for b in (0, 1)] == [12] * 4
    assert [turn.is_identity for turn in turns] == [True] + 47 * [False]
    kept = [turn.kept(NOISE) for turn in turns]
    assert kept[0] == pytest.approx(1)
    nearest = reflections.nearest(code, basis, 3, NOISE)
    assert nearest.kept(NOISE) == max(kept[1:]) == pytest.approx(0.834, abs=0.001)
    assert nearest.exchanges
    assert nearest.reverses


def test_it_is_the_order_of_the_gates_that_breaks_the_others():
    """Without errors of the gates every symmetry of the code is one of the experiment."""
    noise = circuits.DataDepolarizing(0.003)
    turns = [turn for turn in reflections.turns(codes.get("bb72"), "Z", 3) if not turn.reverses]
    assert [turn.kept(noise) for turn in turns] == pytest.approx([1] * 24)


@pytest.mark.parametrize("basis", ["X", "Z"])
@pytest.mark.parametrize("name", ["surface_d3", "surface_d5"])
def test_a_surface_code_has_its_half_turn_with_time_reversed(name, basis):
    turn = half_turned(name, basis)
    assert turn.kept(NOISE) == pytest.approx(1)
    kept = [other for other in reflections.turns(turn.source.code, basis, 3) if other.kept(NOISE) > 0.999]
    assert [other.is_identity for other in kept] == [True, False]
    assert np.array_equal(kept[1].checks, turn.checks)
    assert kept[1].reverses
    assert np.array_equal(reflections.nearest(turn.source.code, basis, 3, NOISE).checks, turn.checks)


def operator_flips(lattice) -> dict[frozenset[int], np.ndarray]:
    """Sites that a mechanism flips, and whether it flips each operator: -1 where others with these sites differ."""
    circuit = circuits.memory(lattice.code, rounds=lattice.rounds, basis=lattice.basis, noise=NOISE)
    mechanisms = Mechanisms.of(circuit.detector_error_model(flatten_loops=True))
    asked, own = logical_operators(lattice.code, lattice.basis), lattice.check_sites(lattice.basis)
    flipped = np.zeros((len(mechanisms.probability), lattice.sites), dtype=np.uint8)
    flipped[mechanisms.owner, lattice.detector_sites[mechanisms.detector]] = 1
    events = flipped[:, own].sum(axis=1)  # of each check
    operators = (mechanisms.observables @ asked.logicals.T + events @ asked.checks.T) % 2
    flips: dict[frozenset[int], np.ndarray] = {}
    for row, of_row in zip(flipped, operators.astype(int), strict=True):
        known = flips.setdefault(frozenset(np.flatnonzero(row).tolist()), of_row)
        known[known != of_row] = -1
    return flips


@pytest.mark.parametrize("basis", ["X", "Z"])
@pytest.mark.parametrize("name", ["surface_d5", "bb72"])
def test_an_operator_is_flipped_by_the_images_of_what_flips_it(name, basis):
    turn = translated(basis, (1, 4), rounds=2) if name == "bb72" else half_turned(name, basis)
    flips, shown_at = operator_flips(turn.source), np.argsort(turn.sites)
    assert sum((operators > 0).any() for operators in flips.values()) > 100
    for sites, operators in flips.items():
        image = flips[frozenset(shown_at[list(sites)].tolist())]
        assert np.array_equal(image[turn.operators], operators)


def test_the_nearest_symmetry_takes_operators_to_those_of_the_other_basis():
    """Every operator to another; errors that are possible in both experiments flip it in both."""
    turn = reflections.nearest(codes.get("bb72"), "Z", 2, NOISE)
    assert sorted(turn.operators) == list(range(84))
    here, there, shown_at = operator_flips(turn.source), operator_flips(turn.target), np.argsort(turn.sites)
    images = [(there.get(frozenset(shown_at[list(sites)].tolist())), flips) for sites, flips in here.items()]
    both = [np.array_equal(image[turn.operators], flips) for image, flips in images if image is not None]
    assert len(both) > 0.7 * len(here)
    assert all(both)


@pytest.mark.parametrize("basis", ["X", "Z"])
def test_the_network_gives_a_translated_syndrome_the_logits_of_the_translated_operators(basis):
    """Up to rounding: averaging over translations changes nothing."""
    turn = translated(basis, (1, 4), rounds=2)
    network = CascadeDecoder.untrained("bb72", width=8).network
    geometry = Geometry([turn.source], "bipartite")
    events = np.random.default_rng(1).random((5, turn.source.detectors)) < 0.1
    states = torch.from_numpy(turn.source.scatter(events))
    here, there = network(states, geometry), network(states[torch.from_numpy(turn.sites)], geometry)
    torch.testing.assert_close(there[:, torch.from_numpy(turn.operators)], here, rtol=1e-4, atol=1e-5)
    assert not torch.allclose(there, here, atol=1e-3)
