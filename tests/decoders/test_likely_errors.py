"""Errors that are likelier than not: decoded as those of the model in which they are as likely not to happen."""

# Stim's annotations have loops even in flattened models.
# pyright: reportAttributeAccessIssue=false

import pickle

import numpy as np
import pytest
import stim

from cascade_qec import codes, load
from cascade_qec.circuits import UniformDepolarizing, memory
from cascade_qec.decoders import classical
from cascade_qec.decoders.escalation import EscalatingDecoder
from cascade_qec.decoders.sinter import SinterDecoder
from cascade_qec.error_models import unlikely
from cascade_qec.evaluation.reliability.cluster_norm import ClusterNorm
from cascade_qec.evaluation.reliability.soft_outputs import Rival

CIRCUIT = memory(codes.get("surface_d3"), rounds=3, noise=UniformDepolarizing(0.004))
PLAIN = CIRCUIT.detector_error_model(decompose_errors=True, flatten_loops=True)


def with_likely(share: float = 0.02) -> tuple[stim.DetectorErrorModel, np.ndarray, np.ndarray]:
    """The model with some errors of probability 1 - p, and what they flip together."""
    rng, dem = np.random.default_rng(1), stim.DetectorErrorModel()
    detectors, observables = np.zeros(PLAIN.num_detectors, bool), np.zeros(PLAIN.num_observables, bool)
    for instruction in PLAIN.flattened():
        if instruction.type != "error" or rng.random() > share:
            dem.append(instruction)
            continue
        dem.append("error", 1 - instruction.args_copy()[0], instruction.targets_copy())
        for target in instruction.targets_copy():
            if not target.is_separator():
                (detectors if target.is_relative_detector_id() else observables)[target.val] ^= True
    assert detectors.any()
    assert observables.any()
    return dem, detectors, observables


LIKELY, DETECTORS, OBSERVABLES = with_likely()
SHOTS, _ = CIRCUIT.compile_detector_sampler(seed=3).sample(300, separate_observables=True)


def bound(name: str, experiment: stim.Circuit | stim.DetectorErrorModel):
    match name:
        case "cascade":
            return load("surface_d3", circuit=experiment, device="cpu")
        case "fallback":
            network = load("surface_d3", device="cpu")
            return EscalatingDecoder(network, classical.get("pymatching"), 0.99).bind(experiment)
        case "soft":
            return Rival(ClusterNorm).bind(experiment)
        case _:
            return classical.get(name).bind(experiment)


NAMES = ("cascade", "fallback", "soft", *(name for name in classical.names() if "chromobius" not in name))


@pytest.mark.parametrize(("name", "packed"), [*((name, False) for name in NAMES), ("cascade", True), ("bposd", True)])
def test_predictions_are_those_of_the_plain_model(name, packed):
    plain = bound(name, PLAIN).decode_batch(SHOTS)
    flipped = SHOTS ^ DETECTORS
    given = np.packbits(flipped, axis=1, bitorder="little") if packed else flipped
    likely = bound(name, LIKELY).decode_batch(given, bit_packed=packed)
    assert np.array_equal(likely.observables, plain.observables ^ OBSERVABLES)
    if plain.probabilities is not None:
        expected = np.where(OBSERVABLES, 1 - plain.probabilities, plain.probabilities)
        assert np.allclose(likely.probabilities, expected, atol=1e-6)
        assert np.allclose(likely.confidence, plain.confidence, atol=1e-6)


CERTAIN = stim.Circuit(str(CIRCUIT.flattened()).replace("\nTICK", "\nTICK\nX_ERROR(1) 4\nTICK", 1))
"""A flip of the qubit in the middle, which crosses a logical operator of the three in the code's row."""


@pytest.mark.parametrize("name", ["cascade", "fallback", "pymatching", "pymatching-correlated", "bplsd"])
def test_an_error_that_is_certain(name):
    model = CERTAIN.detector_error_model(decompose_errors=True, flatten_loops=True)
    flips = unlikely(model)[1]
    assert flips is not None
    assert flips.detectors.any()
    plain = bound(name, CIRCUIT).decode_batch(SHOTS).observables
    for experiment in (CERTAIN, model):
        found = bound(name, experiment).decode_batch(SHOTS ^ flips.detectors).observables
        assert np.array_equal(found, plain ^ flips.observables)


def test_by_sinter_and_through_a_pickle():
    flips = np.packbits(SHOTS ^ DETECTORS, axis=1, bitorder="little")
    plain = bound("cascade", PLAIN).decode_batch(SHOTS).observables
    compiled = SinterDecoder(load("surface_d3", device="cpu")).compile_decoder_for_dem(dem=LIKELY)
    by_sinter = compiled.decode_shots_bit_packed(bit_packed_detection_event_data=flips)
    assert np.array_equal(by_sinter[:, :1].astype(bool), plain ^ OBSERVABLES)
    pickled = pickle.loads(pickle.dumps(bound("cascade", LIKELY)))
    assert np.array_equal(pickled.decode_batch(SHOTS ^ DETECTORS).observables, plain ^ OBSERVABLES)
