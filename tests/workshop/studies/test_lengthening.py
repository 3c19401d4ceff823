"""Segments change nothing of what a model makes of the rounds that it has learned, and something of others."""

import numpy as np
import pytest

from cascade_qec import load
from cascade_qec.decoders.cascade import CascadeDecoder
from cascade_qec.errors import CascadeError
from workshop.studies.lengthening import readings


@pytest.mark.parametrize("basis", ["Z", "X"])
def test_both_readings_agree_on_what_was_learned(basis):
    decoder = CascadeDecoder.untrained("surface_d3", width=8, depth=1)
    gaps = []
    for rounds in (3, 8):
        events = decoder.experiment(0.01, rounds=rounds, basis=basis).compile_detector_sampler(seed=1).sample(20)
        found = [
            one.bind(rounds=rounds, basis=basis).decode_batch(events).log_odds
            for one in readings(decoder, rounds).values()
        ]
        gaps.append(np.abs(found[0] - found[1]).max())
    assert gaps[0] < 1e-4 < 0.01 < gaps[1]


def test_a_local_model_has_no_sums():
    with pytest.raises(CascadeError, match="expected a model with a logical head that learned one number of rounds"):
        readings(load("local_surface"), 3)
