"""Circuits whose logical qubits are entangled with others, and which keep the observables of both bases."""

# Stim's annotations have loops even in flattened circuits.
# pyright: reportAttributeAccessIssue=false

from collections.abc import Iterable

import numpy as np
import pymatching
import pytest
import stim

import cascade_qec
from cascade_qec import circuits, codes
from cascade_qec.circuits import NoiseModel, UniformDepolarizing
from cascade_qec.codes import CSSCode, gf2
from cascade_qec.errors import CascadeError
from cascade_qec.lattice import memory_lattice
from cascade_qec.recognition import Recognition, recognise, recognise_any


def choi_memory(code: CSSCode, rounds: int, noise: NoiseModel) -> stim.Circuit:
    """Our memory circuit with the logical qubits entangled with qubits beside it, which keeps both bases.

    All checks, and each logical operator times that of its partner, are measured without noise before the first round
    and after the last.
    """
    own = circuits.memory(code, rounds=rounds, noise=noise).flattened()
    partners = own.num_qubits + np.arange(code.k)
    logical_z = code.logicals("Z")
    logical_x = gf2.combinations(np.eye(code.k), of=code.logicals("X").astype(int) @ logical_z.T % 2) @ code.logicals(
        "X"
    )
    products = [
        [target(int(q)) for q in np.flatnonzero(row)]
        for target, checks in ((stim.target_x, code.hx), (stim.target_z, code.hz))
        for row in checks
    ]
    ancillas = range(code.n, code.n + len(products))
    for target, logicals in ((stim.target_x, logical_x % 2), (stim.target_z, logical_z)):
        for row, partner in zip(logicals, partners.tolist(), strict=True):
            products.append([target(int(q)) for q in (*np.flatnonzero(row), partner)])
    circuit, before = stim.Circuit(), {}
    outcomes = 0

    def compared(names: Iterable[int], annotation: str) -> None:
        nonlocal outcomes
        for name in names:
            if name in before:
                records = [stim.target_rec(o - circuit.num_measurements) for o in (before[name], outcomes)]
                circuit.append(annotation, records, () if annotation == "DETECTOR" else name)
            before[name] = outcomes
            outcomes += 1

    def closed() -> None:
        circuit.append("MPP", [t for product in products for t in stim.target_combined_paulis(product)])  # pyright: ignore[reportGeneralTypeIssues]
        compared(ancillas, "DETECTOR")
        compared(range(2 * code.k), "OBSERVABLE_INCLUDE")

    closed()
    for instruction in own:
        name, targets = instruction.name, [t.value for t in instruction.targets_copy()]
        if name in ("DETECTOR", "OBSERVABLE_INCLUDE", "SHIFT_COORDS", "QUBIT_COORDS"):
            continue
        if name in ("R", "RX", "M", "MX"):
            targets = [qubit for qubit in targets if qubit >= code.n]
        if targets or name == "TICK":
            circuit.append(name, targets, instruction.gate_args_copy())
        if name in ("M", "MX"):
            compared(targets, "DETECTOR")
    closed()
    return circuit


def matched(found: Recognition, p: float, events: np.ndarray) -> np.ndarray:
    """Predictions by matching on our own error model of each basis."""
    flips = np.zeros((len(events), len(found.observables.logicals)), dtype=np.int64)
    for part in found.parts:
        lattice, observables = part.lattice, part.observables
        own = circuits.memory(
            lattice.code, rounds=lattice.rounds, basis=lattice.basis, noise=UniformDepolarizing(p)
        ).detector_error_model(decompose_errors=True, flatten_loops=True)
        at = np.full(lattice.sites, -1)
        at[memory_lattice(lattice.code, lattice.rounds, lattice.basis).detector_sites] = np.arange(own.num_detectors)
        ours = np.zeros((len(events), own.num_detectors), dtype=bool)
        shown = lattice.detector_sites >= 0
        ours[:, at[lattice.detector_sites[shown]]] = events[:, shown]
        decided = pymatching.Matching.from_detector_error_model(own).decode_batch(ours)
        flips += decided.astype(int) @ observables.logicals.T + events.astype(int) @ observables.detectors.T
    return flips % 2 == 1


@pytest.mark.parametrize(("name", "rounds"), [("surface_d3", 1), ("surface_d5", 3), ("bb72", 2)])
def test_each_basis_is_a_memory_experiment(name, rounds):
    code = codes.get(name)
    circuit = choi_memory(code, rounds, UniformDepolarizing(0.003))
    found = recognise_any(circuit)
    assert (found.lattice.code, found.lattice.rounds, found.basis) == (code, rounds, None)
    assert sorted(part.lattice.basis for part in found.parts) == ["X", "Z"]
    assert (found.missing, found.ignored) == (0, 0)
    assert found.agreement == pytest.approx(1)
    for part in found.parts:
        # The ends of the other basis' checks have no place in it.
        assert (part.lattice.detector_sites < 0).sum() == 2 * len(code.hx)
        first = 0 if part.lattice.basis == "X" else code.k
        assert gf2.rank(part.observables.logicals[first : first + code.k]) == code.k
        assert not np.delete(part.observables.logicals, range(first, first + code.k), axis=0).any()


def test_both_bases_are_decoded_as_well_as_one():
    """2 x 10^4 shots, seed 5: matching on our own lattices fails hardly oftener than on the circuit's own model."""
    p, code = 0.005, codes.get("surface_d3")
    circuit = choi_memory(code, 3, UniformDepolarizing(p))
    events, flips = circuit.compile_detector_sampler(seed=5).sample(20_000, separate_observables=True)
    best = pymatching.Matching.from_detector_error_model(circuit.detector_error_model(decompose_errors=True))
    own_failures = (best.decode_batch(events) != flips).sum(axis=0)
    failures = (matched(recognise(circuit, code), p, events) != flips).sum(axis=0)
    assert (own_failures > 100).all()
    assert (failures < 1.15 * own_failures).all()


def test_an_observable_may_be_of_both_bases():
    """Its decoding is the sum of the two: a product of logical X and logical Z."""
    code = codes.get("surface_d3")
    plain = choi_memory(code, 2, UniformDepolarizing(0.003))
    circuit = stim.Circuit(str(plain).replace("OBSERVABLE_INCLUDE(1)", "OBSERVABLE_INCLUDE(0)"))
    found = recognise(circuit, code)
    assert [part.observables.logicals.tolist() for part in found.parts] == [[[1]], [[1]]]


def test_without_noise_its_observables_are_not_known():
    circuit = choi_memory(codes.get("surface_d3"), 2, NoiseModel())
    with pytest.raises(CascadeError, match="expected noise in an experiment of both bases"):
        recognise(circuit, codes.get("surface_d3"))


def test_a_model_decodes_both_bases_at_once():
    """10^4 shots, seed 3, at p = 0.5 %: no more failures than matching has, and those that the confidence says.

    In each basis the model fails about as often as on its own memory experiment, whose ends are not perfect.
    """
    p, shots = 0.005, 10_000
    decoder = cascade_qec.load("surface_d3", device="cpu")
    circuit = choi_memory(decoder.code, 3, UniformDepolarizing(p))
    events, flips = circuit.compile_detector_sampler(seed=3).sample(shots, separate_observables=True)
    result = decoder.bind(circuit).decode_batch(events)
    wrong = (result.observables != flips).any(axis=1)
    matching = pymatching.Matching.from_detector_error_model(circuit.detector_error_model(decompose_errors=True))
    assert wrong.sum() < (matching.decode_batch(events) != flips).any(axis=1).sum()
    assert wrong.mean() == pytest.approx(1 - result.confidence.mean(), rel=0.4)
    for number, basis in enumerate("XZ"):
        own = decoder.experiment(p, basis=basis).compile_detector_sampler(seed=4)
        own_events, own_flips = own.sample(shots, separate_observables=True)
        own_failures = (decoder.bind(basis=basis).decode_batch(own_events).observables != own_flips).sum()
        failures = (result.observables != flips)[:, number].sum()
        assert 0.5 * own_failures < failures < 1.1 * own_failures


def test_an_observable_of_both_bases_is_the_sum_of_two():
    """What is said of a sum follows from what is said of its terms, which the network takes for independent."""
    plain = choi_memory(codes.get("surface_d3"), 3, UniformDepolarizing(0.005))
    summed = stim.Circuit(str(plain).replace("OBSERVABLE_INCLUDE(1)", "OBSERVABLE_INCLUDE(0)"))
    events = plain.compile_detector_sampler(seed=3).sample(200)
    both, one = (cascade_qec.load("surface_d3", circuit=c, device="cpu").decode_batch(events) for c in (plain, summed))
    np.testing.assert_array_equal(one.observables[:, 0], both.observables[:, 0] ^ both.observables[:, 1])
    x, z = both.probabilities.T
    np.testing.assert_allclose(one.probabilities[:, 0], x + z - 2 * x * z, atol=1e-5)
    np.testing.assert_allclose(one.confidence, both.confidence, atol=1e-5)


def test_a_bicycle_model_decodes_both_bases_at_once():
    """200 shots, seed 3, at p = 0.3 %: in nearly all of them observables flip, and hardly any is decoded wrongly."""
    circuit = choi_memory(codes.get("bb72"), 6, UniformDepolarizing(0.003))
    events, flips = circuit.compile_detector_sampler(seed=3).sample(200, separate_observables=True)
    result = cascade_qec.load("bb72", circuit=circuit, device="cpu").decode_batch(events)
    assert flips.any(axis=1).sum() > 150
    assert (result.observables != flips).any(axis=1).sum() < 8


def test_a_local_model_decodes_both_bases_at_once():
    """2000 shots, seed 3, at p = 0.5 %: fewer failures, 88, than matching the circuit's own errors has, 117."""
    circuit = choi_memory(codes.get("surface_d3"), 4, UniformDepolarizing(0.005))
    events, flips = circuit.compile_detector_sampler(seed=3).sample(2000, separate_observables=True)
    result = cascade_qec.load("local_surface", circuit=circuit, device="cpu").decode_batch(events)
    matching = pymatching.Matching.from_detector_error_model(circuit.detector_error_model(decompose_errors=True))
    failures = (result.observables != flips).any(axis=1).sum()
    assert failures < (matching.decode_batch(events) != flips).any(axis=1).sum()


def test_a_local_model_refuses_an_observable_of_both_bases():
    plain = choi_memory(codes.get("surface_d3"), 3, UniformDepolarizing(0.005))
    summed = stim.Circuit(str(plain).replace("OBSERVABLE_INCLUDE(1)", "OBSERVABLE_INCLUDE(0)"))
    with pytest.raises(CascadeError, match=r"to be of one of them.*got observable 0, of both"):
        cascade_qec.load("local_surface", circuit=summed, device="cpu")
