"""Guards judged by counts and losses alone. Probabilities of failing by chance are those of fixed seeds: none."""

import math

import numpy as np
import pytest

from cascade_qec.guards import (
    FALL,
    FALSE_ALARM,
    Bases,
    Floor,
    Guards,
    Head,
    claims,
    fewer_rounds,
    floor,
    unequal_bases,
    worst_head,
)
from cascade_qec.statistics import Counts

FLOOR = Floor(p=0.001, above=0.002, block_error=1e-4, allowed=3e-4, probability=1.0)
BASES = Bases(p=0.006, shots=2000, failures={"Z": 40, "X": 50}, probability=1.0)
GOOD = Guards(
    p=0.006,
    heads={"Z": Head(operator="Z0", loss=0.1, guess=0.6)},
    floor=FLOOR,
    bases=BASES,
    flips_on_silence=[],
)


def test_what_holds():
    assert GOOD.broken == []
    assert [verdict.guard for verdict in GOOD.verdicts] == ["heads", "floor", "bases", "silence"]
    assert "Z0 0.100 of 0.600 nats at 0.6 %" in GOOD.verdicts[0].figures
    one_basis = GOOD.model_copy(update={"floor": None, "bases": None})
    assert [verdict.guard for verdict in one_basis.verdicts] == ["heads", "silence"]


@pytest.mark.parametrize(
    ("change", "guard", "figures"),
    [
        ({"heads": {"Z": Head(operator="Z2", loss=0.68, guess=math.log(2))}}, "heads", "Z2 0.680 of 0.693"),
        ({"heads": {"Z": Head(operator="Z2", loss=math.nan, guess=0.5)}}, "heads", "nan"),
        ({"floor": FLOOR.model_copy(update={"probability": 1e-4})}, "floor", "1.00e-04 at 0.1 %, up to 3.00e-04"),
        ({"bases": BASES.model_copy(update={"probability": 1e-4})}, "bases", "Z 40, X 50 of 2,000 at 0.6 %"),
        ({"flips_on_silence": ["X"]}, "silence", "flips in X"),
    ],
)
def test_what_does_not_hold(change, guard, figures):
    (broken,) = GOOD.model_copy(update=change).broken
    assert broken.guard == guard
    assert figures in broken.figures


def floor_among(counts, k=1):
    found = floor(counts, k)
    assert found is not None
    return found


def bases_among(failures, k=1):
    """Of 10,000 shots of each basis."""
    found = unequal_bases(failures, 10_000, k)
    assert found is not None
    return found


class TestHeads:
    def test_the_worst_is_the_one_nearest_to_a_guess(self):
        """The second has the smaller loss, and knows less: its operator seldom flips."""
        head = worst_head("X", [0.3, 0.28], [500, 100], 1000)
        assert head.operator == "X1"
        assert head.guess == pytest.approx(0.325, abs=0.002)

    def test_few_shots_without_a_flip_are_no_dead_head(self):
        head = worst_head("Z", [0.05], [0], 16)
        assert GOOD.model_copy(update={"heads": {"Z": head}}).broken == []


class TestFloor:
    SHOTS = 100_000

    def law(self, power, *, still=0.0):
        return {p: Counts(round((0.1 * (p / 0.006) ** power + still) * self.SHOTS), self.SHOTS) for p in (0.001, 0.006)}

    @pytest.mark.parametrize(
        ("power", "still", "is_floor"),
        [(2, 0.0, False), (4, 0.0, False), (1, 0.0, True), (4, 0.01, True), (0, 0.0, True), (-1, -0.09, True)],
    )
    def test_powers_of_the_noise(self, power, still, is_floor):
        assert (floor_among(self.law(power, still=still)).probability < FALSE_ALARM) is is_floor

    def test_the_pair_that_tells_most_is_named(self):
        found = floor_among(self.law(2) | {0.0005: Counts(290, self.SHOTS)})
        assert (found.p, found.above, found.block_error) == (0.0005, 0.001, 0.0029)

    def test_few_failures_say_nothing(self):
        assert floor_among({0.001: Counts(3, 1000), 0.002: Counts(2, 1000)}).probability > 0.1
        assert floor_among({0.001: Counts(0, 1000), 0.002: Counts(0, 1000)}).probability == 1

    def test_one_noise_rate_has_none(self):
        assert floor({0.001: Counts(3, 1000)}, 1) is None

    def test_coins_are_no_floor(self):
        """Neither near saturation, where block error hardly falls, nor where all is lost."""
        assert floor_among({0.01: Counts(37_000, self.SHOTS), 0.02: Counts(49_000, self.SHOTS)}).probability > 0.1
        assert floor_among({0.01: Counts(90_000, self.SHOTS), 0.02: Counts(90_000, self.SHOTS)}).probability > 0.1

    def test_false_alarms_are_as_rare_as_said(self):
        """On the bound itself, where they are most frequent, with a hundred times the probability to see some."""
        rng = np.random.default_rng(1)
        shots, rate = 20_000, 0.005
        low, high = rng.binomial(shots, rate * 0.5**FALL, 20_000), rng.binomial(shots, rate, 20_000)
        found = [
            floor_among({0.001: Counts(int(a), shots), 0.002: Counts(int(b), shots)}).probability
            for a, b in zip(low, high, strict=True)
        ]
        assert 0.2 < np.mean(np.array(found) < 100 * FALSE_ALARM) / (100 * FALSE_ALARM) < 1.1


class TestBases:
    @pytest.mark.parametrize(
        ("failures", "unequal"),
        [((100, 110), False), ((100, 190), False), ((100, 400), True), ((400, 100), True), ((0, 30), True)],
    )
    def test_one_may_have_twice_the_failures(self, failures, unequal):
        found = bases_among({0.005: {"Z": failures[0], "X": failures[1]}, 0.002: {"Z": 3, "X": 1}})
        assert (found.probability < FALSE_ALARM) is unequal
        if unequal:
            assert (found.p, found.failures) == (0.005, {"Z": failures[0], "X": failures[1]})

    def test_chance_in_one_is_told_where_the_other_knows_something(self):
        assert bases_among({0.005: {"Z": 3000, "X": 5000}}).probability < FALSE_ALARM
        assert bases_among({0.005: {"Z": 9000, "X": 9050}}).probability > 0.1

    def test_one_basis_has_no_other(self):
        assert unequal_bases({0.005: {"Z": 3000}}, 10_000, 1) is None


class TestRounds:
    @pytest.mark.parametrize(
        ("failures", "worst"),
        [
            ({10: 121, 15: 1767, 30: 594}, [15, 30]),  # seen of a network that had learned 10 and 30 rounds
            ({10: 121, 15: 220, 30: 594}, None),
            ({1: 30, 9: 20}, None),
            ({1: 9_900, 9: 4_000}, [1, 9]),
        ],
    )
    def test_fewer_rounds_fail_no_more_than_twice_as_often(self, failures, worst):
        found = fewer_rounds({0.002: dict.fromkeys(failures, 0), 0.004: failures}, 10_000, 8)
        assert found is not None
        assert (found.probability < FALSE_ALARM) is (worst is not None)
        if worst is not None:
            assert (found.p, list(found.failures)) == (0.004, worst)
            (broken,) = GOOD.model_copy(update={"rounds": found}).broken
            assert broken.guard == "rounds"

    def test_one_number_of_rounds_has_no_other(self):
        assert fewer_rounds({0.005: {3: 3000}}, 10_000, 1) is None


class TestConfidence:
    def among(self, failures, *, odds=8.0, shots=10_000):
        wrong = np.arange(shots) < failures
        found = claims({0.003: np.full(shots, odds), 0.002: np.full(shots, 20.0)}, {0.003: wrong, 0.002: wrong & False})
        assert found is not None
        return found

    def test_sure_shots_may_fail_as_often_as_they_claim(self):
        """At log-odds of 8 there are 3.4 failures to expect among 10,000."""
        found = self.among(6)
        assert (found.p, found.sure, found.failures, round(found.claimed, 2)) == (0.003, 10_000, 6, 3.35)
        assert found.probability > 0.1

    def test_more_than_that_is_told(self):
        found = self.among(14)
        assert found.probability < FALSE_ALARM
        (broken,) = GOOD.model_copy(update={"confidence": found}).broken
        assert (broken.guard, "14 of 10,000 sure shots fail at 0.3 %" in broken.figures) == ("confidence", True)

    def test_shots_that_are_not_sure_are_none_of_its_business(self):
        assert self.among(5000, odds=6.9).probability == 1  # a confidence of 0.99899

    def test_false_alarms_are_as_rare_as_said(self):
        """With a hundred times the probability to see some: of two rates, one of which cannot fail."""
        rng = np.random.default_rng(2)
        found = [self.among(n).probability for n in rng.poisson(3.354, 2000)]
        assert 0 < np.mean(np.array(found) < 100 * FALSE_ALARM) <= 100 * FALSE_ALARM
