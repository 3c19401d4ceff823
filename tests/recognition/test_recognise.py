# Stim's annotations have loops even in flattened circuits.
# pyright: reportAttributeAccessIssue=false

from pathlib import Path

import numpy as np
import pymatching
import pytest
import stim

from cascade_qec import codes
from cascade_qec.circuits import SI1000, UniformDepolarizing, memory
from cascade_qec.decoders.cascade import CascadeDecoder
from cascade_qec.errors import CascadeError, CascadeWarning
from cascade_qec.lattice import Lattice, memory_lattice
from cascade_qec.recognition import ObservableMap, Recognition, read_experiment, recognise

RELAY = Path(__file__).parents[1] / "data" / "relay_bb72_z_r6_p0.003.stim"
BASES = pytest.mark.parametrize("basis", ["X", "Z"])


@BASES
@pytest.mark.parametrize(("name", "rounds"), [("surface_d3", 3), ("surface_d5", 1), ("bb72", 3)])
def test_our_own_experiments_are_what_they_are(name, rounds, basis):
    code = codes.get(name)
    found = recognise(memory(code, rounds=rounds, basis=basis, noise=UniformDepolarizing(0.002)), code)
    assert (found.lattice.rounds, found.lattice.basis, found.basis) == (rounds, basis, basis)
    assert np.array_equal(found.lattice.detector_sites, memory_lattice(code, rounds, basis).detector_sites)
    assert found.observables.is_identity
    assert (found.missing, found.ignored) == (0, 0)
    assert found.agreement == pytest.approx(1)
    assert found.strength == pytest.approx(0.002, rel=0.02)


@BASES
def test_circuits_for_cz_hardware_are_the_same_experiment(basis):
    code = codes.get("surface_d5")
    found = recognise(memory(code, rounds=3, basis=basis, noise=SI1000(0.002)), code)
    assert np.array_equal(found.lattice.detector_sites, memory_lattice(code, 3, basis).detector_sites)
    assert found.agreement == pytest.approx(1)
    assert 0.002 < found.strength < 0.006


@BASES
@pytest.mark.parametrize("noisy", [True, False])
def test_states_that_sweep_bits_choose_change_nothing(basis, noisy):
    """Experiments on devices begin in a state of their own in each shot."""
    code = codes.get("surface_d3")
    plain = memory(code, rounds=2, basis=basis, noise=UniformDepolarizing(0.002) if noisy else None)
    swept, at = plain.flattened(), next(i for i, each in enumerate(plain) if each.name == f"R{basis.strip('Z')}")
    qubits = [target.value for target in swept[at].targets_copy()]
    flips = " ".join(f"sweep[{bit}] {qubit}" for bit, qubit in enumerate(qubits))
    swept.insert(at + 1, stim.Circuit(f"{'CX' if basis == 'Z' else 'CZ'} {flips} 0 1 0 1"))
    assert swept.num_sweep_bits == len(qubits)
    found, own = recognise(swept, code), recognise(plain, code)
    assert np.array_equal(found.lattice.detector_sites, own.lattice.detector_sites)
    assert found.observables.is_identity
    assert (found.basis, found.strength, found.agreement) == (basis, own.strength, own.agreement)


def test_noise_plays_no_part_in_where_a_circuits_detectors_are(draft_of):
    code = codes.get("bb72")
    silent = recognise(memory(code, rounds=2), code)
    assert np.array_equal(silent.lattice.detector_sites, memory_lattice(code, 2, "Z").detector_sites)
    assert (silent.strength, silent.agreement) == (0, 0)


def test_a_circuit_of_another_tool():
    code = codes.get("bb72")
    found = recognise(read_experiment(RELAY), code)
    assert (found.lattice.rounds, found.lattice.basis, found.basis) == (6, "Z", "Z")
    assert (found.missing, found.ignored) == (0, 0)
    assert found.agreement > 0.99
    assert found.strength == pytest.approx(0.003, rel=0.05)
    assert found.observables.logicals.shape == (12, 12)


def test_missing_and_double_detectors_are_counted(draft_of):
    code = codes.get("surface_d3")
    draft = draft_of(memory(code, rounds=3, noise=UniformDepolarizing(0.001)))
    order = np.random.default_rng(1).permutation(24)
    draft.take([*order[:-2], *order[:3]])
    found = recognise(draft.circuit(), code)
    assert (found.missing, found.ignored) == (2, 3)
    assert found.lattice.detectors == 25
    assert np.array_equal(found.lattice.detector_sites[:22], memory_lattice(code, 3, "Z").detector_sites[order[:-2]])


def matched(found: Recognition, p: float, events: np.ndarray) -> np.ndarray:
    """Predictions for a foreign experiment by matching on our own error model."""
    lattice: Lattice = found.lattice
    own = memory(lattice.code, rounds=lattice.rounds, basis=lattice.basis, noise=UniformDepolarizing(p))
    at = np.empty(lattice.sites, dtype=np.int64)
    at[memory_lattice(lattice.code, lattice.rounds, lattice.basis).detector_sites] = np.arange(own.num_detectors)
    ours = np.zeros((len(events), own.num_detectors), dtype=bool)
    ours[:, at[lattice.detector_sites]] = events
    decoder = pymatching.Matching.from_detector_error_model(
        own.detector_error_model(decompose_errors=True, flatten_loops=True)
    )
    observables: ObservableMap = found.observables
    flips = (
        decoder.decode_batch(ours).astype(int) @ observables.logicals.T + events.astype(int) @ observables.detectors.T
    )
    return (flips % 2).astype(bool)


@BASES
@pytest.mark.parametrize("kind", ["circuit", "error model"])
def test_stims_circuits_can_be_decoded_as_ours(basis, kind):
    """2 x 10^4 shots, seed 5: matching on our lattice fails hardly oftener than on the circuit's own error model."""
    p = 0.005
    circuit = stim.Circuit.generated(
        f"surface_code:rotated_memory_{basis.lower()}",
        distance=5,
        rounds=5,
        after_clifford_depolarization=p,
        before_measure_flip_probability=p,
        after_reset_flip_probability=p,
        before_round_data_depolarization=p,
    )
    source = circuit if kind == "circuit" else circuit.detector_error_model()
    found = recognise(source, codes.get("surface_d5"))
    assert found.basis == (basis if kind == "circuit" else None)
    assert found.agreement > 0.99
    assert found.strength == pytest.approx(p, rel=0.1)
    events, flips = circuit.compile_detector_sampler(seed=5).sample(20_000, separate_observables=True)
    model = circuit.detector_error_model(decompose_errors=True)
    best = (pymatching.Matching.from_detector_error_model(model).decode_batch(events) != flips).sum()
    ours = (matched(found, p, events) != flips).sum()
    assert 100 < best < 1000
    assert ours < 1.15 * best


@BASES
def test_the_lattice_is_of_a_basis_that_will_do(basis):
    """A model of one basis serves experiments of both, by a symmetry of the code."""
    code = codes.get("surface_d3")
    circuit = memory(code, rounds=3, basis="Z", noise=UniformDepolarizing(0.002))
    found = recognise(circuit, code, [basis])
    assert (found.lattice.basis, found.basis) == (basis, "Z")
    assert found.agreement > 0.9


@pytest.mark.parametrize(
    ("circuit", "message"),
    [
        (stim.Circuit("R 0\nM 0\nDETECTOR rec[-1]"), "expected observables of surface_d3, got none"),
        (stim.DetectorErrorModel("error(0.1) D0"), "expected observables of surface_d3, got none"),
        (stim.Circuit("R 0\nM 0\nOBSERVABLE_INCLUDE(0) rec[-1]"), "expected a circuit with detectors, got one without"),
        (memory(codes.get("surface_d5"), rounds=2), "expected the checks of surface_d3, 4 of X and 4 of Z .* got 12 "),
        (memory(codes.get("bb72"), rounds=2), "expected the checks of surface_d3, .* got 36 .*weights 6, 2 rounds"),
    ],
    ids=["no observables", "nor in a model", "no detectors", "another distance", "another code"],
)
def test_refusals(circuit, message):
    with pytest.raises(CascadeError, match=message):
        recognise(circuit, codes.get("surface_d3"))


def test_an_observable_that_is_no_logical_is_named(draft_of):
    code = codes.get("bb72")
    draft = draft_of(memory(code, rounds=2, noise=UniformDepolarizing(0.001)))
    # Detector 36 is the first of an X check: what it says is certain without noise, but nothing of a logical.
    draft.observables[7] ^= draft.detectors[36]
    with pytest.raises(CascadeError, match="observable L7 is no logical operator of bb72: expected a sum of its 12"):
        recognise(draft.circuit(), code)


def test_an_uncertain_observable_is_named(draft_of):
    code = codes.get("surface_d3")
    draft = draft_of(memory(code, rounds=2, noise=UniformDepolarizing(0.001)))
    draft.observables[0] = frozenset(sorted(draft.observables[0])[:2])
    with pytest.raises(CascadeError, match=r"certain without noise.*L0"):
        recognise(draft.circuit(), code)


NOISY = {"after_clifford_depolarization": 0.003, "before_measure_flip_probability": 0.003}
GENERATED = stim.Circuit.generated("surface_code:rotated_memory_z", distance=3, rounds=3, **NOISY)


def test_a_second_readout_that_detectors_do_not_look_at_is_none():
    code = codes.get("surface_d3")
    twice = GENERATED + stim.Circuit("M 1 3 5 8 10 12 15 17 19")
    found, once = recognise(twice, code), recognise(GENERATED, code)
    assert np.array_equal(found.lattice.detector_sites, once.lattice.detector_sites)
    assert np.array_equal(found.observables.detectors, once.observables.detectors)


def test_detectors_of_no_outcome_are_ignored():
    code = codes.get("surface_d3")
    found = recognise(GENERATED + stim.Circuit("DETECTOR(1, 2, 3)\nDETECTOR rec[-1] rec[-1]"), code)
    assert (found.heralds, found.ignored, found.missing) == (0, 2, 0)
    own = recognise(GENERATED, code).lattice.detector_sites
    assert np.array_equal(found.lattice.detector_sites, [*own, -1, -1])


def without_resets(circuit: stim.Circuit) -> stim.Circuit:
    """The same without resets of ancillas: each outcome is the check's one plus the outcome before."""
    turned = stim.Circuit()
    outcomes: list[set[int]] = []  # that make each of the circuit's
    before: dict[int, int] = {}
    for instruction in circuit.flattened():
        name, targets = instruction.name, instruction.targets_copy()
        if name in ("DETECTOR", "OBSERVABLE_INCLUDE"):
            own: set[int] = set()
            for target in targets:
                own ^= outcomes[target.value]
            targets = [stim.target_rec(outcome - len(outcomes)) for outcome in sorted(own)]
        elif stim.gate_data(name).produces_measurements:
            for number, target in enumerate(targets, start=len(outcomes)):
                outcomes.append({number, *([before[target.value]] if target.value in before else [])})
                before[target.value] = number
        turned.append("M" if name == "MR" else name, targets, instruction.gate_args_copy())
    return turned


@BASES
@pytest.mark.parametrize("rounds", [1, 2, 4])
def test_ancillas_need_not_be_reset(basis, rounds):
    code, task = codes.get("surface_d3"), f"surface_code:rotated_memory_{basis.lower()}"
    circuit = stim.Circuit.generated(task, distance=3, rounds=rounds, **NOISY)
    found, own = recognise(without_resets(circuit), code), recognise(circuit, code)
    assert np.array_equal(found.lattice.detector_sites, own.lattice.detector_sites)
    assert np.array_equal(found.observables.logicals, own.observables.logicals)
    assert (found.basis, found.missing, found.ignored) == (basis, 0, 0)


def test_heralds_are_ignored_and_counted():
    code = codes.get("surface_d3")
    herald = "HERALDED_ERASE(0.01) 1\nDETECTOR rec[-1]\nMR "
    heralded = stim.Circuit(str(GENERATED.flattened()).replace("MR ", herald, 1))
    found = recognise(heralded, code)
    assert (found.heralds, found.ignored, found.missing) == (1, 1, 0)
    assert np.array_equal(found.lattice.detector_sites[1:], recognise(GENERATED, code).lattice.detector_sites)
    with pytest.warns(CascadeWarning, match="detectors of heralds, 1 of them, are ignored"):
        CascadeDecoder.untrained("surface_d3").bind(heralded)


def test_what_watches_no_data_qubit_is_described():
    compared = GENERATED + stim.Circuit("M 1 3 5 8 10 12 15 17 19\nDETECTOR rec[-1] rec[-10]")
    with pytest.raises(CascadeError, match=r"detector D24 watches no data qubit; .* outcomes of qubit 19 alone"):
        recognise(compared, codes.get("surface_d3"))


def test_a_check_too_many_is_described():
    """The product of the readouts of two checks, which share a data qubit, beside those of each."""
    circuit = memory(codes.get("surface_d3"), rounds=2, noise=UniformDepolarizing(0.001)).flattened()
    readout = [i.targets_copy() for i in circuit if i.name == "DETECTOR"][-2:]
    product = {t.value for t in readout[0]} ^ {t.value for t in readout[1]}
    circuit.append("DETECTOR", [stim.target_rec(o) for o in sorted(product)])
    with pytest.raises(CascadeError, match=r"got 5 checks .*: leave out the detectors of checks that the code has not"):
        recognise(circuit, codes.get("surface_d3"))
