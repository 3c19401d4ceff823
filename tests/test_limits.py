"""Numbers that are too large are refused in a sentence, before any work."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import typer.main
from pydantic import BaseModel, ValidationError

import cascade_qec as cascade
from cascade_qec import CascadeError, circuits, codes, kernels, limits
from cascade_qec.cli import app, main
from cascade_qec.evaluation.collection.plan import Plan, make_plan
from cascade_qec.lattice import Lattice
from cascade_qec.model import NetworkSettings
from cascade_qec.training.recipe import Recipe
from cascade_qec.zoo import registry
from cascade_qec.zoo.card import Card


def options(command: Any) -> Iterator[Any]:
    """Options of a command and of those under it."""
    yield from command.params
    for below in getattr(command, "commands", {}).values():
        yield from options(below)


def test_options_that_take_whole_numbers_say_the_most():
    every = list(options(typer.main.get_command(app)))
    whole = [each for each in every if each.min is not None or each.type_descriptor.annotation in (int, list[int])]
    assert len(whole) > 20
    assert not [each.opts for each in whole if each.max is None]


@pytest.mark.parametrize("model", [Recipe, Plan])
def test_every_whole_number_of_a_file_has_a_most(model: type[BaseModel]):
    without = re.findall(r'\{[^{}]*"integer"[^{}]*\}', json.dumps(model.model_json_schema()))
    assert without
    assert not [field for field in without if '"maximum"' not in field]


@pytest.mark.parametrize(
    ("work", "message"),
    [
        (lambda: circuits.memory(codes.get("surface_d3"), rounds=10**10), "at most 1,000,000,000 rounds"),
        (lambda: Lattice(codes.get("surface_d3"), rounds=10**12, basis="Z"), "at most 10,000 rounds"),
        (lambda: Lattice(codes.get("bb144"), rounds=9000, basis="Z"), "100,000 detectors, got 1,296,000 of bb144 in"),
        (lambda: codes.get("surface_d9999"), "a distance of at most 101, got 9999"),
        (
            lambda: cascade.load("surface_d3", device="cpu", allow_unmeasured=True).bind(rounds=10**9, basis="Z"),
            "at most 10,000 rounds, got 1,000,000,000",
        ),
        (
            lambda: make_plan({"experiments": [{"codes": ["surface_d3"], "p": [0.01], "rounds": [10**9]}]}, "plan"),
            "less than or equal to 10000",
        ),
    ],
)
def test_too_many(work, message):
    with pytest.raises(CascadeError, match=message) as refused:
        work()
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("size", [{"width": 10**6, "depth": 4}, {"width": 64, "depth": 10**9}])
def test_networks(size):
    with pytest.raises(ValidationError, match="less than or equal to"):
        NetworkSettings(convolution="direct", **size)
    with pytest.raises(ValidationError, match="at most 1,000,000,000 weights, got up to 37,580,963,840"):
        NetworkSettings(width=limits.WIDTH, depth=limits.DEPTH, convolution="direct")


def test_rounds_of_a_card(tmp_path):
    card = json.loads(registry.card("surface_d3").model_dump_json())
    card["rounds"] = [10**12]
    (tmp_path / "card.json").write_text(json.dumps(card))
    with pytest.raises(CascadeError, match=r"rounds.0: Input should be less than or equal to 10000"):
        Card.read(tmp_path / "card.json")


RECIPE = """
name = "large"
code = "surface_d3"
rounds = 3
network = {{ width = 8, depth = 1, convolution = "direct" }}
noise = {{ p = 0.006, start = 0.002 }}
optimizer = {{ steps = {steps} }}
batch = {{ shots = {shots} }}
"""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["decode", "--model", "surface_d3", "--rounds", "1000000000", "--in", "s.b8", "--out", "p.b8"], "--rounds"),
        (
            ["collect", "--codes", "surface_d3", "--p", "0.01", "--rounds", "1000000000", "--decoders", "pymatching"],
            "less than or equal to 10000",
        ),
        (["train", "shots.toml", "--device", "cpu"], "batch.shots: Input should be less than or equal to 131072"),
        (["train", "steps.toml", "--device", "cpu"], "optimizer.steps: Input should be less than"),
        (["train", "small.toml", "--device", "cpu", "--minutes", "inf"], "--minutes"),
        (
            ["train", "small.toml", "--device", "cpu", "--kernels", "triton"],
            "expected a CUDA device for the kernels 'triton', got cpu",
        ),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, list) else "",
)
def test_on_the_command_line(arguments, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TRITON_INTERPRET", raising=False)
    (tmp_path / "shots.toml").write_text(RECIPE.format(steps=10, shots=10**12))
    (tmp_path / "steps.toml").write_text(RECIPE.format(steps=10**18, shots=4))
    (tmp_path / "small.toml").write_text(RECIPE.format(steps=10, shots=4))
    before = sorted(tmp_path.rglob("*"))
    assert main([*arguments, *(["--out", "rows.csv"] if arguments[0] == "collect" else [])]) == 2
    told = capsys.readouterr().err
    assert message in told
    assert "Traceback" not in told
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("size", ["2", "many"])
def test_one_process_of_several_alone(size, tmp_path, monkeypatch, capsys):
    (tmp_path / "small.toml").write_text(RECIPE.format(steps=10, shots=4))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WORLD_SIZE", size)
    for name in ("RANK", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)
    assert main(["train", "small.toml", "--device", "cpu"]) == 2
    told = capsys.readouterr().err
    assert f"got WORLD_SIZE={size} without RANK, LOCAL_RANK, MASTER_ADDR, MASTER_PORT" in told


def test_kernels_that_a_device_cannot_run(monkeypatch):
    monkeypatch.delenv("TRITON_INTERPRET", raising=False)
    with kernels.use("triton"), pytest.raises(CascadeError, match="expected a CUDA device"):
        kernels.backend("cpu")
