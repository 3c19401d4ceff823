"""Shots that cannot be those of the experiment are noticed, and all others are not."""

import pickle
import threading
import warnings

import numpy as np
import pytest
import stim
from numpy.typing import NDArray

from cascade_qec import CascadeWarning, codes, load
from cascade_qec.circuits import SI1000, UniformDepolarizing, memory
from cascade_qec.decoders import classical, events
from cascade_qec.decoders.bound import decode_distinct
from cascade_qec.decoders.escalation import EscalatingDecoder
from cascade_qec.decoders.plausibility import Expected, ShotCheck, objection
from cascade_qec.error_models import error_model

STRANGE = "can hardly be shots of its experiment"


def experiment(code="surface_d5", p=0.004, basis="Z", noise=UniformDepolarizing, rounds=None):
    css = codes.get(code)
    return memory(css, rounds=rounds or css.d or 3, basis=basis, noise=noise(p))


def sampled(circuit: stim.Circuit, shots: int = 16_000) -> NDArray[np.bool_]:
    return circuit.compile_detector_sampler(seed=1).sample(shots, separate_observables=True)[0]


def generated(distance, p):
    return stim.Circuit.generated(
        "surface_code:rotated_memory_z",
        distance=distance,
        rounds=distance,
        after_clifford_depolarization=p,
        before_round_data_depolarization=p,
        before_measure_flip_probability=p,
        after_reset_flip_probability=p,
    )


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize(
    ("code", "p"), [("surface_d3", 0.0005), ("surface_d3", 0.02), ("surface_d5", 0.003), ("bb72", 0.004)]
)
def test_shots_of_the_experiment_pass_whatever_their_number(code, p, known):
    # Stated: below 1e-6 for a series of five calls.
    expected = Expected.of(error_model(experiment(code, p)))
    shots = sampled(experiment(code, p), 8000)
    for number in (1, 2, 10, 100, 500, 1000, 2000, 4000, 8000):
        assert objection(expected, shots[:number], strength_known=known) is None


def test_it_does_not_cry_wolf():
    # Few shots have the heaviest tails. At the stated 1e-6 at most for each, this would fail once in 1000 times.
    circuit = experiment("surface_d3", 0.006)
    expected = Expected.of(error_model(circuit))
    shots = sampled(circuit, 1_000_000).reshape(1000, 1000, -1)
    assert [objection(expected, some) for some in shots] == [None] * 1000


@pytest.mark.parametrize(
    "device",
    [
        experiment(p=0.008),
        experiment(p=0.002),
        experiment(noise=SI1000),
        stim.Circuit(str(experiment().flattened()).replace("\nTICK", "\nTICK\nDEPOLARIZE1(0.04) 12")),
    ],
    ids=["twice the noise", "half of it", "SI1000", "a hot qubit"],
)
def test_noise_that_is_not_quite_the_models_passes(device):
    expected = Expected.of(error_model(experiment()))
    assert objection(expected, sampled(device)) is None


def test_uneven_noise_passes():
    rng, uneven = np.random.default_rng(1), stim.DetectorErrorModel()
    for each in error_model(experiment()):
        factor = 3 ** rng.uniform(-1, 1)
        assert isinstance(each, stim.DemInstruction)
        if each.type == "error":
            uneven.append("error", factor * each.args_copy()[0], [*each.targets_copy()])
        else:
            uneven.append(each)
    shots, _, _ = uneven.compile_sampler(seed=1).sample(16_000)
    assert objection(Expected.of(error_model(experiment())), shots) is None


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize(
    ("code", "p", "shots"),
    [
        ("surface_d3", 0.004, lambda: sampled(experiment("surface_d3", basis="X"))),
        ("surface_d3", 0.004, lambda: sampled(generated(3, 0.004))),
        ("surface_d5", 0.001, lambda: sampled(experiment("surface_d5", 0.001, basis="X"), 8000)),
        ("surface_d5", 0.004, lambda: sampled(experiment(basis="X"), 4000)),
        ("surface_d5", 0.004, lambda: sampled(generated(5, 0.004), 4000)),
        ("surface_d5", 0.004, lambda: sampled(experiment())[:, np.random.default_rng(1).permutation(120)]),
        ("bb72", 0.003, lambda: sampled(experiment("bb72", 0.003, basis="X"))),
    ],
    ids=["d3 basis", "d3 order", "d5 basis at low noise", "d5 basis", "d5 order", "d5 shuffled", "bb72 basis"],
)
def test_shots_of_another_experiment_are_noticed(code, p, shots, known):
    expected = Expected.of(error_model(experiment(code, p)))
    found = objection(expected, shots(), strength_known=known)
    assert found is not None
    assert "events of detectors that share errors to come together, got" in found


@pytest.mark.parametrize(("p", "found"), [(0.0003, "expected some 6.75"), (0.04, "expected some 6.75")])
def test_noise_that_is_far_stronger_or_weaker(p, found):
    expected = Expected.of(error_model(experiment()))
    shots = sampled(experiment(p=p), 4000)
    assert objection(expected, shots[:1000] & False) is None  # alike, as in a timing
    assert found in (objection(expected, shots) or "")
    assert "correlation" in (objection(expected, shots, strength_known=False) or "correlation")


def test_models_with_nothing_to_expect():
    for text in ("detector D3", "error(0.1) D0", "error(0.1) L0", "error(1) D0 D1"):
        expected = Expected.of(stim.DetectorErrorModel(text))
        detectors = stim.DetectorErrorModel(text).num_detectors
        assert (
            objection(expected, np.random.default_rng(0).random((2000, detectors)) < 0.3, strength_known=False) is None
        )


def bound(name, circuit):
    if name == "cascade":
        return load("surface_d3", circuit=circuit, device="cpu")
    if name == "own":
        return load("surface_d3", device="cpu").bind(rounds=3, basis="Z")
    return classical.get(name).bind(circuit)


@pytest.mark.parametrize("name", ["cascade", "own", "pymatching"])
@pytest.mark.parametrize("packed", [False, True])
def test_a_bound_decoder_warns_once(name, packed):
    decoder = bound(name, experiment("surface_d3", 0.006))
    shots = sampled(experiment("surface_d3", 0.006, basis="X"), 4500)
    given = events.packed(shots) if packed else shots
    for start in range(0, 3500, 500):
        decoder.decode_batch(given[start : start + 500], bit_packed=packed)
    with pytest.warns(CascadeWarning, match=STRANGE) as told:
        decoder.decode_batch(given[3500:4000], bit_packed=packed)
    assert len(told) == 1
    assert told[0].filename == __file__
    decoder.decode_batch(given[4000:], bit_packed=packed)


@pytest.mark.parametrize("name", ["cascade", "own", "pymatching"])
def test_a_bound_decoder_is_content(name):
    circuit = experiment("surface_d3", 0.006)
    decoder, shots = bound(name, circuit), sampled(circuit, 4100)
    for some in [shots[:1], *shots[1:300:30][:, None], shots[300:3000], shots[3000:]]:
        decoder.decode_batch(some)


def test_chosen_shots_say_nothing():
    circuit = experiment("surface_d3", 0.006)
    shots, strange = sampled(circuit, 8000), sampled(experiment("surface_d3", 0.006, basis="X"), 8000)
    decoder = classical.get("pymatching").bind(circuit)
    decoder.decode_chosen(strange)
    for order in ("C", "F"):  # a reader of files may fill columns
        found = decode_distinct(decoder, np.array(events.packed(shots), order=order))
        assert np.array_equal(found.observables, decoder.decode_chosen(shots).observables)
    with pytest.warns(CascadeWarning, match=STRANGE):
        decode_distinct(classical.get("pymatching").bind(circuit), events.packed(strange))


def test_the_fallback_of_doubtful_shots_is_content_and_the_first_decoder_looks():
    network = load("surface_d3", device="cpu")
    decoder = EscalatingDecoder(network, classical.get("pymatching"), 0.99999)
    circuit, strange = experiment("surface_d3", 0.006), experiment("surface_d3", 0.006, basis="X")
    result = decoder.bind(circuit).decode_batch(sampled(circuit, 4000))
    assert result.escalated is not None
    assert result.escalated.sum() > 1000
    with pytest.warns(CascadeWarning, match=f"surface_d3 .*{STRANGE}"):
        decoder.bind(circuit).decode_batch(sampled(strange, 4000))


def test_likely_errors_are_expected():
    plain, likely = error_model(experiment("surface_d3", 0.006)), stim.DetectorErrorModel()
    for number, each in enumerate(plain):
        assert isinstance(each, stim.DemInstruction)
        if each.type == "error" and number % 40 == 0:
            likely.append("error", 1 - each.args_copy()[0], [*each.targets_copy()])
        else:
            likely.append(each)
    shots, _, _ = likely.compile_sampler(seed=1).sample(16_000)
    assert objection(Expected.of(likely), shots) is None
    assert objection(Expected.of(plain), shots) is not None


def test_batches_that_come_again_are_seen_once():
    circuit = experiment("surface_d3", 0.006)
    check = ShotCheck(error_model(circuit), "decoder", strength_known=True)
    shots = sampled(circuit, 16)
    for _ in range(2000):
        check.see(shots, 24, bit_packed=False)
    assert check._shots == 16  # pyright: ignore[reportPrivateUsage]


def test_threads_and_pickles():
    circuit = experiment("surface_d3", 0.006)
    check = pickle.loads(pickle.dumps(ShotCheck(error_model(circuit), "decoder", strength_known=True)))
    shots = sampled(experiment("surface_d3", 0.006, basis="X"), 16_000)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        threads = [
            threading.Thread(target=check.see, args=(some, 24), kwargs={"bit_packed": False})
            for some in np.array_split(shots, 8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for some in np.array_split(shots, 8):
            check.see(some, 24, bit_packed=False)
    assert len([each for each in told if STRANGE in str(each.message)]) == 1
