import numpy as np
import pytest
import stim

import cascade_qec as cascade
from cascade_qec.decoders.cascade import CascadeDecoder, load
from cascade_qec.errors import CascadeError, CascadeWarning
from cascade_qec.nn import ModelDescription

# Round counts other than a model's own are warned of; these tests want small and odd ones.
pytestmark = pytest.mark.filterwarnings("ignore::cascade_qec.errors.CascadeWarning")

CODES = pytest.mark.parametrize("code", ["surface_d3", "bb72"])
BASES = pytest.mark.parametrize("basis", ["X", "Z"])


def decoder_for(code: str) -> CascadeDecoder:
    return CascadeDecoder.untrained(code, width=8, depth=1, seed=3)


def sampled(decoder: CascadeDecoder, shots: int, *, rounds: int = 3, basis: str = "Z") -> np.ndarray:
    """Detection events of the experiment that the decoder is bound to from here on."""
    circuit = decoder.experiment(0.01, rounds=rounds, basis=basis)
    return circuit.compile_detector_sampler(seed=7).sample(shots)


@BASES
@CODES
@pytest.mark.parametrize("rounds", [1, 2, 8])
def test_shapes_and_types(code, rounds, basis):
    decoder = decoder_for(code)
    result = decoder.decode_batch(sampled(decoder, 5, rounds=rounds, basis=basis))
    assert isinstance(result, cascade.DecodeResult)
    assert result.observables.shape == result.probabilities.shape == (5, decoder.code.k)
    assert result.confidence.shape == (5,)
    assert (result.observables.dtype, result.probabilities.dtype) == (np.bool_, np.float32)
    assert result.confidence.dtype == np.float32
    assert (decoder.lattice.rounds, decoder.lattice.basis) == (rounds, basis)
    assert len(np.unique(result.probabilities)) > 1


def test_an_experiment_has_the_rounds_of_training_unless_told_otherwise():
    decoder = decoder_for("surface_d5")
    assert decoder.experiment(0.001).num_detectors == decoder.lattice.detectors == 5 * 24
    assert (decoder.lattice.rounds, decoder.lattice.basis) == (5, "Z")


@CODES
def test_a_shots_result_is_its_own(code, monkeypatch):
    # A matrix product's rounding may depend on how many shots it serves, but on nothing else of the others.
    decoder = decoder_for(code)
    events = sampled(decoder, 41)
    whole = decoder.decode_batch(events)
    order = np.random.default_rng(1).permutation(41)
    np.testing.assert_allclose(decoder.decode_batch(events[order]).probabilities, whole.probabilities[order], atol=1e-3)
    for size in (1, 7, 40):
        pieces = [decoder.decode_batch(events[i : i + size]) for i in range(0, 41, size)]
        for field in ("probabilities", "confidence"):
            together = np.concatenate([getattr(piece, field) for piece in pieces])
            np.testing.assert_allclose(together, getattr(whole, field), atol=1e-3)
    monkeypatch.setattr(decoder, "_chunk", 6)  # large batches pass through memory in pieces
    np.testing.assert_allclose(decoder.decode_batch(events).probabilities, whole.probabilities, atol=1e-3)


@BASES
@CODES
def test_bit_packed_events_are_the_same_events(code, basis):
    decoder = decoder_for(code)
    events = sampled(decoder, 33, basis=basis)
    packed = np.packbits(events, axis=1, bitorder="little")
    expected = decoder.decode_batch(events)
    for found in (
        decoder.decode_batch(packed, bit_packed=True),
        decoder.decode_batch(events.astype(np.uint8)),
    ):
        np.testing.assert_array_equal(found.probabilities, expected.probabilities)
        np.testing.assert_array_equal(found.observables, expected.observables)


def permuted(circuit: stim.Circuit, order: np.ndarray) -> stim.Circuit:
    """The circuit with its detectors in another order, without their coordinates, behind all else."""
    operations, detectors, observables = stim.Circuit(), [], []
    for instruction in circuit.flattened():
        if instruction.name in ("DETECTOR", "OBSERVABLE_INCLUDE"):
            outcomes = [operations.num_measurements + target.value for target in instruction.targets_copy()]
            (detectors if instruction.name == "DETECTOR" else observables).append(outcomes)
        else:
            operations.append(instruction)
    end = operations.num_measurements
    for detector in order:
        operations.append("DETECTOR", [stim.target_rec(outcome - end) for outcome in detectors[detector]])
    for number, outcomes in enumerate(observables):
        operations.append("OBSERVABLE_INCLUDE", [stim.target_rec(outcome - end) for outcome in outcomes], number)
    return operations


@BASES
@CODES
def test_a_circuits_own_order_of_detectors_is_understood(code, basis):
    decoder = decoder_for(code)
    circuit = decoder.experiment(0.01, rounds=4, basis=basis)
    events = circuit.compile_detector_sampler(seed=7).sample(20)
    expected = decoder.decode_batch(events)
    assert decoder.recognition is None
    order = np.random.default_rng(2).permutation(circuit.num_detectors)
    for source, seen in ((circuit, events), (permuted(circuit, order), events[:, order])):
        bound = decoder_for(code).for_circuit(source)
        assert (bound.lattice.rounds, bound.lattice.basis) == (4, basis)
        assert bound.recognition is not None
        found = bound.decode_batch(seen)
        np.testing.assert_array_equal(found.probabilities, expected.probabilities)
        np.testing.assert_array_equal(found.confidence, expected.confidence)


@CODES
def test_an_error_model_does_for_a_circuit(code):
    decoder = decoder_for(code)
    circuit = decoder.experiment(0.01, rounds=4)
    events = circuit.compile_detector_sampler(seed=7).sample(20)
    bound = decoder.for_circuit(circuit.detector_error_model(flatten_loops=True))
    expected = decoder.decode_batch(events)
    np.testing.assert_array_equal(bound.decode_batch(events).probabilities, expected.probabilities)


def test_predictions_are_of_the_circuits_own_observables():
    decoder = decoder_for("bb72")
    circuit = decoder.experiment(0.01, rounds=2)
    mixed = circuit.copy()
    # L1 becomes the sum of both, and the sum of detectors beside it: all else of the code's goes its own way.
    for instruction in [i for i in circuit.flattened() if i.name == "OBSERVABLE_INCLUDE"][:1]:
        mixed.append("OBSERVABLE_INCLUDE", instruction.targets_copy(), 1)
    bound = decoder.for_circuit(mixed)
    assert bound.num_observables == decoder.num_observables == 12
    events = circuit.compile_detector_sampler(seed=7).sample(20)
    result, own = bound.decode_batch(events), decoder.decode_batch(events)
    np.testing.assert_array_equal(result.observables[:, 1], own.observables[:, 0] ^ own.observables[:, 1])
    np.testing.assert_array_equal(np.delete(result.observables, 1, axis=1), np.delete(own.observables, 1, axis=1))
    others = np.delete(result.probabilities, 1, axis=1)
    np.testing.assert_allclose(others, np.delete(own.probabilities, 1, axis=1), atol=1e-5)
    np.testing.assert_allclose(result.confidence, own.confidence, rtol=1e-4)


def test_binding_to_a_circuit_leaves_the_decoder_as_it_was():
    decoder = decoder_for("surface_d3")
    circuit = decoder_for("surface_d3").experiment(0.01, rounds=5, basis="X")
    bound = decoder.for_circuit(circuit)
    assert bound.lattice.detectors == circuit.num_detectors
    assert (decoder.lattice.rounds, decoder.lattice.basis) == (3, "Z")
    assert bound.network is decoder.network


@CODES
def test_confidence_is_the_probability_that_no_observable_is_wrong(code):
    decoder = decoder_for(code)
    result = decoder.decode_batch(sampled(decoder, 20))
    right = np.where(result.observables, result.probabilities, 1 - result.probabilities)
    # All are right at most as often as any one, and wrong at most as often as the sum says.
    assert (result.confidence <= right.min(axis=1) + 1e-6).all()
    assert (result.confidence >= 1 - (1 - right).sum(axis=1) - 1e-6).all()
    if decoder.num_observables == 1:
        np.testing.assert_array_equal(result.observables, result.probabilities > 0.5)
        np.testing.assert_allclose(result.confidence, right[:, 0], rtol=1e-5)


@CODES
@pytest.mark.parametrize("bit_packed", [False, True])
def test_no_shots_give_no_results(code, bit_packed):
    decoder = decoder_for(code)
    detectors = decoder.lattice.detectors
    events = np.zeros((0, -(-detectors // 8)), np.uint8) if bit_packed else np.zeros((0, detectors), np.bool_)
    result = decoder.decode_batch(events, bit_packed=bit_packed)
    k = decoder.code.k
    assert (result.observables.shape, result.probabilities.shape, result.confidence.shape) == (
        (0, k),
        (0, k),
        (0,),
    )
    assert (result.observables.dtype, result.probabilities.dtype) == (np.bool_, np.float32)


@pytest.mark.parametrize(
    ("events", "bit_packed", "message"),
    [
        (
            np.zeros((2, 23), bool),
            False,
            r"\(3 rounds, basis Z\) expects detection events of shape \[shots, 24\] .*, got \[2, 23\]",
        ),
        (np.zeros((2, 32), bool), False, r"shape \[shots, 24\] .*, got \[2, 32\]"),
        (np.zeros(24, bool), False, r"shape \[shots, 24\] .*, got \[24\]"),
        (np.zeros((0,), bool), False, r"shape \[shots, 24\] .*, got \[0\]"),
        (np.zeros((2, 24), np.uint8), True, r"bit-packed .* shape \[shots, 3\] .*, got \[2, 24\]"),
        (np.zeros((2, 3), np.uint8), False, r"shape \[shots, 24\] .*, got \[2, 3\]"),
        (np.zeros((2, 3), bool), True, "bit-packed detection events as uint8, got bool"),
        (np.zeros((2, 24)), False, r"as bool \(or uint8 0 and 1\), got float64"),
        (np.full((2, 24), 2, np.uint8), False, "detection events 0 and 1, got 2"),
    ],
)
def test_other_shapes_and_types_are_refused(events, bit_packed, message):
    with pytest.raises(CascadeError, match=message):
        decoder_for("surface_d3").decode_batch(events, bit_packed=bit_packed)


def test_circuits_of_other_codes_are_refused():
    decoder = decoder_for("surface_d3")
    with pytest.raises(CascadeError, match=r"checks of surface_d3, 4 of X and 4 of Z.* got 36 checks of"):
        decoder.for_circuit(decoder_for("bb72").experiment(0.01))
    with pytest.raises(CascadeError, match=r"checks of surface_d3, .* got 12 checks of the experiment's"):
        decoder.for_circuit(decoder_for("surface_d5").experiment(0.01, rounds=3))
    with pytest.raises(CascadeError, match=r"checks of surface_d5, .* got 4 checks of the experiment's"):
        decoder_for("surface_d5").for_circuit(decoder.experiment(0.01, rounds=3))


def test_a_models_own_experiment_is_of_the_bases_it_was_trained_for():
    decoder = decoder_for("surface_d3")
    values = decoder.description.model_dump() | {"bases": ["X"]}
    only_x = CascadeDecoder(decoder.network, ModelDescription.model_validate(values))
    assert only_x.lattice.basis == "X"
    with pytest.raises(CascadeError, match="surface_d3_untrained was trained for basis X, got basis Z"):
        only_x.experiment(0.01)
    # A foreign circuit of the other basis is laid onto the lattice that the model knows.
    bound = only_x.for_circuit(decoder.experiment(0.01))
    assert (only_x.lattice.basis, bound.lattice.basis) == ("X", "X")
    assert bound.recognition is not None
    assert bound.recognition.basis == "Z"


def test_saved_and_loaded_it_decodes_alike(tmp_path):
    decoder = decoder_for("surface_d3")
    path = tmp_path / "model.safetensors"
    decoder.save(path)
    assert [file.name for file in tmp_path.iterdir()] == ["model.safetensors"]
    loaded = load(path)
    assert loaded.description == decoder.description
    circuit = decoder.experiment(0.01, rounds=2, basis="X")
    events = circuit.compile_detector_sampler(seed=7).sample(20)
    expected = decoder.decode_batch(events).probabilities
    for bound in (loaded.for_circuit(circuit), cascade.load(str(path), circuit=circuit)):
        np.testing.assert_array_equal(bound.decode_batch(events).probabilities, expected)


def test_precision_and_device_are_as_asked(tmp_path):
    path = tmp_path / "model.safetensors"
    decoder_for("surface_d3").save(path)
    exact = load(path, device="cpu", precision="float32")
    rough = load(path, device="cpu", precision="bfloat16")
    events = sampled(exact, 50)
    found, expected = rough.decode_batch(events).probabilities, exact.decode_batch(events).probabilities
    assert np.abs(found - expected).max() < 0.05  # 8 bits to a number, through a handful of layers
    with pytest.raises(CascadeError, match="expected precision auto, float32 or bfloat16, got 'half'"):
        load(path, precision="half")
    with pytest.raises(CascadeError, match="expected device auto, cpu, cuda or cuda:N, got 'tpu'"):
        load(path, device="tpu")


@pytest.mark.parametrize("name", ["no_such_model", "no/such/file.safetensors"])
def test_unknown_models_are_refused(name):
    with pytest.raises(CascadeError, match=f"{name}.*expected"):
        load(name)


@pytest.mark.filterwarnings("error::cascade_qec.errors.CascadeWarning")
def test_rounds_that_the_model_has_not_learnt_are_warned_of() -> None:
    decoder = CascadeDecoder.untrained("surface_d3", width=8, depth=1)
    decoder.experiment(0.01, rounds=3, basis="X")
    with pytest.warns(CascadeWarning, match=r"trained on 3 rounds.*experiment with 7"):
        circuit = decoder.experiment(0.01, rounds=7)
    with pytest.warns(CascadeWarning, match="trained on 3 rounds"):
        decoder.for_circuit(circuit)


@pytest.mark.filterwarnings("error::cascade_qec.errors.CascadeWarning")
def test_circuits_unlike_those_of_training_are_warned_of() -> None:
    decoder = CascadeDecoder.untrained("surface_d3", width=8, depth=1)
    decoder.for_circuit(decoder.experiment(0.005))
    with pytest.warns(CascadeWarning, match=r"as strong as p = 0\.02, and the model was trained up to p = 0\.005"):
        decoder.for_circuit(decoder.experiment(0.02))
    without_first = decoder.experiment(0.005)
    order = np.arange(1, without_first.num_detectors)
    with pytest.warns(CascadeWarning, match="1 detectors of training are missing and taken for silent"):
        decoder.for_circuit(permuted(without_first, order))


def test_a_translated_shot_is_decided_alike():
    """By the class of the error, whichever operators the code has chosen for its observables."""
    decoder = CascadeDecoder.untrained("bb72", width=8, depth=1)
    circuit = decoder.experiment(0.003, rounds=6)
    code, lattice = decoder.code, decoder.lattice
    events = circuit.compile_detector_sampler(seed=3).sample(10)
    sites = np.full(lattice.sites, -1)
    for kind in ("X", "Z"):
        here = lattice.check_sites(kind)
        sites[here] = np.roll(here.reshape(-1, code.l, code.m), (2, 1), axis=(1, 2)).reshape(here.shape)
    number = np.full(lattice.sites, -1)
    number[lattice.detector_sites] = np.arange(lattice.detectors)
    moved = events[:, number[sites[lattice.detector_sites]]]
    first, second = decoder.decode_batch(events), decoder.decode_batch(moved)
    np.testing.assert_allclose(first.confidence, second.confidence, rtol=1e-3)
    assert (first.observables != second.observables).any()
