"""Recipes: those of this repository, what is said of wrong ones, and the noise over the steps."""

from pathlib import Path

import pytest

from cascade_qec import zoo
from cascade_qec.cli import main
from cascade_qec.errors import CascadeError
from cascade_qec.model import load_model
from cascade_qec.training import Recipe, load_recipe
from cascade_qec.training.recipe import NoiseCurriculum

QUEUE = Path(__file__).parents[2] / "recipes" / "queue.toml"
RECIPES = sorted(set((Path(__file__).parents[2] / "recipes").glob("*.toml")) - {QUEUE})
CONTINUED = Path(__file__).parents[2] / "recipes" / "continued"
MIXED = sorted(path for ending in ("mixed", "silence") for path in CONTINUED.glob(f"*_{ending}.toml"))


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_recipes_of_this_repository(path):
    recipe = load_recipe(path)
    assert recipe.name == path.stem
    assert Recipe.model_validate_json(recipe.model_dump_json()) == recipe


@pytest.mark.parametrize("path", MIXED, ids=lambda path: path.stem)
def test_stretches_on_mixed_rounds_go_on_with_a_shipped_model(path):
    """Heads fit, and what a local one is told: the stretch begins with all of the weights."""
    recipe = load_recipe(path)
    wanted, (_, trained) = recipe.description(), load_model(zoo.path(recipe.name))
    assert wanted.shapes() == trained.shapes()
    assert wanted.components == trained.components
    assert [name for name, *_ in wanted.told or ()] == [name for name, *_ in trained.told or ()]
    usual = [[numbers for _, *numbers in model.told or ()] for model in (wanted, trained)]
    assert usual[0] == [pytest.approx(numbers, rel=1e-9) for numbers in usual[1]]  # logarithms differ between machines
    assert recipe.rounds == trained.rounds
    assert wanted.trained_at(1)
    assert wanted.trained_at(3 * recipe.rounds)


def test_the_shipped_models_have_recipes():
    assert {"surface_d3", "surface_d5", "bb72"} <= {path.stem for path in RECIPES}


def test_a_file_gives_the_recipe_that_it_spells(tiny, tiny_file):
    assert load_recipe(tiny_file()) == tiny()
    assert load_recipe(str(tiny_file(seed=3))) == tiny(seed=3)
    assert tiny(batch={"shots": 8, "micro_batches": 3}).shots_per_step == 8 * 3 * 2


WRONG = [
    # not there, or not known
    ({"name": None}, "name: Field required"),
    ({"network": {"convolution": None}}, "network.convolution: Field required"),
    ({"noise": {"p": None}}, "noise.p: Field required"),
    ({"optimizer": {"steps": None}}, "optimizer.steps: Field required"),
    ({"batch": {"shots": None}}, "batch.shots: Field required"),
    ({"colour": "red"}, "colour: Extra inputs are not permitted, got 'red'"),
    ({"optimizer": {"sgd_lr": 0.1}}, "optimizer.sgd_lr: Extra inputs are not permitted, got 0.1"),
    ({"network": {"colour": "red"}}, "network.colour: Extra inputs"),
    # of the wrong type
    ({"rounds": 3.5}, "rounds: Input should be a valid integer, got 3.5"),
    ({"rounds": "3"}, "rounds: Input should be a valid integer, got '3'"),
    ({"seed": True}, "seed: Input should be a valid integer, got True"),
    ({"noise": {"p": "low"}}, "noise.p: Input should be a valid number, got 'low'"),
    ({"network": {"width": "8"}}, "network.width: Input should be a valid integer, got '8'"),
    ({"network": 8}, "network: Input should be a valid dictionary"),
    ({"validation": {"p": 0.003}}, "validation.p: Input should be a valid list, got 0.003"),
    # out of range
    ({"name": "Tiny model"}, "name: String should match pattern '^[a-z0-9_]+$', got 'Tiny model'"),
    ({"name": "../tiny"}, "name: String should match"),
    ({"rounds": 0}, "rounds: Input should be greater than or equal to 1, got 0"),
    ({"seed": -1}, "seed: Input should be greater than or equal to 0, got -1"),
    ({"seed": 2**63}, "seed: Input should be less than"),
    ({"bases": []}, "bases: List should have at least 1 item"),
    ({"bases": ["Y"]}, "bases.0: Input should be 'X' or 'Z', got 'Y'"),
    ({"bases": ["Z", "Z"]}, "bases: expected each basis once, got ['Z', 'Z']"),
    ({"network": {"width": 3}}, "network.width: Input should be greater than or equal to 4, got 3"),
    ({"network": {"depth": 0}}, "network.depth: Input should be greater than or equal to 1, got 0"),
    (
        {"network": {"convolution": "fft"}},
        "network.convolution: Input should be 'direct' or 'bipartite', got 'fft'",
    ),
    (
        {"network": {"convolution": "bipartite"}},
        "expected network.convolution 'direct' for surface_d3, got 'bipartite'",
    ),
    ({"noise": {"p": 0.0}}, "noise.p: Input should be greater than 0, got 0.0"),
    ({"noise": {"p": float("nan")}}, "noise.p: Input should be a finite number, got nan"),
    ({"noise": {"start": 0.2}}, "noise.start: Input should be less than or equal to 0.1, got 0.2"),
    ({"noise": {"hold_steps": -1}}, "noise.hold_steps: Input should be greater than or equal to 0, got -1"),
    ({"noise": {"log_uniform_from": 0.01}}, "noise: expected log_uniform_from at most p = 0.006, got 0.01"),
    ({"noise": {"model": "pink"}}, "noise.model: unknown noise model 'pink': expected one of uniform"),
    ({"optimizer": {"steps": 0}}, "optimizer.steps: Input should be greater than or equal to 1, got 0"),
    ({"optimizer": {"ema": 1.0}}, "optimizer.ema: Input should be less than 1, got 1.0"),
    ({"optimizer": {"muon_lr": 0}}, "optimizer.muon_lr: Input should be greater than 0, got 0"),
    ({"batch": {"shots": 1}}, "batch.shots: Input should be greater than or equal to 2, got 1"),
    (
        {"batch": {"micro_batches": 0}},
        "batch.micro_batches: Input should be greater than or equal to 1, got 0",
    ),
    ({"validation": {"p": []}}, "validation.p: List should have at least 1 item"),
    (
        {"validation": {"p": [0.001, 1.5]}},
        "validation.p.1: Input should be less than or equal to 0.1, got 1.5",
    ),
    ({"validation": {"every": 0}}, "validation.every: Input should be greater than or equal to 1, got 0"),
    ({"mixture": {"rounds": [3, 1]}}, "mixture.rounds: expected numbers of rounds that ascend, got [3, 1]"),
    ({"mixture": {"rounds": [1, 9]}}, "expected rounds = 3 in mixture.rounds, got [1, 9]"),
    ({"mixture": {"cut": [0]}}, "mixture.cut.0: Input should be greater than or equal to 1, got 0"),
    ({"mixture": {"cut": [3]}}, "expected head 'local' for windows"),
    ({"network": {"segment_rounds": 2}}, "expected network.segment_rounds = rounds, which are 3, of a logical head"),
    ({"head": "local", "network": {"segment_rounds": 3}}, "or none, got 3 of a local one"),
    ({"mixture": {"noise": ["si1000"]}}, "expected noise.model = 'uniform' in mixture.noise, got ['si1000']"),
    ({"mixture": {"noise": ["uniform", "pink"]}}, "mixture.noise: unknown noise model 'pink'"),
    ({"code": "surface_d4"}, "code: "),
    ({"code": "bb73"}, "code: unknown code 'bb73': did you mean bb72?"),
]


@pytest.mark.parametrize(("changes", "message"), WRONG, ids=[message.partition(": ")[0] for _, message in WRONG])
def test_a_wrong_field_is_named(changes, message, tiny_file):
    path = tiny_file(**changes)
    with pytest.raises(CascadeError) as caught:
        load_recipe(path)
    assert message in str(caught.value)
    assert str(caught.value).startswith(f"recipe {path}: ")


def test_all_wrong_fields_are_named_at_once(tiny_file):
    with pytest.raises(CascadeError, match=r"rounds: .*; noise\.p: .*; batch\.shots: "):
        load_recipe(tiny_file(rounds=0, noise={"p": -1.0}, batch={"shots": 0}))


@pytest.mark.parametrize("content", [b"name = ", b"\xff\xfe", b'{"name": "tiny"}'])
def test_what_is_no_toml(content, tmp_path):
    (tmp_path / "odd.toml").write_bytes(content)
    with pytest.raises(CascadeError, match=r"odd\.toml is no TOML file: "):
        load_recipe(tmp_path / "odd.toml")


def test_what_cannot_be_read(tmp_path):
    with pytest.raises(CascadeError, match=r"cannot read recipe .*none\.toml: No such file"):
        load_recipe(tmp_path / "none.toml")
    with pytest.raises(CascadeError, match=r"cannot read recipe .*: Is a directory"):
        load_recipe(tmp_path)


@pytest.mark.parametrize("changes", [{"rounds": 0}, {"code": "bb73"}, {"noise": {"model": "pink"}}])
def test_the_command_exits_with_2_and_writes_nothing(changes, tiny_file, tmp_path, capsys):
    out = tmp_path / "run"
    assert main(["train", str(tiny_file(**changes)), "--out", str(out)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("Error: recipe ")
    assert captured.err.count("\n") == 1
    assert not out.exists()


def test_differences_name_the_fields(tiny):
    other = tiny(seed=8, noise={"p": 0.005}, validation={"p": [0.003]})
    assert tiny().differences(tiny()) == []
    assert tiny().differences(other) == [
        "seed = 8 instead of 7",
        "noise.p = 0.005 instead of 0.006",
        "validation.p = [0.003] instead of [0.003, 0.005]",
    ]
    in_segments = tiny(network=tiny().network.model_dump() | {"segment_rounds": 3})
    assert in_segments.differences(tiny()) == ["network.segment_rounds = None instead of 3"]
    assert tiny().differences(in_segments) == ["network.segment_rounds = 3 instead of None"]


class TestNoise:
    def test_hold_ramp_hold(self):
        noise = NoiseCurriculum(p=0.006, start=0.002, hold_steps=10, ramp_steps=4)
        assert [noise.rate(step, 0.5) for step in (0, 9, 10)] == [0.002] * 3
        assert [noise.rate(step, 0.5) for step in (11, 12, 13)] == pytest.approx([0.003, 0.004, 0.005])
        assert [noise.rate(step, 0.5) for step in (14, 10**6)] == [0.006] * 2
        assert noise.ramp_end == 14

    def test_without_hold_and_ramp(self):
        assert NoiseCurriculum(p=0.006, start=0.002).rate(0, 0.5) == 0.006
        assert NoiseCurriculum(p=0.006, start=0.002, ramp_steps=2).rate(0, 0.5) == 0.002
        stepwise = NoiseCurriculum(p=0.006, start=0.002, hold_steps=2)
        assert [stepwise.rate(step, 0.5) for step in (1, 2)] == [0.002, 0.006]

    def test_log_uniform_after_the_ramp(self):
        noise = NoiseCurriculum(p=0.004, start=0.002, hold_steps=1, ramp_steps=2, log_uniform_from=0.001)
        assert [noise.rate(step, uniform) for step, uniform in ((0, 0.9), (2, 0.9))] == pytest.approx([0.002, 0.003])
        assert [noise.rate(3, uniform) for uniform in (0.0, 0.5, 1.0)] == pytest.approx([0.001, 0.002, 0.004])
