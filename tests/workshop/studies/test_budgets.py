"""Who is best in the time that there is."""

from typing import Any

import pytest

from workshop.studies import budgets
from workshop.studies.budgets import BudgetRow


def row(decoder: str, failures: int, microseconds: float) -> BudgetRow:
    values: dict[str, Any] = {"code": "surface_d5", "p": 0.003, "rounds": 5, "bases": "XZ", "k": 1, "seed": 1}
    counts = {"shots": 1000, "failures": failures, "alone": 0, "last_alone": 0}
    there = {"hardware": "", "versions": "", "commit": ""}
    return BudgetRow(**values, decoder=decoder, microseconds_per_shot=microseconds, **counts, **there)


def test_the_table_has_who_fails_least_often_in_each_budget() -> None:
    rows = [row("quick", 30, 20.0), row("sure", 10, 2e4), row("slow", 20, 5e3), row("no better", 20, 6e3)]
    found = budgets.lines(rows)[-1].split(" | ")
    assert [cell.split("<br>")[0] for cell in found[3:]] == ["quick", "slow", "sure"]
    assert "none" in budgets.lines([row("slow", 3, 5e3)])[-1]


def test_all_candidates_decode_the_same_shots(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("cascade:surface_d3", "cascade:surface_d3+pymatching", "pymatching")
    monkeypatch.setitem(budgets.CANDIDATES, "surface_d3", names)
    found = budgets.measured("surface_d3", 0.005, seconds=0.001, seed=1)
    assert tuple(one.decoder for one in found) == names
    assert {one.shots for one in found} == {2 * budgets.BATCH}
    last = found[-1].failures
    assert all(one.failures - one.alone == last - one.last_alone for one in found)  # failures that both have
