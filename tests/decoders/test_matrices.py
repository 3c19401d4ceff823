"""Matrices that say what the model says."""

import numpy as np
import stim

from cascade_qec import circuits, codes
from cascade_qec.decoders.classical import check_matrices


def test_by_hand():
    matrices = check_matrices(
        stim.DetectorErrorModel("""
            error(0.1) D0 D1 ^ D1 D2 L1
            error(0.2) D0 D2 L1
            error(0) D1
            error(0.3) L0
            error(0.25) D2
            detector D3
        """)
    )
    np.testing.assert_array_equal(matrices.checks.toarray(), [[1, 0], [0, 0], [1, 1], [0, 0]])
    np.testing.assert_array_equal(matrices.observables.toarray(), [[0, 0], [1, 0]])
    np.testing.assert_allclose(matrices.priors, [0.1 * 0.8 + 0.2 * 0.9, 0.25])
    assert matrices.checks.dtype == np.uint8


def test_sampled_errors_flip_what_the_matrices_say():
    noise = circuits.UniformDepolarizing(0.02)
    circuit = circuits.memory(codes.get("surface_d3"), rounds=2, basis="X", noise=noise)
    dem = circuit.detector_error_model(flatten_loops=True)
    matrices = check_matrices(dem)
    dets, obs, errors = dem.compile_sampler(seed=7).sample(300, return_errors=True)
    assert matrices.checks.shape == (circuit.num_detectors, errors.shape[1])
    np.testing.assert_array_equal(matrices.checks @ errors.T.astype(int) % 2, dets.T)
    np.testing.assert_array_equal(matrices.observables @ errors.T.astype(int) % 2, obs.T)
