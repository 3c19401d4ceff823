"""A model that learned one number of rounds and reads others in segments of as many."""

import numpy as np
import pytest
import torch

from cascade_qec import CascadeDecoder, load
from cascade_qec.errors import CascadeError
from cascade_qec.nn import Questions, Unpacking
from cascade_qec.training.feed import Examples


@pytest.fixture(scope="module")
def learned() -> CascadeDecoder:
    """surface_d3's weights, as if they had seen three rounds alone."""
    given = load("surface_d3", device="cpu", runtime="numpy")
    made = given.description.model_copy(update={"mixed_rounds": None})
    return CascadeDecoder(given.state, made, runtime="numpy", allow_unmeasured=True)


def lengthened(decoder: CascadeDecoder, *rounds: int) -> CascadeDecoder:
    return CascadeDecoder(decoder.state, decoder.description.lengthened(rounds), runtime="numpy")


@pytest.mark.parametrize("basis", ["Z", "X"])
def test_its_own_rounds_are_decoded_as_before(learned: CascadeDecoder, basis: str) -> None:
    events = learned.experiment(0.02, basis=basis).compile_detector_sampler(seed=1).sample(200)
    before, after = (one.bind(basis=basis).decode_batch(events) for one in (learned, lengthened(learned, 1, 8)))
    np.testing.assert_array_equal(before.log_odds, after.log_odds)
    np.testing.assert_array_equal(before.observables, after.observables)


def test_validations_read_it_as_decoders_do(learned: CascadeDecoder) -> None:
    decoder = lengthened(learned, 1, 8)
    examples = Examples(decoder.description, torch.device("cpu"))
    events = [np.random.default_rng(2).random((20, one.detectors)) < 0.1 for one in examples.lattices]
    packed = [np.packbits(one, axis=1, bitorder="little") for one in events]
    pairs = zip(examples.lattices, packed, strict=True)
    states = torch.cat([Unpacking([lattice])(rows)[0] for lattice, rows in pairs])
    assert isinstance(examples.questions, Questions)
    logits = decoder.network(states, examples.geometry) * (1 - 2 * examples.questions.parities(states))
    odds = examples.questions.log_odds(logits)
    assert len(odds) == len(examples.shown) == 6
    for shown, some, expected in zip(examples.shown, events, odds, strict=True):
        found = decoder.bind(rounds=shown.rounds, basis=shown.basis).decode_batch(some)
        calibration = decoder.description.calibration
        assert calibration is not None
        np.testing.assert_allclose(found.log_odds, calibration(expected.numpy()), rtol=1e-3, atol=1e-3)


def test_a_model_that_knows_several_numbers_is_not_lengthened() -> None:
    with pytest.raises(
        CascadeError, match="learned one number of rounds, got surface_d3 with a logical head and 1 to 9"
    ):
        load("surface_d3", device="cpu").description.lengthened([12])
