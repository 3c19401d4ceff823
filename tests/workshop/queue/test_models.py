"""The queue's file: what it says, and errors that name model and field."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from cascade_qec.errors import CascadeError
from cascade_qec.training.recipe import load_recipe
from cascade_qec.zoo import registry
from workshop.queue.models import load_queue

SHIPPED = Path(__file__).parents[3] / "recipes" / "queue.toml"
RECIPE = """
name = "{name}"
code = "surface_d3"
rounds = 3
seed = {seed}
[network]
width = 8
depth = 1
convolution = "direct"
[noise]
p = 0.006
start = 0.002
[optimizer]
steps = 3
[batch]
shots = 4
[validation]
p = [0.003, 0.005]
"""


@pytest.fixture
def load(tmp_path: Path) -> Callable[[str], list]:
    """Load a queue of this text, beside the recipes a, a2 (of the same name) and b."""
    (tmp_path / "further").mkdir()
    for file, name, seed in [("a", "a", 1), ("further/a2", "a", 2), ("b", "b", 1)]:
        (tmp_path / f"{file}.toml").write_text(RECIPE.format(name=name, seed=seed))

    def of(text: str) -> list:
        (tmp_path / "queue.toml").write_text(text)
        return load_queue(tmp_path / "queue.toml")

    return of


def test_shipped_queue():
    models = load_queue(SHIPPED)
    names = [model.name for model in models]
    assert names[0] == "surface_d3"
    assert set(names) == {recipe.stem for recipe in SHIPPED.parent.glob("*.toml")} - {SHIPPED.stem}
    assert {model.start_from for model in models} - {None} <= {*names, *registry.names()}


def test_models_in_order_with_their_stretches(load, tmp_path):
    first, second = load(
        """
        [[model]]
        recipe = "a.toml"
        continued = ["further/a2.toml"]
        targets = { "0.003" = 1e-3, "0.0050" = 0.01 }
        [[model]]
        recipe = "b.toml"
        start_from = "a"
        targets = { "0.005" = 0.02 }
        """
    )
    assert (first.name, second.name) == ("a", "b")
    assert first.recipes == (load_recipe(tmp_path / "a.toml"), load_recipe(tmp_path / "further" / "a2.toml"))
    assert first.targets == {0.003: 1e-3, 0.005: 0.01}
    assert (first.start_from, second.start_from) == (None, "a")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "model: Field required"),
        ("model = []", "model: List should have at least 1 item"),
        ('[[model]]\nrecipe = "a.toml"', "model 1 (a.toml), targets: Field required"),
        ('[[model]]\ntargets = { "0.003" = 0.1 }', "model 1, recipe: Field required"),
        ('[[model]]\nrecipe = "a.toml"\ntargets = {}', "model 1 (a.toml), targets: Dictionary should have at least 1"),
        (
            '[[model]]\nrecipe = "a.toml"\ntargets = { "0.003" = 1.5 }',
            "(a.toml), targets.0.003: Input should be",
        ),
        (
            '[[model]]\nrecipe = "a.toml"\nsteps = 3\ntargets = { "0.003" = 0.1 }',
            "(a.toml), steps: Extra inputs",
        ),
        ('[[model]]\nrecipe = "a.toml"\ntargets = { low = 0.1 }', "targets: expected noise rates as keys, got 'low'"),
        ('[[model]]\nrecipe = "a.toml"\ntargets = { "0.002" = 0.1 }', "validated at, [0.003, 0.005], got 0.002"),
        ('[[model]]\nrecipe = "c.toml"\ntargets = { "0.003" = 0.1 }', "model 1 (c.toml): cannot read recipe"),
        (
            '[[model]]\nrecipe = "a.toml"\ncontinued = ["b.toml"]\ntargets = { "0.003" = 0.1 }',
            "model 1 (a.toml): continued: expected recipes of one name, got a, b",
        ),
        (
            '[[model]]\nrecipe = "a.toml"\ncontinued = ["a.toml"]\ntargets = { "0.003" = 0.1 }',
            "continued: expected recipes that differ",
        ),
        (
            '[[model]]\nrecipe = "a.toml"\ntargets = { "0.003" = 0.1, "3e-3" = 0.2 }',
            "each noise rate once, got 3e-3",
        ),
        (
            '[[model]]\nrecipe = "a.toml"\nstart_from = "a"\ntargets = { "0.003" = 0.1 }',
            "start_from: expected another model, got a itself",
        ),
        (2 * '[[model]]\nrecipe = "a.toml"\ntargets = { "0.003" = 0.1 }\n', "each model once, got a more often"),
        ("model = [", " is no TOML file"),
    ],
)
def test_errors_name_what_is_wrong(text, told, load):
    with pytest.raises(CascadeError, match=rf"queue\.toml.*{re.escape(told)}"):
        load(text)


def test_missing_file(tmp_path):
    with pytest.raises(CascadeError, match=r"cannot read queue .*none\.toml: No such file"):
        load_queue(tmp_path / "none.toml")
