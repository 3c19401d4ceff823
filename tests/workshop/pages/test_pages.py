"""Tables and pictures of the README and docs/ are what the workshop makes of cards, checkpoints, results."""

import json
import subprocess
from importlib import import_module

import pytest

from cascade_qec.zoo import registry
from workshop import CHECKOUT
from workshop.commands.pages import WRITERS
from workshop.pages import browser, learning_curves, pictures


@pytest.mark.parametrize("writer", WRITERS)
def test_tables_are_those_of_their_sources(writer):
    module = import_module(writer)
    page = module.PAGE.read_text()
    assert module.with_tables(page) == page, "run: python -m workshop pages"


@pytest.mark.parametrize("model", [name for name, source in registry.sources().items() if source == "bundled"])
def test_a_learning_curve_reaches_as_far_as_the_model_was_trained(model):
    shots_seen = int(learning_curves.learning_curve(model)[-1].split("|")[2].replace(",", ""))
    assert shots_seen >= registry.card(model).shots


def test_every_picture_has_the_command_that_makes_it_from_tables_that_are_there():
    commands = pictures.commands()
    files = {path.name for path in (CHECKOUT / "docs/images").iterdir()}
    assert set(pictures.named()) == set(commands) == files
    for command in commands.values():
        words = subprocess.run(["bash", "-c", f"printf '%s\\n' {command}"], cwd=CHECKOUT, capture_output=True)
        tables = [word for word in words.stdout.decode().splitlines() if word.endswith((".csv", ".jsonl"))]
        assert tables or " plot seam " in command  # which samples what it draws
        assert all((CHECKOUT / table).is_file() for table in tables), command


def test_what_the_browser_plots_has_the_commands_that_measured_it():
    commands = json.loads(browser.PAGE.read_text())["commands"]
    assert all(made for tables in commands.values() for made in tables.values())
    assert all((CHECKOUT / table).exists() for tables in commands.values() for table in tables)
