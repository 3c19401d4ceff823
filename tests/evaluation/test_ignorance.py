"""What not knowing the noise costs, from failures of the same shots."""

import numpy as np
import pytest

from cascade_qec.evaluation.ignorance import Ignorance


def drawn(seed: int, shots: int = 40_000) -> Ignorance:
    """Failures of shots: 2 % told, 1 % more told the old model, a quarter of these told the learnt one."""
    rng = np.random.default_rng(seed)
    told, apart, chance, again = rng.random((4, shots))
    told = told < 0.02
    untold = told ^ (apart < np.where(told, 0.1, 0.012))
    learnt = told ^ ((untold != told) & (again < 0.25)) ^ (chance < np.where(told, 0.02, 0.0004))
    return Ignorance.of(told, untold, learnt)


def test_counts_add_up():
    told, untold, learnt = np.array([[1, 0, 0, 0, 1], [1, 1, 0, 1, 0], [1, 1, 1, 0, 1]], dtype=bool)
    counts = Ignorance.of(told, untold, learnt)
    assert counts == Ignorance(shots=5, told=2, untold=3, learnt=4, untold_apart=3, learnt_apart=2, both_apart=1)
    doubled = {name: 2 * getattr(counts, name) for name in Ignorance.model_fields}
    assert counts + counts == Ignorance(**doubled)


def test_intervals_hold_the_truth():
    """Means of what `drawn` draws: a cost of 0.98 x 0.012 - 0.02 x 0.1, of which three quarters are removed."""
    cost = 0.98 * 0.012 - 0.02 * 0.1
    found = [drawn(seed) for seed in range(200)]
    held = {
        "cost": sum(each.cost.low <= cost <= each.cost.high for each in found),
        "left": sum(each.left.low <= cost / 4 <= each.left.high for each in found),
        "removed": sum(each.removed.low <= 0.75 <= each.removed.high for each in found),
    }
    # 95 % of 200 are 190; 178 or fewer come by chance in one of 10,000
    assert all(count > 178 for count in held.values()), held


def test_a_cost_that_may_be_nothing_has_no_share():
    assert (
        Ignorance(shots=1000, told=20, untold=22, learnt=20, untold_apart=10, learnt_apart=4, both_apart=1).removed
        is None
    )
    assert drawn(1).removed.value == pytest.approx(0.75, abs=0.15)
