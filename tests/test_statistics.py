"""Rates against closed forms, hand values and simulation, with fixed seeds: a test passes always or never."""

import math

import numpy as np
import pytest

from cascade_qec.errors import CascadeError
from cascade_qec.statistics import Interval, failures, per_logical_per_cycle, wilson


def _point(p: float) -> Interval:
    return Interval(p, p, p)


def test_failures_counts_shots_with_any_observable_wrong():
    predictions = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], dtype=np.bool_)
    observables = np.array([[0, 0], [0, 0], [0, 0], [0, 1]], dtype=np.bool_)
    assert failures(predictions, observables) == 2
    with pytest.raises(CascadeError, match=r"\[4, 2\], got \[4, 1\]"):
        failures(predictions[:, :1], observables)


def test_wilson_interval_by_hand():
    # Textbook value (Agresti & Coull 1998, z = 1.959964): 0 of 10 gives [0, z^2 / (10 + z^2)].
    z2 = 1.9599639845400545**2
    rate = wilson(0, 10)
    assert (rate.value, rate.low) == (0.0, 0.0)
    assert rate.high == pytest.approx(z2 / (10 + z2))
    assert wilson(10, 10) == Interval(1.0, pytest.approx(10 / (10 + z2)), 1.0)
    half = wilson(50, 100)
    assert (half.low, half.high) == (pytest.approx(0.403832, abs=1e-6), pytest.approx(0.596168, abs=1e-6))


def test_wilson_ends_are_where_the_score_test_rejects():
    rate = wilson(7, 300, confidence=0.9)
    for end in (rate.low, rate.high):
        score = (rate.value - end) / math.sqrt(end * (1 - end) / 300)
        assert abs(score) == pytest.approx(1.6448536269514722)


@pytest.mark.parametrize(("p", "shots"), [(0.3, 200), (0.02, 1000), (0.002, 5000)])
def test_wilson_interval_covers(p, shots):
    # Summed exactly, coverage is 0.947, 0.947 and 0.963 at these points. Over 20,000 experiments its estimate
    # has a standard deviation of 0.0015, so a seed drawn afresh fails with probability below 1e-5.
    failed = np.random.default_rng(11).binomial(shots, p, size=20_000)
    intervals = {int(f): wilson(int(f), shots) for f in np.unique(failed)}
    covered = np.mean([intervals[int(f)].low <= p <= intervals[int(f)].high for f in failed])
    assert covered == pytest.approx(0.95, abs=0.02)


@pytest.mark.parametrize("arguments", [(-1, 10), (11, 10), (0, 0), (1, 10, 1.0), (1, 10, 0.0)])
def test_impossible_counts_are_refused(arguments):
    with pytest.raises(CascadeError, match="expected 0 <= failures <= shots"):
        wilson(*arguments)


def test_one_logical_and_one_cycle_is_the_identity():
    for p in (0.0, 1e-12, 0.003, 0.2, 0.5):
        assert per_logical_per_cycle(_point(p), k=1, rounds=1).value == pytest.approx(p, rel=1e-12)


def test_by_hand():
    # k = 2: q = 1 - sqrt(0.64) = 0.2. Two cycles: (1 - sqrt(0.6)) / 2.
    assert per_logical_per_cycle(_point(0.36), k=2, rounds=1).value == pytest.approx(0.2)
    assert per_logical_per_cycle(_point(0.36), k=2, rounds=2).value == pytest.approx((1 - math.sqrt(0.6)) / 2)
    # A cycle that flips with 0.1 twice in a row: 2 * 0.1 * 0.9 = 0.18 of an odd number.
    assert per_logical_per_cycle(_point(0.18), k=1, rounds=2).value == pytest.approx(0.1)


def test_limits():
    tiny = per_logical_per_cycle(_point(1e-13), k=12, rounds=12).value
    assert tiny == pytest.approx(1e-13 / 144, rel=1e-9)
    assert per_logical_per_cycle(_point(0.0), k=12, rounds=6).value == 0.0
    assert per_logical_per_cycle(_point(1.0), k=12, rounds=6).value == 0.5
    assert per_logical_per_cycle(_point(0.5), k=1, rounds=6).value == 0.5


def test_interval_goes_through_in_order():
    block = wilson(17, 4000)
    rate = per_logical_per_cycle(block, k=12, rounds=6)
    assert rate.low < rate.value < rate.high
    assert rate.low == per_logical_per_cycle(_point(block.low), k=12, rounds=6).value
    assert rate.high == per_logical_per_cycle(_point(block.high), k=12, rounds=6).value


@pytest.mark.parametrize(("k", "rounds", "flip"), [(1, 5, 0.02), (4, 3, 0.01), (12, 6, 0.003)])
def test_agrees_with_simulated_qubits(k, rounds, flip):
    # k independent qubits, each flipped with probability `flip` in every cycle. The interval of confidence
    # 99.99 % misses the truth with probability 1e-4 for a seed drawn afresh.
    shots = 100_000
    flips = np.random.default_rng(23).binomial(rounds, flip, size=(shots, k))
    block = wilson(int((flips % 2).any(axis=1).sum()), shots, confidence=0.9999)
    rate = per_logical_per_cycle(block, k=k, rounds=rounds)
    assert rate.low < flip < rate.high
    assert rate.high - rate.low < 0.3 * flip


@pytest.mark.parametrize(("k", "rounds"), [(0, 3), (1, 0)])
def test_no_logicals_or_cycles_are_refused(k, rounds):
    with pytest.raises(CascadeError, match="k >= 1 and rounds >= 1"):
        per_logical_per_cycle(_point(0.1), k=k, rounds=rounds)
