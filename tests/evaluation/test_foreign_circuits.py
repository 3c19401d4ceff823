"""The table of docs/circuits.md is what `benchmarks/foreign_circuits.py` measured."""

import math
import runpy
from pathlib import Path

import numpy as np
import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "foreign_circuits.py"


@pytest.fixture
def script(monkeypatch) -> dict:
    monkeypatch.syspath_prepend(SCRIPT.parent)  # as if it were run
    return runpy.run_path(str(SCRIPT))


def test_page_is_that_of_the_results(script):
    page = script["PAGE"].read_text()
    assert script["with_table"](page) == page
    assert page.count("| `") == len(script["FILES"])


def test_ratio_covers_the_true_one_as_often_as_it_says(script):
    random = np.random.default_rng(4)
    failed, own_failed = random.binomial(10_000, 0.03, 2000), random.binomial(10_000, 0.02, 2000)
    covered = 0
    for one, other in zip(failed.tolist(), own_failed.tolist(), strict=True):
        ratio, low, high = script["ratio_of"](one, other, 10_000)
        assert ratio == pytest.approx(one / other)
        assert low * high == pytest.approx(ratio**2)
        covered += low <= 1.5 <= high
    # Five standard deviations of 2000 draws.
    assert abs(covered / 2000 - 0.95) < 5 * math.sqrt(0.95 * 0.05 / 2000)
    assert script["ratio_of"](0, 5, 100) == (None, None, None)
