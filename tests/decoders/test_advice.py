"""A search for likely errors that a local model tells what it believes."""

import numpy as np
import pytest

import cascade_qec as cascade
from cascade_qec.decoders import classical, events
from cascade_qec.decoders.advice import BoundAdvised, advised
from cascade_qec.decoders.classical import LowestBPOSD
from cascade_qec.decoders.classical.lowest import LowestSearch
from cascade_qec.decoders.local import BoundLocal
from cascade_qec.native import native


def local(p: float, rounds: int) -> BoundLocal:
    decoder = cascade.load("local_bb72", device="cpu")
    bound = decoder.bind(decoder.experiment(p, rounds=rounds, basis="Z"))
    assert isinstance(bound, BoundLocal)
    return bound


def test_each_error_is_believed_as_the_component_that_it_looks_like() -> None:
    model = local(0.004, 2)
    circuit = model.decoder.experiment(0.004, rounds=2, basis="Z")
    search = LowestBPOSD(iterations=1, orders=1).bind(circuit)
    told = advised(model, search)
    assert isinstance(told, BoundAdvised)
    assert isinstance(search.predict, LowestSearch)
    packed = circuit.compile_detector_sampler(seed=1).sample(3, bit_packed=True)
    part, errors = model.parts[0], search.predict.errors
    components, own = part.components, set(part.components.detector.tolist())
    likelier = part.log_odds(packed) - part.prior_log_odds
    of = {
        (frozenset(components.detector[start:stop].tolist()), bytes(components.observables[c])): likelier[:, c]
        for c, (start, stop) in enumerate(zip(components.start[:-1], components.start[1:], strict=True))
    }
    found, unseen = told.beliefs(packed), 0
    for error, (start, stop) in enumerate(zip(errors.start[:-1], errors.start[1:], strict=True)):
        seen = frozenset(errors.detector[start:stop].tolist()) & own
        unseen += not seen
        expected = of[seen, bytes(errors.observables[error])] if seen else 0
        np.testing.assert_array_equal(found[:, error], expected)
    assert 0 < unseen < len(errors.probability)


@pytest.mark.skipif(native() is None, reason="cascade-qec-native is not installed")
def test_the_fallback_of_a_local_model_is_told() -> None:
    model = local(0.005, 6)
    circuit = model.decoder.experiment(0.005, rounds=6, basis="Z")
    shots, flips = circuit.compile_detector_sampler(seed=5).sample(256, separate_observables=True)
    asking = cascade.load("local_bb72", circuit=circuit, device="cpu", fallback="bposd-lowest", below=0.99)
    result = asking.decode_batch(shots)
    packed = asking.decode_batch(events.packed(shots), bit_packed=True)
    np.testing.assert_array_equal(packed.observables, result.observables)
    assert result.escalated is not None
    doubted = np.flatnonzero(result.escalated)
    alone = classical.get("bposd-lowest").bind(circuit).decode_chosen(shots[doubted]).observables
    # 8, 11 and 16 fail of these shots: by the two together, by either alone
    failed = [
        (found != flips[doubted]).any(axis=1).sum()
        for found in (result.observables[doubted], alone, model.decode_chosen(shots[doubted]).observables)
    ]
    assert failed[0] < min(failed[1:])


def test_a_search_for_either_answer_is_told_too_and_keeps_its_log_odds() -> None:
    decoder = cascade.load("local_surface", device="cpu")
    circuit = decoder.experiment(0.01, rounds=3, basis="Z")
    model, search = decoder.bind(circuit), classical.get("bposd-lowest").bind(circuit)
    told = advised(model, search)
    assert isinstance(told, BoundAdvised)
    assert isinstance(search.predict, LowestSearch)
    shots = circuit.compile_detector_sampler(seed=2).sample(300)
    beliefs = told.beliefs(events.packed(shots))
    expected, found = search.predict(shots, lambda some: beliefs[some]), told.decode_batch(shots)
    np.testing.assert_array_equal(found.observables, expected.observables)
    assert found.log_odds is not None
    assert expected.log_odds is not None
    np.testing.assert_array_equal(found.log_odds, expected.log_odds)
    assert len(told.decode_batch(shots[:0])) == 0
