"""Tables in the README and in docs/ are what the scripts of benchmarks/ make of cards, checkpoints and results."""

import runpy
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.mark.parametrize("name", ["collection_tables", "model_tables", "performance_tables", "training_tables"])
def test_tables_are_those_of_their_sources(name, monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)  # as if it were run
    script = runpy.run_path(str(BENCHMARKS / f"{name}.py"))
    page = script["PAGE"].read_text()
    assert script["with_tables"](page) == page, f"run: python benchmarks/{name}.py"
