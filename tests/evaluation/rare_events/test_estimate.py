import numpy as np
import pytest

from cascade_qec.evaluation.rare_events.fault_model import FaultModel
from cascade_qec.evaluation.rare_events.faults import all_sets
from cascade_qec.evaluation.rare_events.results import rare_rates, spectrum

P = 0.02


def _known_spectrum(model: FaultModel, known) -> np.ndarray:
    """f(w) of the decoder of known behaviour, from all sets."""
    decoder = known()
    fractions = []
    for w in range(model.most + 1):
        (sets,) = all_sets(12, w, start=0, chunk=1000)
        failed = decoder.decode_batch(model.faults.outcomes(sets)[0]).observables[:, 0]
        fractions.append(model.conditional_probabilities(sets)[0, failed].sum())
    return np.array(fractions)


@pytest.mark.parametrize("shots", [30, 300, 20_000])
def test_intervals_cover_and_estimates_are_unbiased(small, known, truth, shots, empty):
    """Seed 2, 600 simulations; with exactly 95 % more than 52 misses have probability 6e-5.

    The mean is off by more than 4 standard errors with probability 6e-5.
    """
    model = FaultModel({P: small(P)})
    fractions = np.clip(_known_spectrum(model, known), 0, 1)
    rng = np.random.default_rng(2)
    estimates, misses, widths = [], 0, []
    for _ in range(600):
        tallies = empty([P])
        for w, f in enumerate(fractions):
            n = max(1, shots >> w)
            failures = rng.binomial(n, f)
            tallies.of("main", w).add(np.ones((1, failures)), shots=n, seconds=1.0)
        (rate,) = rare_rates(model, tallies)
        estimates.append(rate.block_error.value)
        misses += not rate.block_error.low <= truth(P) <= rate.block_error.high
        widths.append(rate.block_error.high - rate.block_error.low)
    assert misses <= 52
    assert abs(np.mean(estimates) - truth(P)) < 4 * np.std(estimates) / np.sqrt(600)
    if shots == 20_000:  # and they are not much wider than need be
        assert np.mean(widths) < 1.3 * 2 * 1.96 * np.std(estimates)


def test_strata_that_were_not_decoded_are_in_the_interval(small, empty):
    model = FaultModel({P: small(P)})
    tallies = empty([P])
    tallies.of("all", 0).add(np.zeros((1, 0)), shots=1, seconds=0.1)
    tallies.of("main", 1).add(np.zeros((1, 0)), shots=10**9, seconds=0.1)
    tallies.of("pilot", 2).add(np.ones((1, 5)), shots=10, seconds=0.1)
    (rate,) = rare_rates(model, tallies)
    assert rate.unknown == pytest.approx(1 - model.numbers[0, :2].sum())
    assert rate.block_error.low == 0
    assert rate.block_error.value == 0
    assert rate.block_error.high == pytest.approx(rate.unknown, rel=1e-6)
    assert rate.effective_failures == 0


def test_strata_decoded_in_part_count_as_unknown(small, empty):
    model = FaultModel({P: small(P)})
    tallies = empty([P])
    tallies.of("all", 1).add(np.zeros((1, 0)), shots=11, seconds=0.1)
    assert spectrum(model, tallies) == []
    assert rare_rates(model, tallies)[0].block_error.high == 1
    tallies.of("all", 1).add(np.full((1, 1), 0.25), shots=1, seconds=0.1)
    (stratum,) = spectrum(model, tallies)
    assert (stratum.faults, stratum.exact, stratum.fraction.value) == (1, True, 0.25)
    (rate,) = rare_rates(model, tallies)
    assert rate.exact_part == pytest.approx(0.25 * model.numbers[0, 1])
    assert rate.block_error.low == rate.exact_part
