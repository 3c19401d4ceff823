"""The gap against all sets of errors of a small code."""

import numpy as np
import pytest
import stim

from cascade_qec import circuits, codes
from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.reliability.complementary_gap import ComplementaryGap


@pytest.mark.parametrize("basis", ["X", "Z"])
def test_equals_brute_force_on_every_syndrome(small_memory, all_classes, basis):
    dem = small_memory(basis=basis).detector_error_model(flatten_loops=True)
    classes = all_classes(dem)
    gap = ComplementaryGap.of(dem)
    # Matching works with weights rounded to a few 1e-4.
    np.testing.assert_allclose(gap.weights(classes.syndromes), classes.weights, rtol=1e-3, atol=1e-3)

    outputs = gap.decode_batch(classes.syndromes)
    difference = classes.weights[:, 1] - classes.weights[:, 0]
    clear = np.abs(difference) > 0.01
    np.testing.assert_array_equal(outputs.observables[clear, 0], difference[clear] < 0)
    np.testing.assert_allclose(outputs.scores[:, 0], np.abs(difference), rtol=1e-3, atol=2e-3)
    np.testing.assert_allclose(outputs.probabilities[:, 0], 1 / (1 + np.exp(difference)), atol=1e-3)
    np.testing.assert_allclose(outputs.confidence, 1 / (1 + np.exp(-np.abs(difference))), atol=1e-3)  # pyright: ignore[reportCallIssue]


def test_predicts_what_plain_matching_predicts():
    # Where both classes weigh the same, either may be predicted: hence only shots with a gap.
    from cascade_qec.decoders import classical

    circuit = circuits.memory(codes.get("surface_d5"), rounds=5, noise=circuits.UniformDepolarizing(0.008))
    dem = circuit.detector_error_model(flatten_loops=True)
    dets = circuit.compile_detector_sampler(seed=5).sample(2000)
    outputs = ComplementaryGap.of(dem).decode_batch(dets)
    clear = outputs.scores[:, 0] > 0.01
    assert clear.mean() > 0.9
    plain = classical.get("pymatching-filtered").bind(dem).decode_batch(dets).observables
    np.testing.assert_array_equal(outputs.observables[clear], plain[clear])


def test_codes_with_several_observables_are_refused():
    circuit = circuits.memory(codes.get("bb72"), rounds=1, noise=circuits.UniformDepolarizing(0.001))
    with pytest.raises(CascadeError, match=r"1 observable.*got 12"):
        ComplementaryGap.of(circuit.detector_error_model())


def test_closed_logical_errors_are_refused():
    ring = stim.DetectorErrorModel("""
        error(0.1) D0 D1
        error(0.1) D1 D2
        error(0.1) D2 D0 L0
        detector(0, 0, 0, 1) D0
        detector(2, 0, 0, 1) D1
        detector(4, 0, 0, 1) D2
    """)
    with pytest.raises(CascadeError, match="closed logical errors"):
        ComplementaryGap.of(ring)


def test_errors_on_three_detectors_are_refused():
    dem = stim.DetectorErrorModel("""
        error(0.1) D0 D1 D2 L0
        detector(0, 0, 0, 1) D0
        detector(2, 0, 0, 1) D1
        detector(4, 0, 0, 1) D2
    """)
    with pytest.raises(CascadeError, match=r"one or two detectors.*flips 3"):
        ComplementaryGap.of(dem)
