"""What a decoder explains is what it decides by."""

from __future__ import annotations

import numpy as np
import pytest
import stim

import cascade_qec as cascade
from cascade_qec import CascadeError


@pytest.fixture(scope="module")
def decoder() -> cascade.CascadeDecoder:
    return cascade.load("surface_d3", device="cpu")


def test_votes_add_up_to_the_decision_of_a_circuit_of_another_tool(decoder: cascade.CascadeDecoder) -> None:
    noise = {"after_clifford_depolarization": 0.01, "before_measure_flip_probability": 0.01}
    circuit = stim.Circuit.generated("surface_code:rotated_memory_z", distance=3, rounds=4, **noise)
    bound = decoder.bind(circuit)
    events = circuit.compile_detector_sampler(seed=2).sample(50)
    told = bound.explain(events)
    code_flips = told.votes.sum(axis=1).argmax(axis=1)[:, None]  # of one observable: class 1 is a flip
    expected = bound.observables.turned(events) ^ (code_flips @ bound.observables.logicals.T % 2 > 0)
    np.testing.assert_array_equal(expected, bound.decode_batch(events).observables)
    assert told.operators.sum(axis=1).min() == 3


def test_a_site_depends_on_what_its_receptive_field_says(decoder: cascade.CascadeDecoder) -> None:
    bound = decoder.bind(rounds=5, basis="X")
    silent = bound.explain(np.zeros((1, bound.num_detectors), dtype=bool))
    changed = bound.explain(np.eye(bound.num_detectors, dtype=bool))  # an event at a time
    moved = (
        np.abs(changed.features - silent.features).max(axis=3) > 1e-5
    )  # [layers, sites, shots]; products are rounded
    layers, sites = moved.shape[:2]
    for layer in (0, 1, 2, layers - 1):
        for site in (0, sites // 2):
            field = silent.receptive_field(site, layer)
            inside = np.isin(silent.detector[field], range(bound.num_detectors))
            assert set(np.flatnonzero(moved[layer, site])) == set(silent.detector[field][inside])


def test_what_is_no_shot_or_site_is_refused(decoder: cascade.CascadeDecoder) -> None:
    bound = decoder.bind(basis="Z")
    with pytest.raises(CascadeError, match=r"shape \[shots, 24\]"):
        bound.explain(np.zeros((2, 7), dtype=bool))
    told = bound.explain(np.zeros((1, 24), dtype=bool))
    assert repr(told) == "Explanation of 1 shot: 6 layers of 64 features at 32 sites, 3 logical operators"
    with pytest.raises(CascadeError, match=r"site of 0\.\.31"):
        told.receptive_field(32, 1)
