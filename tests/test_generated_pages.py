"""Tables and pictures of the README and docs/ are what scripts and commands make of cards, checkpoints, results."""

import runpy
import subprocess
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.mark.parametrize("name", ["collection_tables", "model_tables", "performance_tables", "training_tables"])
def test_tables_are_those_of_their_sources(name, monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)  # as if it were run
    script = runpy.run_path(str(BENCHMARKS / f"{name}.py"))
    page = script["PAGE"].read_text()
    assert script["with_tables"](page) == page, f"run: python benchmarks/{name}.py"


def test_every_picture_has_the_command_that_makes_it_from_tables_that_are_there():
    script = runpy.run_path(str(BENCHMARKS / "pictures.py"))
    commands = script["commands"]()
    files = {path.name for path in (script["ROOT"] / "docs/images").iterdir()}
    assert set(script["named"]()) == set(commands) == files
    for command in commands.values():
        words = subprocess.run(["bash", "-c", f"printf '%s\\n' {command}"], cwd=script["ROOT"], capture_output=True)
        tables = [word for word in words.stdout.decode().splitlines() if word.endswith((".csv", ".jsonl"))]
        assert tables
        assert all((script["ROOT"] / table).is_file() for table in tables), command
