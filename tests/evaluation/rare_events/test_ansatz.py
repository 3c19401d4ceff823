import numpy as np
import pytest

from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.rare_events.ansatz import Sampled, distribution, fit_ansatz
from cascade_qec.evaluation.rare_events.faults import log_symmetric, number_of_faults

MOST = 40
FAULTS = np.arange(MOST + 1)
K = 4


def _spectrum(f0: float, g1: float, g2: float, cross: float, onset: int) -> np.ndarray:
    w = np.maximum(FAULTS, onset)
    mean = f0 * (w / onset) ** g1 * ((1 + (w / cross) ** 2) / (1 + (onset / cross) ** 2)) ** ((g2 - g1) / 2)
    most = 1 - 2.0**-K
    return np.where(onset <= FAULTS, most * -np.expm1(-mean / most), 0.0)


def _counts(spectrum: np.ndarray, faults, rates, shots: int, seed: int) -> Sampled:
    """So many shots in each stratum, and with a binomial number of 2000 faults at each rate."""
    numbers = np.array([np.eye(MOST + 1)[w] for w in faults] + [distribution(np.full(2000, q), MOST) for q in rates])
    every = np.full(len(numbers), shots)
    return Sampled(numbers, every, np.random.default_rng(seed).binomial(every, numbers @ spectrum))


def test_distribution_of_the_number_of_faults_is_exact():
    probabilities = np.concatenate([np.full(300, 1e-4), np.full(50, 3e-3), [0.2, 0.7]])
    odds = np.log(probabilities) - np.log1p(-probabilities)
    exact, _ = number_of_faults(probabilities, log_symmetric(odds, 20)[:, 0])
    np.testing.assert_allclose(distribution(probabilities, 20), exact, rtol=1e-10)


@pytest.mark.parametrize(
    ("form", "truth"),
    [("one exponent", (2e-6, 5.0, 5.0, 10.0)), ("two exponents", (1e-6, 6.5, 2.0, 15.0))],
)
def test_fit_carries_the_spectrum_to_few_faults(form, truth):
    """Seeds 1 to 6: of 6 intervals of 95 % more than two miss with probability 2e-3."""
    spectrum, low = _spectrum(*truth, onset=3), distribution(np.full(2000, 5e-4), MOST)
    misses = 0
    for seed in range(1, 7):
        counts = _counts(spectrum, (8, 10, 12, 16, 20, 25), (0.0025, 0.006), 20_000, seed)
        fit = fit_ansatz(counts, form=form, k=K, onset=3, simulations=30, seed=seed)
        low_end, high_end = np.percentile(fit.simulated @ low, (2.5, 97.5))
        misses += not low_end <= spectrum @ low <= high_end
        assert (fit.spectrum[:3] == 0).all()
    assert misses <= 2


def test_goodness_tells_one_exponent_from_two():
    counts = _counts(_spectrum(1e-6, 8.0, 1.0, 12.0, onset=3), (6, 8, 10, 12, 16, 20, 25, 30), (), 50_000, seed=3)
    one, two = (
        fit_ansatz(counts, form=form, k=K, onset=3, simulations=100, seed=1)
        for form in ("one exponent", "two exponents")
    )
    assert one.goodness < 0.02 < two.goodness


def test_failures_below_the_onset_are_refused():
    counts = Sampled(np.eye(MOST + 1)[[2, 10, 20, 30]], np.full(4, 1000), np.array([1, 10, 100, 500]))
    with pytest.raises(CascadeError, match="no failures of fewer than 3 faults, got 1"):
        fit_ansatz(counts, form="one exponent", k=K, onset=3, simulations=10, seed=1)


def test_too_few_points_with_failures_are_refused():
    counts = Sampled(np.eye(MOST + 1)[[5, 10, 20]], np.full(3, 1000), np.array([0, 10, 100]))
    with pytest.raises(CascadeError, match="more than 2 points to fit one exponent, got 2"):
        fit_ansatz(counts, form="one exponent", k=K, onset=3, simulations=10, seed=1)


def test_a_point_without_shots_changes_nothing():
    numbers, failures = np.eye(MOST + 1)[[5, 10, 15, 20]], np.array([0, 10, 60, 200])
    with_none = Sampled(numbers, np.array([0, 1000, 1000, 1000]), failures)
    without = Sampled(numbers[1:], np.full(3, 1000), failures[1:])
    found, expected = (
        fit_ansatz(counts, form="one exponent", k=K, onset=3, simulations=5, seed=1) for counts in (with_none, without)
    )
    np.testing.assert_array_equal(found.spectrum, expected.spectrum)
    np.testing.assert_array_equal(found.simulated, expected.simulated)


@pytest.mark.parametrize("failures", [-1, 1001])
def test_more_failures_than_shots_are_refused(failures):
    counts = Sampled(np.eye(MOST + 1)[[5, 10, 15, 20]], np.full(4, 1000), np.array([failures, 10, 60, 200]))
    with pytest.raises(CascadeError, match="failures from 0 to the number of shots, got"):
        fit_ansatz(counts, form="one exponent", k=K, onset=3, simulations=5, seed=1)
