"""Calibration of predictors whose errors are known. Fixed seeds: a test passes always or never."""

import numpy as np
import pytest

from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.reliability.scores import (
    LOG_LOSS_FLOOR,
    brier_parts,
    count,
    equal_mass_bins,
    error_if_calibrated,
    expected_calibration_error,
    log_odds_bins,
)

LEVELS = np.array([0.002, 0.02, 0.1, 0.4, 0.8, 0.97])
"""Predictions in bins of their own."""


def _even(rng: np.random.Generator, shots: int) -> np.ndarray:
    return rng.random((shots, 1))


def _predictions(rng: np.random.Generator, shots: int) -> np.ndarray:
    return rng.choice(LEVELS, size=(shots, 1), p=[0.5, 0.2, 0.1, 0.1, 0.05, 0.05])


def _calibration_error(p: np.ndarray, truth: np.ndarray) -> float:
    """Of predictions among LEVELS, each of which comes true at one rate."""
    return float(np.abs(truth - p).mean())


def test_figures_by_hand():
    p = np.array([[0.9, 0.2], [0.9, 0.2], [0.6, 0.2]])
    happened = np.array([[1, 0], [0, 0], [1, 1]], dtype=np.bool_)
    counts = count(p, happened)
    squares = np.array([(0.01 + 0.04) / 2, (0.81 + 0.04) / 2, (0.16 + 0.64) / 2])
    assert counts.brier.number == 3
    assert counts.brier.mean().value == pytest.approx(squares.mean())
    half = 1.959964 * squares.std(ddof=1) / np.sqrt(3)
    assert counts.brier.mean().high == pytest.approx(squares.mean() + half)
    assert counts.brier.mean().low == pytest.approx(max(0, squares.mean() - half))
    logs = -np.log([0.9, 0.8, 0.1, 0.8, 0.6, 0.2])
    assert counts.log_loss.mean().value == pytest.approx(logs.mean())
    bins = log_odds_bins(counts)
    np.testing.assert_array_equal(bins.number, [3, 1, 2])
    np.testing.assert_allclose(bins.predicted, [0.2, 0.6, 0.9])
    np.testing.assert_allclose(bins.happened, [1 / 3, 1, 1 / 2])
    np.testing.assert_allclose(bins.low, 1 / (1 + np.exp([2, 0, -2])))
    np.testing.assert_allclose(bins.high, 1 / (1 + np.exp([1, -1, -3])))
    ece = expected_calibration_error(bins)
    assert ece.value == pytest.approx((3 * (1 / 3 - 0.2) + 0.4 + 2 * 0.4) / 6)
    # Residuals 0.2, 0.2, 0.8 beside 0.1, 0.9, 0.4 in the same shots; half a shot's two outcomes on top.
    spread = 0.2 * 0.3 + 0.2 * 1.1 + 0.8 * 1.2
    assert bins.error[0] == pytest.approx(np.sqrt(spread + 1) / 3)


def test_runs_add_up():
    rng = np.random.default_rng(1)
    p = rng.random((500, 3)).astype(np.float32)
    happened = rng.random((500, 3)) < p
    whole, parts = count(p, happened), count(p[:200], happened[:200]) + count(p[200:], happened[200:])
    for bins_of in (equal_mass_bins, log_odds_bins):
        for name, values in vars(bins_of(whole)).items():
            np.testing.assert_allclose(getattr(bins_of(parts), name), values)
    assert parts.brier.mean().high == pytest.approx(whole.brier.mean().high)
    assert parts.log_loss.mean().low == pytest.approx(whole.log_loss.mean().low)
    with pytest.raises(CascadeError, match="3 outcomes per shot to be added, got 1"):
        _ = whole + count(p[:, :1], happened[:, :1])


def test_certain_predictions():
    counts = count(np.array([[0.0], [1.0], [1.0]]), np.array([[False], [True], [False]]))
    bins = log_odds_bins(counts)
    assert (bins.low[0], bins.high[-1]) == (0, 1)
    np.testing.assert_allclose(bins.happened, [0, 0.5])
    assert counts.brier.mean().value == pytest.approx(1 / 3)
    assert counts.log_loss.mean().value == pytest.approx(-np.log(LOG_LOSS_FLOOR) / 3, rel=1e-6)


def test_masses_are_equal():
    p = np.random.default_rng(5).random((30_000, 1))
    bins = equal_mass_bins(count(p, p > 0.5), 15)
    # A cell near p = 1/2 holds 1/64 of all, and a bin gains or lacks half a cell at either end.
    assert len(bins.number) == 15
    np.testing.assert_allclose(bins.number, 2000, atol=30_000 / 64 * 1.2)
    # One value that most shots share is one bin, whatever its share.
    p[:20_000] = 1e-6
    bins = equal_mass_bins(count(p, p > 0.5), 15)
    assert bins.number[0] == 20_000
    assert 5 <= len(bins.number) <= 7


def test_calibrated_predictor():
    # Predictions even in [0, 1] that come true as often as predicted have the Brier score 1/6, the log loss 1/2, and
    # uncertainty 1/4, of which 1/12 is resolution. Each figure is within 5 of its standard errors but for 6e-7 of
    # seeds; narrow bins change the parts by less than their width squared over 12, and chance adds to reliability.
    rng = np.random.default_rng(8)
    p = _even(rng, 200_000)
    counts = count(p, rng.random(p.shape) < p)
    for estimate, truth in ((counts.brier.mean(), 1 / 6), (counts.log_loss.mean(), 1 / 2)):
        assert abs(estimate.value - truth) < 5 * (estimate.high - estimate.low) / (2 * 1.96)
    parts = brier_parts(counts, equal_mass_bins(counts, 60))
    assert parts.uncertainty == pytest.approx(1 / 4, abs=1e-4)
    assert parts.resolution == pytest.approx(1 / 12, abs=3e-3)
    assert 0 <= parts.reliability < 3e-4
    assert abs(parts.within_bins) < 1e-3
    ece = expected_calibration_error(equal_mass_bins(counts))
    assert ece.low == 0.0
    assert ece.value < 2 * error_if_calibrated(equal_mass_bins(counts))


def test_calibrated_predictors_are_seldom_accused():
    # In at most 2.5 % of 400 experiments the interval may leave out 0: 10, with a standard deviation of 3.1; more
    # than 25 come with probability 1e-5. The mean of the plug-in value, known to 1.2 %, is not above what is foretold
    # for it, and not far below: half a shot in each bin is added to that.
    rng = np.random.default_rng(12)
    accused, values, foretold = 0, [], []
    for _ in range(400):
        p = _even(rng, 1000) ** 4
        bins = equal_mass_bins(count(p, rng.random(p.shape) < p))
        ece = expected_calibration_error(bins)
        accused += ece.low > 0
        values.append(ece.value)
        foretold.append(error_if_calibrated(bins))
    assert accused <= 25
    assert 0.8 < np.mean(values) / np.mean(foretold) < 1.05


def test_outcomes_that_go_wrong_together_do_not_accuse():
    # All twelve observables of a shot flip or none: as little is known as from one. Same odds as above. Taken as
    # twelve times as many shots, the differences would be sqrt(12) times what chance explains.
    rng = np.random.default_rng(13)
    accused = 0
    for _ in range(400):
        p = _even(rng, 500) ** 4
        bins = equal_mass_bins(count(np.repeat(p, 12, axis=1), np.repeat(rng.random(p.shape) < p, 12, axis=1)))
        accused += expected_calibration_error(bins).low > 0
    assert accused <= 25


@pytest.mark.parametrize("sharpness", [0.5, 0.8, 1.0, 1.5])
def test_interval_covers(sharpness):
    # Log-odds are `1 / sharpness` times what they should be (1: calibrated). The true error is known, as predictions
    # are of six values. At least 95 % of 300 intervals cover it, 285 with a standard deviation of 3.8; fewer than
    # 267 do with probability 1e-5.
    rng = np.random.default_rng(21)
    covered = 0
    for _ in range(300):
        p = _predictions(rng, 3000)
        truth = 1 / (1 + ((1 - p) / p) ** sharpness)
        ece = expected_calibration_error(log_odds_bins(count(p, rng.random(p.shape) < truth)))
        covered += ece.low <= _calibration_error(p, truth) <= ece.high
    assert covered >= 267


def test_overconfidence_is_seen():
    # Halved log-odds would be right: the error is 0.06, and its interval, a tenth of that wide, leaves out 0.
    rng = np.random.default_rng(22)
    p = _predictions(rng, 20_000)
    truth = 1 / (1 + ((1 - p) / p) ** 0.5)
    counts = count(p, rng.random(p.shape) < truth)
    ece = expected_calibration_error(log_odds_bins(counts))
    assert 0.04 < ece.low < _calibration_error(p, truth) < ece.high < 0.1
    parts = brier_parts(counts, log_odds_bins(counts))
    assert parts.reliability > 0.003
    assert parts.reliability - parts.resolution + parts.uncertainty + parts.within_bins == pytest.approx(
        counts.brier.mean().value
    )
    # One value in each bin: nothing is lost by binning.
    assert abs(parts.within_bins) < 1e-12


def test_intervals_of_losses_cover():
    # As above: 300 intervals, fewer than 267 with probability 1e-5.
    rng = np.random.default_rng(23)
    brier, logs = 0, 0
    for _ in range(300):
        p = _even(rng, 1000)
        counts = count(p, rng.random(p.shape) < p)
        brier += counts.brier.mean().low <= 1 / 6 <= counts.brier.mean().high
        logs += counts.log_loss.mean().low <= 1 / 2 <= counts.log_loss.mean().high
    assert brier >= 267
    assert logs >= 267


def test_exact_posterior_of_a_code_is_calibrated(small_memory, all_classes):
    # The true P(observable flipped | syndrome) of the surface code's experiment: the calibration error may be 0, and
    # the Brier score is the one computed from all sets of errors, within 5 standard errors (6e-7 of seeds).
    circuit = small_memory(p=0.01)
    classes = all_classes(circuit.detector_error_model(flatten_loops=True))
    posterior = classes.probabilities[:, 1] / classes.probabilities.sum(axis=1)
    expected = (classes.probabilities[:, 0] * posterior).sum()
    dets, truth = circuit.compile_detector_sampler(seed=31).sample(50_000, separate_observables=True)
    syndromes = dets[:, classes.kept] @ (1 << np.arange(len(classes.kept)))
    counts = count(posterior[syndromes][:, None], truth)
    assert expected_calibration_error(equal_mass_bins(counts)).low == 0.0
    brier = counts.brier.mean()
    assert abs(brier.value - expected) < 5 * (brier.high - brier.low) / (2 * 1.96)


@pytest.mark.parametrize(
    ("p", "happened", "message"),
    [
        (np.zeros((2, 1)), np.zeros((2, 2), dtype=np.bool_), r"one shape .*\[2, 1\] and \[2, 2\]"),
        (np.zeros(2), np.zeros(2, dtype=np.bool_), r"one shape"),
        (np.zeros((0, 1)), np.zeros((0, 1), dtype=np.bool_), r"at least one of each"),
        (np.full((1, 1), 1.5), np.zeros((1, 1), dtype=np.bool_), r"within \[0, 1\]"),
        (np.full((1, 1), np.nan), np.zeros((1, 1), dtype=np.bool_), r"within \[0, 1\]"),
    ],
)
def test_unfit_predictions_are_refused(p, happened, message):
    with pytest.raises(CascadeError, match=message):
        count(p, happened)


def test_impossible_bins_are_refused():
    counts = count(np.array([[0.5]]), np.array([[True]]))
    with pytest.raises(CascadeError, match="at least 1 bin, got 0"):
        equal_mass_bins(counts, 0)
