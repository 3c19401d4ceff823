import numpy as np
import pytest
import stim

from cascade_qec import circuits, codes
from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.rare_events.faults import Faults


def test_faults_of_a_model():
    model = stim.DetectorErrorModel("""
        error(0.1) D0 D2 L1
        error(0) D1
        repeat 2 {
            error(0.25) D0 D1 ^ D1 L0
            shift_detectors 8
        }
    """)
    faults = Faults.of(model)
    np.testing.assert_array_equal(faults.probabilities, [0.1, 0.25, 0.25])
    np.testing.assert_allclose(np.exp(faults.log_odds), [1 / 9, 1 / 3, 1 / 3])
    dets, observables = faults.outcomes(np.array([[0, 1], [0, 2], [1, 2]]))
    assert dets.shape == (3, model.num_detectors)
    assert [np.flatnonzero(row).tolist() for row in dets] == [[2], [0, 2, 8], [0, 8]]
    assert observables.tolist() == [[True, True], [True, True], [False, False]]


def test_outcomes_agree_with_stim():
    noise = circuits.UniformDepolarizing(0.01)
    circuit = circuits.memory(codes.get("surface_d3"), rounds=3, basis="X", noise=noise)
    model = circuit.detector_error_model(flatten_loops=True)
    dets, observables, errors = model.compile_sampler(seed=3).sample(500, return_errors=True)
    faults = Faults.of(model)
    for row in range(500):
        mine = faults.outcomes(np.flatnonzero(errors[row])[None])
        np.testing.assert_array_equal(mine[0][0], dets[row])
        np.testing.assert_array_equal(mine[1][0], observables[row])


def test_useless_models_are_refused():
    with pytest.raises(CascadeError, match="without any"):
        Faults.of(stim.DetectorErrorModel("detector D0"))
    with pytest.raises(CascadeError, match="below 1, got one of 1"):
        Faults.of(stim.DetectorErrorModel("error(1) D0"))
