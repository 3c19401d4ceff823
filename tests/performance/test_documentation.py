"""The tables of docs/performance.md are what `benchmarks/performance_tables.py` makes of recipes and results."""

import runpy
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "performance_tables.py"


def test_tables_are_those_of_recipes_and_results(monkeypatch):
    monkeypatch.syspath_prepend(SCRIPT.parent)  # as if it were run
    script = runpy.run_path(str(SCRIPT))
    page = script["PAGE"].read_text()
    assert script["with_tables"](page) == page, f"run: python benchmarks/{SCRIPT.name}"
