# Stim's annotations have loops even in flattened circuits.
# pyright: reportAttributeAccessIssue=false

import multiprocessing
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import stim
import torch

import cascade_qec as cascade
from cascade_qec.codes import Basis
from cascade_qec.decoders.bound_cascade import BoundCascade
from cascade_qec.decoders.cascade import CascadeDecoder
from cascade_qec.decoders.loading import load
from cascade_qec.decoders.runtime import Runtime
from cascade_qec.errors import CascadeError, CascadeWarning
from cascade_qec.model import ModelDescription
from cascade_qec.native import set_threads

# Round counts other than a model's own are warned of; these tests want small and odd ones.
pytestmark = pytest.mark.filterwarnings("ignore::cascade_qec.errors.CascadeWarning")

CODES = pytest.mark.parametrize("code", ["surface_d3", "bb72"])
BASES = pytest.mark.parametrize("basis", ["X", "Z"])


def decoder_for(code: str) -> CascadeDecoder:
    return CascadeDecoder.untrained(code, width=8, depth=1, seed=3)


def bound_and_events(code: str, shots: int, *, rounds: int = 3, basis: Basis = "Z") -> tuple[BoundCascade, np.ndarray]:
    """A decoder bound to its own experiment, and shots of it."""
    decoder = decoder_for(code)
    circuit = decoder.experiment(0.01, rounds=rounds, basis=basis)
    return decoder.bind(rounds=rounds, basis=basis), circuit.compile_detector_sampler(seed=7).sample(shots)


@BASES
@CODES
@pytest.mark.parametrize("rounds", [1, 2, 8])
def test_shapes_and_types(code, rounds, basis):
    bound, events = bound_and_events(code, 5, rounds=rounds, basis=basis)
    result = bound.decode_batch(events)
    assert isinstance(result, cascade.DecodeResult)
    assert result.observables.shape == result.probabilities.shape == (5, bound.decoder.code.k)
    assert result.confidence.shape == (5,)
    assert (result.observables.dtype, result.probabilities.dtype) == (np.bool_, np.float32)
    assert (result.log_odds.dtype, result.confidence.dtype) == (np.float32, np.float64)
    assert (bound.lattice.rounds, bound.lattice.basis) == (rounds, basis)
    assert len(np.unique(result.probabilities)) > 1


def test_an_experiment_has_the_rounds_of_training_unless_told_otherwise():
    decoder = decoder_for("surface_d5")
    bound = decoder.bind()
    assert decoder.experiment(0.001).num_detectors == bound.num_detectors == 5 * 24
    assert (bound.lattice.rounds, bound.lattice.basis) == (5, "Z")


@CODES
def test_a_shots_result_is_its_own(code):
    # A matrix product's rounding may depend on how many shots it serves, but on nothing else of the others.
    decoder, events = bound_and_events(code, 41)
    whole = decoder.decode_batch(events)
    order = np.random.default_rng(1).permutation(41)
    np.testing.assert_allclose(decoder.decode_batch(events[order]).probabilities, whole.probabilities[order], atol=1e-3)
    for size in (1, 7, 40):
        pieces = [decoder.decode_batch(events[i : i + size]) for i in range(0, 41, size)]
        for field in ("probabilities", "confidence"):
            together = np.concatenate([getattr(piece, field) for piece in pieces])
            np.testing.assert_allclose(together, getattr(whole, field), atol=1e-3)


@BASES
@CODES
def test_bit_packed_events_are_the_same_events(code, basis):
    decoder, events = bound_and_events(code, 33, basis=basis)
    packed = np.packbits(events, axis=1, bitorder="little")
    expected = decoder.decode_batch(events)
    for found in (
        decoder.decode_batch(packed, bit_packed=True),
        decoder.decode_batch(packed, bit_packed_shots=True),
        decoder.decode_batch(events.astype(np.uint8)),
        decoder.decode_batch(np.frombuffer(packed.tobytes(), np.uint8).reshape(packed.shape), bit_packed=True),
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
    own = decoder.bind(rounds=4, basis=basis)
    expected = own.decode_batch(events)
    assert own.recognition is None
    order = np.random.default_rng(2).permutation(circuit.num_detectors)
    for source, seen in ((circuit, events), (permuted(circuit, order), events[:, order])):  # pyright: ignore[reportCallIssue]
        bound = decoder_for(code).bind(source)
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
    bound = decoder.bind(circuit.detector_error_model(flatten_loops=True))
    expected = decoder.bind(rounds=4).decode_batch(events)
    np.testing.assert_array_equal(bound.decode_batch(events).probabilities, expected.probabilities)


def test_predictions_are_of_the_circuits_own_observables():
    decoder = decoder_for("bb72")
    circuit = decoder.experiment(0.01, rounds=2)
    mixed = circuit.copy()
    # L1 becomes the sum of both, and the sum of detectors beside it: all else of the code's goes its own way.
    for instruction in [i for i in circuit.flattened() if i.name == "OBSERVABLE_INCLUDE"][:1]:
        mixed.append("OBSERVABLE_INCLUDE", instruction.targets_copy(), 1)
    bound = decoder.bind(mixed)
    own_bound = decoder.bind(circuit)
    assert bound.num_observables == own_bound.num_observables == 12
    events = circuit.compile_detector_sampler(seed=7).sample(20)
    result, own = bound.decode_batch(events), own_bound.decode_batch(events)
    np.testing.assert_array_equal(result.observables[:, 1], own.observables[:, 0] ^ own.observables[:, 1])
    np.testing.assert_array_equal(np.delete(result.observables, 1, axis=1), np.delete(own.observables, 1, axis=1))
    others = np.delete(result.probabilities, 1, axis=1)
    np.testing.assert_allclose(others, np.delete(own.probabilities, 1, axis=1), atol=1e-5)
    np.testing.assert_allclose(result.confidence, own.confidence, rtol=1e-4)


def test_neither_binding_nor_experiments_change_the_decoder():
    """Nor what it was bound to before: case 3 of shots of Z decoded as shots of X."""
    decoder = decoder_for("surface_d3")
    first = decoder.bind(rounds=3, basis="Z")
    events = decoder.experiment(0.01, rounds=3, basis="Z").compile_detector_sampler(seed=7).sample(20)
    expected = first.decode_batch(events)
    circuit = decoder.experiment(0.01, rounds=3, basis="X")
    second = decoder.bind(circuit)
    assert (first.lattice.basis, second.lattice.basis) == ("Z", "X")
    assert first.decoder.network is second.decoder.network
    np.testing.assert_array_equal(first.decode_batch(events).probabilities, expected.probabilities)
    with pytest.raises(CascadeError, match=r"expected an experiment, or the rounds and basis.*got both"):
        decoder.bind(circuit, rounds=3)  # pyright: ignore


def test_equal_experiments_are_worked_out_once(monkeypatch):
    decoder = decoder_for("surface_d3")
    circuit = decoder.experiment(0.01)
    dem = circuit.detector_error_model()
    first = decoder.bind(circuit)
    assert decoder.bind(circuit.copy()).recognition is first.recognition
    assert decoder.bind(dem).recognition is not first.recognition
    assert decoder.bind(str(circuit)).recognition is first.recognition  # text of it
    for rounds in range(1, 10):  # the latest are kept
        decoder.bind(rounds=rounds)
    assert decoder.bind(circuit).recognition is not first.recognition


def test_two_threads_decode_different_experiments():
    decoder = decoder_for("surface_d3")
    experiments = []
    for rounds, basis in ((2, "X"), (3, "Z"), (5, "X"), (4, "Z")):
        circuit = decoder.experiment(0.01, rounds=rounds, basis=basis)
        events = circuit.compile_detector_sampler(seed=rounds).sample(300)
        experiments.append((circuit, events, decoder_for("surface_d3").bind(circuit).decode_batch(events)))

    def decode(circuit: stim.Circuit, events: np.ndarray, expected: cascade.DecodeResult) -> None:
        for _ in range(10):
            np.testing.assert_array_equal(
                decoder.bind(circuit).decode_batch(events).probabilities, expected.probabilities
            )

    with ThreadPoolExecutor(len(experiments)) as pool:
        for done in [pool.submit(decode, *experiment) for experiment in experiments]:
            done.result()


@CODES
@pytest.mark.parametrize("own", [True, False])
def test_decoders_and_bound_decoders_pickle(code, own):
    decoder = decoder_for(code)
    circuit = decoder.experiment(0.01, rounds=2)
    events = circuit.compile_detector_sampler(seed=7).sample(20)
    bound = decoder.bind(rounds=2) if own else decoder.bind(circuit)
    expected = bound.decode_batch(events)
    for copy in (pickle.loads(pickle.dumps(bound)), pickle.loads(pickle.dumps(decoder)).bind(circuit)):
        np.testing.assert_array_equal(copy.decode_batch(events).probabilities, expected.probabilities)


@pytest.fixture
def two_threads(_one_thread):
    set_threads(2)


def _decode_elsewhere(bound: BoundCascade, events: np.ndarray, answer) -> None:
    answer.send(bound.decode_batch(events).observables)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["spawn", "fork"])
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # Python 3.12 on forks beside threads
def test_other_processes_decode(method, two_threads):
    """A forked process has none of the parent's threads, which the parent has used."""
    decoder = CascadeDecoder.untrained("surface_d5", width=32, depth=2)
    bound = decoder.bind()
    events = decoder.experiment(0.01).compile_detector_sampler(seed=1).sample(300)
    expected = bound.decode_batch(events).observables
    context = multiprocessing.get_context(method)
    ours, theirs = context.Pipe()
    process = context.Process(target=_decode_elsewhere, args=(bound, events, theirs))
    process.start()
    try:
        assert ours.poll(120), "nothing came back"
        np.testing.assert_array_equal(ours.recv(), expected)
    finally:
        process.kill()
        process.join()


def test_a_fork_of_a_process_with_cuda_is_told(monkeypatch):
    bound = decoder_for("surface_d3").bind()
    monkeypatch.setattr(bound.decoder, "runtime", Runtime("torch", "cuda", "bfloat16"))
    monkeypatch.setattr(bound.decoder, "_process", -1)
    with pytest.raises(CascadeError, match=r'was loaded onto cuda before this process was forked off.*by "spawn"'):
        bound.decode_batch(np.zeros((1, 24), bool))


def test_loading_leaves_the_random_state_alone(tmp_path):
    path = tmp_path / "model.safetensors"
    decoder_for("surface_d3").save(path)
    before = torch.get_rng_state()
    load(path, device="cpu").bind()
    pickle.loads(pickle.dumps(load(path, device="cpu")))
    assert torch.equal(torch.get_rng_state(), before)


def test_one_shot_alone():
    bound, events = bound_and_events("bb72", 5)
    whole = bound.decode_batch(events).observables
    assert bound.decode(events[3]).shape == (12,)
    np.testing.assert_array_equal(bound.decode(events[3].astype(np.uint8)), whole[3])
    with pytest.raises(CascadeError, match="got \\[1, 3\\]"):
        bound.decode([0, 1, 0])


def test_what_decoders_say_of_themselves():
    bound, events = bound_and_events("surface_d3", 5)
    assert repr(bound.decoder).startswith("<cascade:surface_d3_untrained: surface_d3, 3 rounds, ")
    assert repr(bound) == "<model surface_d3_untrained (3 rounds, basis Z), bound: 24 detectors, 1 observables>"
    assert repr(bound.decode_batch(events)).startswith("<NetworkResult: 5 shots, 1 observables, ")


def test_text_and_error_models_for_a_circuit(tmp_path):
    path = tmp_path / "model.safetensors"
    decoder = decoder_for("surface_d3")
    decoder.save(path)
    circuit = decoder.experiment(0.005)
    dem = circuit.detector_error_model(flatten_loops=True)
    (tmp_path / "errors.txt").write_text(str(dem))
    events = circuit.compile_detector_sampler(seed=7).sample(20)
    expected = decoder.bind(circuit).decode_batch(events).observables
    for given in (
        {"circuit": str(circuit)},
        {"circuit": str(dem)},
        {"dem": dem},
        {"dem": str(dem)},
        {"dem": tmp_path / "errors.txt"},
    ):
        np.testing.assert_array_equal(load(path, **given).decode_batch(events).observables, expected)  # pyright: ignore[reportCallIssue]
    with pytest.raises(CascadeError, match="expected a circuit or an error model"):
        load(path, circuit=circuit, dem=dem)
    with pytest.raises(CascadeError, match="text of 2 lines: expected a Stim circuit"):
        load(path, circuit="H 0\nNOSUCHGATE 1")


@CODES
def test_confidence_is_the_probability_that_no_observable_is_wrong(code):
    decoder, events = bound_and_events(code, 20)
    result = decoder.decode_batch(events)
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
    decoder = decoder_for(code).bind()
    detectors = decoder.num_detectors
    events = np.zeros((0, -(-detectors // 8)), np.uint8) if bit_packed else np.zeros((0, detectors), np.bool_)
    result = decoder.decode_batch(events, bit_packed=bit_packed)
    k = decoder.num_observables
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
        decoder_for("surface_d3").bind().decode_batch(events, bit_packed=bit_packed)


def test_circuits_of_other_codes_are_refused():
    decoder = decoder_for("surface_d3")
    with pytest.raises(CascadeError, match=r"checks of surface_d3, 4 of X and 4 of Z.* got 36 checks of"):
        decoder.bind(decoder_for("bb72").experiment(0.01))
    with pytest.raises(CascadeError, match=r"checks of surface_d3, .* got 12 checks of the experiment's"):
        decoder.bind(decoder_for("surface_d5").experiment(0.01, rounds=3))
    with pytest.raises(CascadeError, match=r"checks of surface_d5, .* got 4 checks of the experiment's"):
        decoder_for("surface_d5").bind(decoder.experiment(0.01, rounds=3))


def test_a_models_own_experiment_is_of_the_bases_it_was_trained_for():
    decoder = decoder_for("surface_d3")
    values = decoder.description.model_dump() | {"bases": ["X"]}
    only_x = CascadeDecoder(decoder.state, ModelDescription.model_validate(values))
    assert only_x.bind().lattice.basis == "X"
    with pytest.raises(CascadeError, match="surface_d3_untrained was trained for basis X, got basis Z"):
        only_x.experiment(0.01)
    with pytest.raises(CascadeError, match="surface_d3_untrained was trained for basis X, got basis Z"):
        only_x.bind(basis="Z")
    # A foreign circuit of the other basis is laid onto the lattice that the model knows.
    bound = only_x.bind(decoder.experiment(0.01))
    assert bound.lattice.basis == "X"
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
    expected = decoder.bind(circuit).decode_batch(events).probabilities
    for bound in (loaded.bind(circuit), cascade.load(str(path), circuit=circuit)):
        np.testing.assert_array_equal(bound.decode_batch(events).probabilities, expected)


def test_precision_and_device_are_as_asked(tmp_path):
    path = tmp_path / "model.safetensors"
    decoder_for("surface_d3").save(path)
    exact = load(path, device="cpu", precision="float32")
    rough = load(path, device="cpu", precision="bfloat16")
    events = exact.experiment(0.01).compile_detector_sampler(seed=7).sample(50)
    found, expected = (one.bind().decode_batch(events).probabilities for one in (rough, exact))
    assert np.abs(found - expected).max() < 0.05  # 8 bits to a number, through a handful of layers
    with pytest.raises(
        CascadeError, match="expected precision auto, float32, bfloat16, float16, fp8, int8, got 'half'"
    ):
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
    decoder.bind(rounds=3, basis="X")
    circuit = decoder.experiment(0.01, rounds=7)
    for _ in range(2):  # also where it has been worked out before
        with pytest.warns(CascadeWarning, match=r"made for 3 rounds.*experiment with 7"):
            decoder.bind(rounds=7)
    with pytest.warns(CascadeWarning, match="made for 3 rounds"):
        decoder.bind(circuit)


@pytest.mark.filterwarnings("error::cascade_qec.errors.CascadeWarning")
def test_circuits_unlike_those_of_training_are_warned_of() -> None:
    decoder = CascadeDecoder.untrained("surface_d3", width=8, depth=1)
    decoder.bind(decoder.experiment(0.005))
    with pytest.warns(CascadeWarning, match=r"as strong as p = 0\.02, and the model was trained up to p = 0\.008"):
        decoder.bind(decoder.experiment(0.02))
    without_first = decoder.experiment(0.005)
    order = np.arange(1, without_first.num_detectors)
    with pytest.warns(CascadeWarning, match="1 detectors of training are missing and taken for silent"):
        decoder.bind(permuted(without_first, order))


def test_a_translated_shot_is_decided_alike():
    """By the class of the error, whichever operators the code has chosen for its observables."""
    decoder = CascadeDecoder.untrained("bb72", width=8, depth=1)
    circuit = decoder.experiment(0.003, rounds=6)
    bound = decoder.bind(rounds=6)
    code, lattice = decoder.code, bound.lattice
    events = circuit.compile_detector_sampler(seed=3).sample(10)
    sites = np.full(lattice.sites, -1)
    for kind in ("X", "Z"):
        here = lattice.check_sites(kind)
        sites[here] = np.roll(here.reshape(-1, code.l, code.m), (2, 1), axis=(1, 2)).reshape(here.shape)
    number = np.full(lattice.sites, -1)
    number[lattice.detector_sites] = np.arange(lattice.detectors)
    moved = events[:, number[sites[lattice.detector_sites]]]  # pyright: ignore[reportCallIssue]
    first, second = bound.decode_batch(events), bound.decode_batch(moved)
    np.testing.assert_allclose(first.confidence, second.confidence, rtol=1e-3)
    assert (first.observables != second.observables).any()
