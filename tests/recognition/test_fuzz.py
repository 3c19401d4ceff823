"""However an experiment is written, its shots get the same predictions."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
import stim
from hypothesis import given, settings
from hypothesis import strategies as st

from cascade_qec.circuits import SI1000, UniformDepolarizing, memory
from cascade_qec.codes import gf2
from cascade_qec.codes.gf2 import Bits
from cascade_qec.decoders.bound_cascade import BoundCascade
from cascade_qec.decoders.cascade import CascadeDecoder

# Rounds other than the code's distance, so that tests are quick.
pytestmark = [pytest.mark.filterwarnings("ignore::cascade_qec.errors.CascadeWarning"), pytest.mark.slow]

SHOTS = 24
ROUNDS = {"surface_d3": 3, "surface_d5": 2, "bb72": 2}
NOISE = {"CX": UniformDepolarizing(0.003), "CZ": SI1000(0.003)}
REWRITINGS = ("channels", "gates", "qubits", "order", "ticks", "permutation", "coordinates")

# Drafts are the fixture's (see conftest.py), which cannot be imported.
Draft = Any


@cache
def decoder_of(code: str) -> CascadeDecoder:
    return CascadeDecoder.untrained(code, width=8, depth=1, seed=3)


@cache
def original(code: str, basis: str, native: str) -> tuple[stim.Circuit, np.ndarray]:
    """Our own circuit, and detection events of it."""
    circuit = memory(decoder_of(code).code, rounds=ROUNDS[code], basis=basis, noise=NOISE[native])
    return circuit, circuit.compile_detector_sampler(seed=11).sample(SHOTS)


def channels(draft: Draft, random: np.random.Generator) -> None:
    """The same noise in other words: split in two, as Pauli channels, measurement errors before the measurement."""
    make = type(draft.layers[0][0])

    def change(operation):
        name, targets, arguments = operation.name, operation.targets, operation.arguments
        if not arguments or random.random() < 0.3:
            return [operation]
        (p,) = arguments
        if name == "DEPOLARIZE1" and random.random() < 0.5:
            return [make(name, targets, [0.75 * (1 - np.sqrt(1 - 4 * p / 3))]) for _ in range(2)]
        if name == "DEPOLARIZE1":
            return [make("PAULI_CHANNEL_1", targets, [p / 3] * 3)]
        if name == "DEPOLARIZE2":
            return [make("PAULI_CHANNEL_2", targets, [p / 15] * 15)]
        if name in ("X_ERROR", "Z_ERROR"):
            return [make(name, targets, [(1 - np.sqrt(1 - 2 * p)) / 2]) for _ in range(2)]
        if name in ("M", "MX"):
            return [
                make({"M": "X_ERROR", "MX": "Z_ERROR"}[name], targets, [p]),
                make(name, targets, [], operation.outcome),
            ]
        raise AssertionError(name)

    draft.rewrite(change)


def gates(draft: Draft, random: np.random.Generator) -> None:
    """CX by H and CZ or the other way round; resets and measurements in X by H and those in Z."""
    make = type(draft.layers[0][0])

    def change(operation):
        name, targets = operation.name, operation.targets
        turn, back = make("H", targets[-1:]), make("H", targets[-1:])
        if random.random() < 0.5:
            return [operation]
        if name in ("CX", "CZ"):
            return [turn, make({"CX": "CZ", "CZ": "CX"}[name], targets), back]
        if name == "RX":
            return [make("R", targets), turn]
        if name == "MX":
            return [turn, make("M", targets, operation.arguments, operation.outcome)]
        return [operation]

    draft.rewrite(change)


def qubits(draft: Draft, random: np.random.Generator) -> None:
    """Other numbers for the qubits, with gaps."""
    count = 1 + max(target.value for layer in draft.layers for o in layer for target in o.targets)
    number = random.choice(2 * count, size=count, replace=False).tolist()
    for layer in draft.layers:
        for operation in layer:
            operation.targets = [stim.GateTarget(number[target.value]) for target in operation.targets]


def coordinates(draft: Draft, random: np.random.Generator) -> None:
    """None at all, or turned, stretched and shifted."""
    if random.random() < 0.5:
        draft.coordinates = [[] for _ in draft.coordinates]
        return
    angle, stretch, shift = random.uniform(0, 2 * np.pi), random.uniform(0.1, 10), random.normal(size=2)
    turn = stretch * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    draft.coordinates = [[t, *(turn @ [x, y] + shift)] for x, y, t, _ in draft.coordinates]


def rewritten(draft: Draft, steps: set[str], random: np.random.Generator) -> tuple[stim.Circuit, np.ndarray]:
    """The circuit after some rewritings, and the original number of each detector."""
    permutation = np.arange(len(draft.detectors))
    for name, step in (("channels", channels), ("gates", gates), ("qubits", qubits), ("coordinates", coordinates)):
        if name in steps:
            step(draft, random)
    if "order" in steps:
        draft.shuffle(random)
    if "permutation" in steps:
        permutation = random.permutation(permutation)
        draft.take(permutation)
    return draft.circuit(ticks="ticks" not in steps), permutation


def other_observables(draft: Draft, logicals: Bits, detectors: Bits) -> None:
    """Exchange the observables for sums of them and of detectors."""
    total: list[frozenset[int]] = []
    for row, beside in zip(logicals, detectors, strict=True):
        outcomes: frozenset[int] = frozenset()
        for number in np.flatnonzero(row):
            outcomes ^= draft.observables[number]
        for number in np.flatnonzero(beside):
            outcomes ^= draft.detectors[number]
        total.append(outcomes)
    draft.observables = total


def stabilizers(own: BoundCascade, basis: str, observables: int, random: np.random.Generator) -> Bits:
    """For each observable, detectors that add up to readouts of random checks, or are single ones: uint8."""
    lattice = own.lattice
    sites = lattice.check_sites(basis)
    chosen = np.zeros((observables, lattice.sites), dtype=np.uint8)
    for row in chosen:
        row[sites[:, random.random(sites.shape[1]) < 0.2]] ^= 1
        row[random.choice(sites.ravel(), size=2, replace=False)] ^= 1
    return chosen[:, lattice.detector_sites]


def model_of(circuit: stim.Circuit) -> stim.DetectorErrorModel:
    return circuit.detector_error_model(approximate_disjoint_errors=True)  # of Pauli channels


codes_and_circuits = st.tuples(
    st.sampled_from(["surface_d3", "surface_d3", "surface_d5", "bb72"]),
    st.sampled_from("XZ"),
    st.sampled_from(["CX", "CZ"]),
)
steps_of = st.sets(st.sampled_from(REWRITINGS), min_size=1)


@given(case=codes_and_circuits, steps=steps_of, represented=st.booleans(), seed=st.integers(0, 10_000))
@settings(derandomize=True, deadline=None, max_examples=20)
def test_predictions_do_not_depend_on_how_a_circuit_is_written(draft_of, case, steps, represented, seed):
    code, basis, _ = case
    circuit, events = original(*case)
    random, decoder = np.random.default_rng(seed), decoder_of(code)
    own = decoder.bind(rounds=ROUNDS[code], basis=basis)
    draft = draft_of(circuit)
    k = decoder.code.k
    logicals, detectors = np.eye(k, dtype=np.uint8), np.zeros((k, events.shape[1]), dtype=np.uint8)
    if represented:
        detectors = stabilizers(own, basis, k, random)
        other_observables(draft, logicals, detectors)
    source, permutation = rewritten(draft, steps, random)
    bound = decoder.bind(source)
    assert bound.recognition is not None
    assert bound.recognition.agreement == pytest.approx(1)
    assert np.array_equal(bound.lattice.detector_sites, own.lattice.detector_sites[permutation])
    result = bound.decode_batch(events[:, permutation])
    plain = own.decode_batch(events)
    turned = events.astype(int) @ detectors.T % 2 == 1
    np.testing.assert_array_equal(result.observables, plain.observables ^ turned)
    np.testing.assert_allclose(
        result.probabilities, np.where(turned, 1 - plain.probabilities, plain.probabilities), atol=1e-4
    )
    np.testing.assert_allclose(result.confidence, plain.confidence, atol=1e-4)


@given(case=codes_and_circuits, steps=steps_of, seed=st.integers(0, 10_000))
@settings(derandomize=True, deadline=None, max_examples=10)
def test_error_models_are_laid_on_with_observables_that_fit(draft_of, confirm_map, case, steps, seed):
    """A model does not tell the direction of time, nor one symmetry of the experiment from another."""
    code, basis, _ = case
    random, decoder = np.random.default_rng(seed), decoder_of(code)
    own = decoder.bind(rounds=ROUNDS[code], basis=basis)
    draft = draft_of(original(*case)[0])
    k = decoder.code.k
    other_observables(draft, np.eye(k, dtype=np.uint8), stabilizers(own, basis, k, random))
    model = model_of(rewritten(draft, steps, random)[0])
    bound = decoder.bind(model)
    assert bound.recognition is not None
    assert bound.recognition.agreement == pytest.approx(1)
    assert bound.num_observables == k
    confirm_map(bound.recognition, model)


@given(basis=st.sampled_from("XZ"), kept=st.integers(1, 12), steps=steps_of, seed=st.integers(0, 10_000))
@settings(derandomize=True, deadline=None, max_examples=4)
def test_sums_of_observables(draft_of, confirm_map, basis, kept, steps, seed):
    """Of translations the one with the shortest sums is taken, which need not be the original place."""
    circuit, events = original("bb72", basis, "CX")
    random, decoder = np.random.default_rng(seed), decoder_of("bb72")
    own = decoder.bind(rounds=ROUNDS["bb72"], basis=basis)
    logicals = random.integers(0, 2, size=(12, 12), dtype=np.uint8)
    while gf2.rank(logicals) < 12:
        logicals = random.integers(0, 2, size=(12, 12), dtype=np.uint8)
    logicals = logicals[:kept]
    draft = draft_of(circuit)
    other_observables(draft, logicals, stabilizers(own, basis, kept, random))
    plain = decoder.bind(draft.circuit())
    source, permutation = rewritten(draft, steps, random)
    bound = decoder.bind(source)
    assert bound.num_observables == kept
    assert bound.recognition is not None
    confirm_map(bound.recognition, source)
    assert bound.observables.logicals.sum() <= logicals.sum()
    if bound.observables.logicals.sum() > kept:
        # Else several places can be as good.
        found, expected = bound.decode_batch(events[:, permutation]), plain.decode_batch(events)
        np.testing.assert_allclose(found.probabilities, expected.probabilities, atol=1e-4)
        np.testing.assert_allclose(found.confidence, expected.confidence, atol=1e-4)


@pytest.mark.parametrize("basis", ["X", "Z"])
def test_a_translated_experiment_is_decoded_as_its_translated_shots(draft_of, basis):
    """Observables moved by a step make the torus be looked at from a step away; the network sees no difference."""
    circuit, events = original("bb72", basis, "CX")
    decoder = decoder_of("bb72")
    own = decoder.bind(rounds=ROUNDS["bb72"], basis=basis)
    place = np.arange(36).reshape(6, 6)
    moved_to = np.roll(place, (-2, -1), axis=(0, 1)).ravel()
    draft = draft_of(circuit)
    # The readout is what comes last, in the order of the data qubits.
    first = 1 + max(o.outcome for layer in draft.layers for o in layer if o.outcome is not None) - 72
    qubit = np.concatenate([moved_to, 36 + moved_to])
    draft.observables = [frozenset(first + int(qubit[o - first]) for o in found) for found in draft.observables]
    bound = decoder.bind(draft.circuit())
    assert bound.observables.is_identity

    site = np.full(own.lattice.sites, -1)
    for kind in ("X", "Z"):
        sites = own.lattice.check_sites(kind)
        site[sites] = sites[:, moved_to]
    detector_at = np.full(own.lattice.sites, -1)
    detector_at[own.lattice.detector_sites] = np.arange(events.shape[1])
    as_seen = events[:, detector_at[site[own.lattice.detector_sites]]]
    result, expected = bound.decode_batch(events), own.decode_batch(as_seen)
    np.testing.assert_allclose(result.probabilities, expected.probabilities, atol=1e-4)
    assert not np.allclose(result.probabilities, own.decode_batch(events).probabilities, atol=1e-2)


@pytest.mark.parametrize("code", ["surface_d3", "surface_d5"])
def test_loops_are_the_same_as_what_they_repeat(code):
    decoder = decoder_of(code)
    circuit = memory(decoder.code, rounds=4, noise=NOISE["CX"])
    assert "REPEAT" in str(circuit)
    sites = [
        decoder.bind(source).lattice.detector_sites
        for source in (
            circuit,
            circuit.flattened(),
            circuit.detector_error_model(),
            circuit.flattened().detector_error_model(),
        )
    ]
    assert all(np.array_equal(found, sites[0]) for found in sites)
