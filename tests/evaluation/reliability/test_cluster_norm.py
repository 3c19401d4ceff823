"""Cluster norms: by hand on a line of detectors, and their use on a code."""

import sys

import numpy as np
import pytest
import stim

from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.reliability.cluster_norm import ClusterNorm


def _line(detectors: int) -> stim.DetectorErrorModel:
    """A repetition code: errors between neighbouring detectors and at both ends, all with 1 % but the first."""
    dem = stim.DetectorErrorModel("error(0.02) D0 L0")
    for i in range(detectors - 1):
        dem.append("error", 0.01, [stim.target_relative_detector_id(i), stim.target_relative_detector_id(i + 1)])
    dem.append("error", 0.01, [stim.target_relative_detector_id(detectors - 1)])
    for i in range(detectors):
        dem.append("detector", [2 * i, 0, 0, 1], [stim.target_relative_detector_id(i)])
    return dem


def test_norms_by_hand():
    decoder = ClusterNorm.of(_line(8))
    dets = np.zeros((4, 8), dtype=np.bool_)
    dets[1, 0] = True  # one error at the end, of 9: a cluster of one
    dets[2, [0, 4, 5]] = True  # two clusters of one: the norm of order 2 is sqrt(1 + 1)
    dets[3, [3, 4]] = True
    outputs = decoder.decode_batch(dets)
    np.testing.assert_array_equal(outputs.observables[:, 0], [False, True, True, False])
    np.testing.assert_allclose(-outputs.scores[:, 0] * 9, [0, 1, np.sqrt(2), 1])
    first, other = np.log(0.98 / 0.02), np.log(0.99 / 0.01)
    total = first + 8 * other
    expected = [0, first, np.hypot(first, other), other]
    np.testing.assert_allclose(-outputs.scores[:, 1] * total, expected)
    assert not np.signbit(outputs.scores[:, 0][0])


def test_doubtful_shots_have_larger_clusters(small_memory):
    # Among 4000 shots about 100 fail. Their mean score lies over ten standard errors below the others'.
    circuit = small_memory(p=0.01)
    dets, truth = circuit.compile_detector_sampler(seed=3).sample(4000, separate_observables=True)
    outputs = ClusterNorm.of(circuit.detector_error_model(flatten_loops=True)).decode_batch(dets)
    failed = (outputs.observables != truth).any(axis=1)
    assert 0.01 < failed.mean() < 0.1
    for scores in outputs.scores.T:
        error = scores[failed].std() / np.sqrt(failed.sum())
        assert scores[failed].mean() < scores[~failed].mean() - 5 * error
    assert outputs.probabilities is None
    assert outputs.confidence is None


def test_missing_package_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "ldpc", None)
    with pytest.raises(CascadeError, match=r"ldpc.*cascade-qec\[classical\]"):
        ClusterNorm.of(_line(3))
