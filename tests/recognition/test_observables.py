"""Observables of a circuit in those of the code."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cascade_qec import codes
from cascade_qec.circuits import UniformDepolarizing, memory
from cascade_qec.codes import gf2
from cascade_qec.codes.gf2 import Bits
from cascade_qec.error_models import Mechanisms
from cascade_qec.errors import CascadeError
from cascade_qec.lattice import Lattice, memory_lattice
from cascade_qec.recognition.observables import ObservableMap, observable_maps
from cascade_qec.recognition.placement import Placement

CODES = [("surface_d3", 1), ("surface_d3", 3), ("bb72", 2)]


@cache
def experiment(name: str, rounds: int, basis: str) -> tuple[Mechanisms, Lattice]:
    """Our own mechanisms and lattice."""
    code = codes.get(name)
    circuit = memory(code, rounds=rounds, basis=basis, noise=UniformDepolarizing(0.001))
    return Mechanisms.of(circuit.detector_error_model(flatten_loops=True)), memory_lattice(code, rounds, basis)


def symptoms(mechanisms: Mechanisms) -> Bits:
    """Detectors that each mechanism flips: uint8 [mechanisms, detectors]."""
    flipped = np.zeros((len(mechanisms.probability), mechanisms.detectors), dtype=np.uint8)
    flipped[mechanisms.owner, mechanisms.detector] = 1
    return flipped


def with_observables(mechanisms: Mechanisms, logicals: Bits, detectors: Bits) -> Mechanisms:
    """The model with other observables: sums of its own and of detectors."""
    flips = (mechanisms.observables.astype(int) @ logicals.T + symptoms(mechanisms).astype(int) @ detectors.T) % 2
    return Mechanisms(
        mechanisms.probability, mechanisms.detector, mechanisms.start, flips.astype(np.uint8), mechanisms.detectors
    )


def invertible(k: int, random: np.random.Generator) -> Bits:
    while True:
        matrix = random.integers(0, 2, size=(k, k), dtype=np.uint8)
        if gf2.rank(matrix) == k:
            return matrix


@pytest.mark.parametrize("basis", ["X", "Z"])
@pytest.mark.parametrize(("name", "rounds"), CODES)
def test_our_own_are_our_own(name, rounds, basis):
    mechanisms, lattice = experiment(name, rounds, basis)
    found = observable_maps([Placement(basis, lattice.detector_sites, (1.0,))], mechanisms, [lattice])[0]
    assert found.is_identity
    assert np.array_equal(found.logicals, ObservableMap.identity(lattice.code.k, lattice.detectors).logicals)
    assert found.detectors.shape == (lattice.code.k, lattice.detectors)
    assert found.logicals.dtype == found.detectors.dtype == np.uint8


@given(case=st.sampled_from(CODES), basis=st.sampled_from("XZ"), seed=st.integers(0, 1000), data=st.data())
@settings(derandomize=True, deadline=None, max_examples=20)
def test_sums_of_logicals_and_detectors_are_found(case, basis, seed, data):
    mechanisms, lattice = experiment(*case, basis)
    k, random = lattice.code.k, np.random.default_rng(seed)
    kept = data.draw(st.integers(1, k))
    logicals = invertible(k, random)[:kept]
    primary = np.isin(lattice.detector_sites, lattice.check_sites(basis))
    detectors = (random.random((kept, lattice.detectors)) < data.draw(st.sampled_from([0, 0.1, 0.5]))) & primary
    order = random.permutation(lattice.detectors)
    changed = with_observables(mechanisms, logicals, detectors.astype(np.uint8))
    # Detectors in an order of their own.
    number = np.argsort(order)
    shuffled = Mechanisms(
        changed.probability, number[changed.detector], changed.start, changed.observables, changed.detectors
    )
    found = observable_maps([Placement(basis, lattice.detector_sites[order], (1.0,))], shuffled, [lattice])[0]
    assert np.array_equal(found.logicals, logicals)
    # Which detectors is not unique, where checks depend on each other; what they say of every error is.
    said = mechanisms.observables.astype(int) @ found.logicals.T + symptoms(shuffled).astype(int) @ found.detectors.T
    assert np.array_equal(said % 2, shuffled.observables)


def test_an_observable_of_detectors_alone_has_no_logical():
    mechanisms, lattice = experiment("surface_d3", 3, "Z")
    detectors = np.zeros((1, lattice.detectors), dtype=np.uint8)
    detectors[0, 0] = 1
    changed = with_observables(mechanisms, np.zeros((1, 1), dtype=np.uint8), detectors)
    found = observable_maps([Placement("Z", lattice.detector_sites, (1.0,))], changed, [lattice])[0]
    assert found.logicals.tolist() == [[0]]
    assert np.flatnonzero(found.detectors).tolist() == [0]


@pytest.mark.parametrize(("name", "rounds"), CODES)
def test_missing_detectors_leave_the_logicals_as_they_are(name, rounds):
    mechanisms, lattice = experiment(name, rounds, "Z")
    kept = np.arange(lattice.detectors) % 11 > 0
    sites = np.where(kept, lattice.detector_sites, -1)
    found = observable_maps([Placement("Z", sites, (1.0,))], mechanisms, [lattice])[0]
    assert np.array_equal(found.logicals, np.eye(lattice.code.k))
    assert not found.detectors[:, ~kept].any()


@pytest.mark.parametrize(("name", "rounds"), [("surface_d3", 3), ("bb72", 2)])
@pytest.mark.parametrize("number", [0, -1])
def test_what_is_no_logical_is_named(name, rounds, number):
    mechanisms, lattice = experiment(name, rounds, "Z")
    k = lattice.code.k
    # It takes note of the other basis' checks, of a flip that no detector knows, and of half of an error's flips.
    secondary = np.isin(lattice.detector_sites, lattice.check_sites("X"))
    by_check = np.zeros((k, lattice.detectors), dtype=np.uint8)
    by_check[number, np.flatnonzero(secondary)[0]] = 1
    by_flip = mechanisms.observables.copy()
    by_flip[np.flatnonzero(symptoms(mechanisms)[:, ~secondary].any(axis=1))[::7], number] ^= 1
    for changed in (
        with_observables(mechanisms, np.eye(k, dtype=np.uint8), by_check),
        Mechanisms(mechanisms.probability, mechanisms.detector, mechanisms.start, by_flip, mechanisms.detectors),
    ):
        with pytest.raises(CascadeError, match=rf"observable L{number % k} is no logical operator of {name}: .* {k} "):
            observable_maps([Placement("Z", lattice.detector_sites, (1.0,))], changed, [lattice])[0]


def test_detectors_in_a_sum_turn_it_round():
    random = np.random.default_rng(0)
    detectors = random.integers(0, 2, size=(3, 5), dtype=np.uint8)
    detectors[1] = 0
    events = random.random((20, 5)) < 0.5
    turned = ObservableMap(np.eye(3, dtype=np.uint8), detectors).turned(events)
    np.testing.assert_array_equal(turned, (events.astype(int) @ detectors.T) % 2 == 1)
    assert not ObservableMap.identity(3, 5).turned(events).any()


def without(mechanisms: Mechanisms, dropped: np.ndarray) -> Mechanisms:
    """The model less some of its mechanisms, bool [mechanisms]."""
    weight = mechanisms.weight[~dropped]
    return Mechanisms(
        mechanisms.probability[~dropped],
        mechanisms.detector[~dropped[mechanisms.owner]],
        np.concatenate([[0], np.cumsum(weight)]),
        mechanisms.observables[~dropped],
        mechanisms.detectors,
    )


@pytest.mark.parametrize(("name", "rounds"), CODES)
def test_what_no_error_tells_is_not_guessed(name, rounds):
    """A detector's coefficient matters where an error of the circuit flips it, and not where nothing does."""
    mechanisms, lattice = experiment(name, rounds, "Z")
    way = Placement("Z", lattice.detector_sites, (1.0,))
    detector = int(np.flatnonzero(np.isin(lattice.detector_sites, lattice.check_sites("Z")))[0])
    flipped = symptoms(mechanisms)[:, detector] == 1
    silent = without(mechanisms, flipped)
    assert not observable_maps([way], silent, [lattice])[0].detectors.any()
    # Two errors at once are one that the code does not know: one that flips the detector, and one far from it.
    both = np.flatnonzero(flipped)[0], np.flatnonzero(~flipped & symptoms(mechanisms).any(axis=1))[-1]
    together = np.flatnonzero(symptoms(mechanisms)[list(both)].sum(axis=0) % 2)
    strange = Mechanisms(
        np.array([0.001]),
        together,
        np.array([0, len(together)]),
        mechanisms.observables[both[0]][None] ^ mechanisms.observables[both[1]],
        mechanisms.detectors,
    )
    assert observable_maps([way], mechanisms.joined(strange), [lattice])[0].is_identity
    with pytest.raises(CascadeError, match=f"known up to detectors: .* takes part in .*D{detector}, .*got none"):
        observable_maps([way], silent.joined(strange), [lattice])


def test_what_would_take_too_much_memory_is_refused(monkeypatch):
    mechanisms, lattice = experiment("bb72", 2, "Z")
    monkeypatch.setattr("cascade_qec.limits.EQUATIONS", 1000)
    with pytest.raises(CascadeError, match=r"at most 1,000 bits, got .* take fewer rounds"):
        observable_maps([Placement("Z", lattice.detector_sites, (1.0,))], mechanisms, [lattice])
