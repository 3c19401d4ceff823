import numpy as np
import pytest
import stim

from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.rare_events.fault_model import FaultModel
from cascade_qec.evaluation.rare_events.faults import all_sets

PS = (0.001, 0.01, 0.05)


def _model(small) -> FaultModel:
    return FaultModel({p: small(p) for p in PS})


def test_conditional_probabilities_by_brute_force(small, outcomes):
    model = _model(small)
    for i, p in enumerate(PS):
        happened, probabilities = outcomes(small(p))
        by_set = {tuple(np.flatnonzero(row)): q for row, q in zip(happened, probabilities, strict=True)}
        for w in range(6):
            (sets,) = all_sets(12, w, start=0, chunk=1000)
            expected = np.array([by_set[tuple(row)] for row in sets.tolist()])
            np.testing.assert_allclose(model.numbers[i, w], expected.sum(), rtol=1e-11)
            np.testing.assert_allclose(model.conditional_probabilities(sets)[i], expected / expected.sum(), rtol=1e-11)


def test_weights_are_ratios_and_bounded_by_the_largest(small):
    model = _model(small)
    largest = model.largest_weights()
    for w in range(6):
        (sets,) = all_sets(12, w, start=0, chunk=1000)
        law = model.conditional_probabilities(sets)
        weights = model.weights(sets)
        np.testing.assert_allclose(weights, law / law[-1], rtol=1e-11)
        np.testing.assert_allclose(weights[-1], 1, rtol=1e-11)
        np.testing.assert_allclose((law[-1] * weights).sum(axis=1), 1, rtol=1e-11)
        np.testing.assert_allclose(weights.max(axis=1), largest[:, w], rtol=1e-11)


def test_models_must_belong_together(small):
    other = stim.DetectorErrorModel("error(0.1) D0\nlogical_observable L0")
    with pytest.raises(CascadeError, match="12 and 1 mechanisms"):
        FaultModel({0.01: small(0.01), 0.02: other})
