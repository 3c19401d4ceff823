import itertools
import math

import numpy as np
import pytest
from scipy import stats

from cascade_qec.evaluation.rare_events.faults import all_sets, drawn_sets, log_symmetric

ODDS = np.array([0.5, 0.01, 3.0, 0.1, 0.002, 0.8, 0.3])


@pytest.mark.parametrize("faults", [1, 2, 3, 6])
def test_sets_have_their_conditional_probabilities(faults):
    # Seed 11, 200000 shots, chi-squared over sets expected at least 5 times: false alarm 1e-4 for each case.
    shots = 200_000
    drawn = drawn_sets(log_symmetric(np.log(ODDS), 7), faults, shots, np.random.default_rng(11))
    assert (np.diff(drawn, axis=1) > 0).all()
    sets = list(itertools.combinations(range(len(ODDS)), faults))
    expected = np.array([np.prod(ODDS[list(chosen)]) for chosen in sets])
    expected *= shots / expected.sum()
    index = {chosen: i for i, chosen in enumerate(sets)}
    seen = np.bincount([index[tuple(row)] for row in drawn.tolist()], minlength=len(sets))
    often = expected >= 5
    pooled_seen = np.append(seen[often], seen[~often].sum())
    pooled_expected = np.append(expected[often], expected[~often].sum())
    keep = pooled_expected > 0
    assert stats.chisquare(pooled_seen[keep], pooled_expected[keep]).pvalue > 1e-4


def test_no_faults_and_all_faults():
    table = log_symmetric(np.log(ODDS), 7)
    assert drawn_sets(table, 0, 3, np.random.default_rng(0)).shape == (3, 0)
    np.testing.assert_array_equal(drawn_sets(table, 7, 4, np.random.default_rng(0)), np.tile(np.arange(7), (4, 1)))


def test_many_mechanisms_of_very_different_probability():
    # Expected number of faults at each mechanism is its inclusion probability, about w q / sum(q) here.
    # Seed 5, 50000 shots: false alarm below 1e-6 (5 standard deviations in 20 bins).
    q = np.geomspace(1e-7, 1e-3, 20_000)
    drawn = drawn_sets(log_symmetric(np.log(q / (1 - q)), 4), 4, 50_000, np.random.default_rng(5))
    seen = np.histogram(drawn, bins=20, range=(0, 20_000))[0]
    expected = q.reshape(20, -1).sum(axis=1) / q.sum() * drawn.size
    # Drawing without replacement shifts inclusion by at most w max(q) / sum(q), below 0.4 %.
    assert (np.abs(seen - expected) < 5 * np.sqrt(expected) + 0.004 * expected + 1).all()


def test_all_sets_in_pieces_and_from_the_middle():
    whole = np.concatenate(list(all_sets(9, 3, start=0, chunk=7)))
    assert whole.tolist() == [list(chosen) for chosen in itertools.combinations(range(9), 3)]
    assert len(whole) == math.comb(9, 3)
    rest = np.concatenate(list(all_sets(9, 3, start=50, chunk=11)))
    np.testing.assert_array_equal(rest, whole[50:])
    (nothing,) = all_sets(9, 0, start=0, chunk=4)
    assert nothing.shape == (1, 0)
