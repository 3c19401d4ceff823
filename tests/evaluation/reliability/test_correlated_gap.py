"""The gap of correlated matching against all sets of errors of a small code, on the detectors of both bases."""

import numpy as np
import pytest
import stim

from cascade_qec import circuits, codes
from cascade_qec.decoders import classical
from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.reliability.complementary_gap import ComplementaryGap, CorrelatedGap


def _log_loss(probabilities: np.ndarray, flipped: np.ndarray) -> float:
    """Expected log loss of P(flipped), where `probabilities` are those of syndrome and class."""
    return float(-(probabilities * np.log(np.column_stack([1 - flipped, flipped]))).sum())


@pytest.mark.filterwarnings("ignore:.*can hardly be shots")  # all syndromes, each once, are none
@pytest.mark.parametrize("basis", ["X", "Z"])
def test_beats_both_kinds_of_matching_over_all_syndromes(small_memory, all_classes, basis):
    # No shots are drawn: every syndrome counts with its exact probability.
    circuit = small_memory(basis=basis)
    dem = circuit.detector_error_model(flatten_loops=True)
    classes = all_classes(dem, both=True)
    outputs = CorrelatedGap.of(dem).decode_batch(classes.syndromes)
    plain = ComplementaryGap.of(dem).decode_batch(classes.syndromes)
    assert outputs.probabilities is not None
    assert plain.probabilities is not None

    def error(flipped: np.ndarray) -> float:
        return float(classes.probabilities[np.arange(len(flipped)), 1 - flipped.astype(int)].sum())

    decomposed = circuit.detector_error_model(flatten_loops=True, decompose_errors=True)
    two_passes = (
        classical.get("pymatching-correlated").bind(decomposed).decode_batch(classes.syndromes).observables[:, 0]
    )
    best = float(classes.probabilities.min(axis=1).sum())
    ours = error(outputs.observables[:, 0])
    assert best <= ours < 1.1 * best
    assert ours < error(two_passes) < error(plain.observables[:, 0])

    losses = [_log_loss(classes.probabilities, x.probabilities[:, 0]) for x in (outputs, plain)]
    posterior = classes.probabilities[:, 1] / classes.probabilities.sum(axis=1)
    least = _log_loss(classes.probabilities, posterior)
    assert least <= losses[0] < 1.1 * least
    assert losses[0] < 0.95 * losses[1]


def test_weights_by_hand():
    # The other plane lets two errors at one detector of this plane be told apart.
    dem = stim.DetectorErrorModel("""
        error(0.01) D0 L0
        error(0.01) D0
        error(0.01) D0 D1 L0
        error(0.02) D1
        detector(0, 0, 0, 1) D0
        detector(1, 1, 1, 0) D1
    """)
    gap = CorrelatedGap.of(dem)

    def weight(p: float) -> float:
        return np.log((1 - p) / p)

    flips, other = 0.01 * 0.99 * 2, 0.01 * 0.98 + 0.02 * 0.99
    both_lit = np.array([[True, True]])
    alone = weight(0.01) + weight(other)
    first = weight(flips) + weight(other)
    # given one of the pair, the other happens with these probabilities; evens at best
    second = max(0.0, weight(0.01 / other)) + max(0.0, weight(0.01 / flips))
    np.testing.assert_allclose(gap.weights(both_lit), [[alone, (first + second) / 2]], rtol=1e-3)
    # without an event in the other plane it is plain matching
    np.testing.assert_allclose(gap.weights(np.array([[True, False]])), [[weight(0.01), weight(flips)]], rtol=1e-3)


def test_codes_with_several_observables_are_refused():
    circuit = circuits.memory(codes.get("bb72"), rounds=1, noise=circuits.UniformDepolarizing(0.001))
    with pytest.raises(CascadeError, match=r"1 observable.*got 12"):
        CorrelatedGap.of(circuit.detector_error_model())


def test_errors_on_three_detectors_of_the_other_basis_are_refused():
    dem = stim.DetectorErrorModel("error(0.1) D0 L0\nerror(0.1) D0\nerror(0.1) D1 D2 D3\ndetector(0, 0, 0, 1) D0")
    for i in (1, 2, 3):
        dem.append("detector", [i, 0, 1, 0], [stim.target_relative_detector_id(i)])
    with pytest.raises(CascadeError, match=r"two detectors of the other basis.*flips 3"):
        CorrelatedGap.of(dem)
