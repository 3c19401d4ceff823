"""Circuits whose gates are not equally good."""

# Stim's instructions and loops share a type.
# pyright: reportAttributeAccessIssue=false

import numpy as np
import pytest
import stim

from cascade_qec import circuits
from cascade_qec.errors import CascadeError

MIXED = stim.Circuit("""
    R 0 1 2 3
    REPEAT 3 {
        DEPOLARIZE2(0.01) 0 1 2 3
        MPP(0.01) X0*X1 Z2
    }
    DEPOLARIZE2(0.01) 0 1
    PAULI_CHANNEL_1(0.01, 0.02, 0.03) 3
    E(0.1) X0 Z1
    M(0.02) !0 1
    DETECTOR rec[-1]
""")


def test_a_channel_is_as_bad_wherever_it_comes():
    found = circuits.scattered(MIXED, 2, seed=1)
    assert found.without_noise() == MIXED.without_noise()
    assert len(found) > len(MIXED)
    body = found[1].body_copy()
    pair, other = body[0], body[1]
    assert pair.targets_copy() == found[2].targets_copy()
    assert pair.gate_args_copy() == found[2].gate_args_copy()
    assert pair.gate_args_copy() != other.gate_args_copy()
    x, y, z = found[3].gate_args_copy()
    assert (y / x, z / x) == pytest.approx((2, 3))
    assert circuits.scattered(MIXED, 2, seed=1) == found
    assert circuits.scattered(MIXED, 2, seed=2) != found


def test_strengths_lie_between_the_factors():
    circuit = stim.Circuit("DEPOLARIZE1(0.01) " + " ".join(map(str, range(2000))))
    logs = np.log2([line.gate_args_copy()[0] / 0.01 for line in circuits.scattered(circuit, 4, seed=3)])
    assert np.abs(logs).max() <= 2
    # uniform: in each of four quarters 500 of 2000, within five standard deviations
    counts = np.histogram(logs, bins=4, range=(-2, 2))[0]
    assert np.all(np.abs(counts - 500) < 5 * np.sqrt(2000 * 0.25 * 0.75))


def test_a_strong_channel_stays_a_probability():
    found = circuits.scattered(stim.Circuit("X_ERROR(0.45) 0 1 2 3 4 5 6 7"), 10, seed=1)
    assert max(line.gate_args_copy()[0] for line in found) == pytest.approx(0.5)


def test_nothing_is_scattered_by_less_than_nothing():
    with pytest.raises(CascadeError, match=r"expected a factor of at least 1, got 0\.5"):
        circuits.scattered(MIXED, 0.5, seed=1)
