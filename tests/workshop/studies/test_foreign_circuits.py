"""The table of docs/circuits.md is what the study measured."""

import math

import numpy as np
import pytest

from workshop.studies import foreign_circuits


def test_page_is_that_of_the_results():
    page = foreign_circuits.PAGE.read_text()
    assert foreign_circuits.with_tables(page) == page
    assert page.count("| `") == len(foreign_circuits.FILES)


def test_ratio_covers_the_true_one_as_often_as_it_says():
    random = np.random.default_rng(4)
    failed, own_failed = random.binomial(10_000, 0.03, 2000), random.binomial(10_000, 0.02, 2000)
    covered = 0
    for one, other in zip(failed.tolist(), own_failed.tolist(), strict=True):
        ratio, low, high = foreign_circuits.ratio_of(one, other, 10_000)
        assert ratio == pytest.approx(one / other)
        assert low is not None
        assert high is not None
        assert low * high == pytest.approx(ratio**2)
        covered += low <= 1.5 <= high
    # Five standard deviations of 2000 draws.
    assert abs(covered / 2000 - 0.95) < 5 * math.sqrt(0.95 * 0.05 / 2000)
    assert foreign_circuits.ratio_of(0, 5, 100) == (None, None, None)
