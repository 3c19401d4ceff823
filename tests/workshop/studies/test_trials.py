"""What the studies of trials and of capacity make of trained runs."""

import json
from pathlib import Path

import pytest
import torch

from cascade_qec import zoo
from cascade_qec.errors import CascadeError
from cascade_qec.evaluation import Row
from cascade_qec.evaluation.two_samples import paired_difference
from cascade_qec.model import model_bytes
from cascade_qec.nn import load_network, state_of
from cascade_qec.tables import read_rows
from cascade_qec.training import Recipe, load_recipe
from workshop import CHECKOUT
from workshop.studies import capacity, trials

RECIPE = CHECKOUT / "recipes" / "surface_d3.toml"
RATES = (0.005, 0.02)


@pytest.fixture
def folder(tmp_path):
    """The run of a recipe that saw so many shots, with the shipped weights or others."""

    def written(recipe: Recipe, *, shots: int | None = None, model: bytes | None = None) -> Path:
        run = tmp_path / recipe.name
        run.mkdir()
        session = {"hardware": "a computer", "commit": None, "versions": {}}
        (run / "run.json").write_text(json.dumps({"recipe": recipe.model_dump(mode="json"), "sessions": [session]}))
        shots = recipe.optimizer.steps * recipe.shots_per_step if shots is None else shots
        (run / "metrics.jsonl").write_text(json.dumps({"step": 1, "shots": shots, "seconds": 36.0}) + "\n")
        weights = zoo.path("surface_d3").read_bytes() if model is None else model
        (run / f"{recipe.name}.safetensors").write_bytes(weights)
        return run

    return written


def _contrary() -> bytes:
    """The shipped model, always of the opposite opinion."""
    network, description = load_network(zoo.path("surface_d3"))
    with torch.no_grad():
        network.head.output.neg_()
        network.head.output_bias.neg_()
    return model_bytes(state_of(network), description)


@pytest.fixture
def runs(folder, tmp_path):
    """Three trials of surface_d3: the baseline, its weights once more, and their opposite."""
    recipe = load_recipe(RECIPE)
    found = []
    for name, model in (("baseline", None), ("same", None), ("contrary", _contrary())):
        folder(recipe.model_copy(update={"name": name}), model=model)
        toml = tmp_path / f"{name}.toml"
        toml.write_text(RECIPE.read_text().replace('name = "surface_d3"', f'name = "{name}"'))
        found.append(trials.trained(toml, tmp_path))
    return found


def test_trials_are_compared_on_the_same_shots(runs):
    stored = []
    settings = {"rates": RATES, "shots": 300, "seed": 3, "store": stored.append}
    table = trials.measure(runs, runs[0], [], **settings)
    assert stored == [table[:2], table[:4], table]
    assert [(row.trial, row.p) for row in table] == [(run.recipe.name, p) for run in runs for p in RATES]
    for baseline, same, contrary in zip(table[:2], table[2:4], table[4:], strict=True):
        assert baseline.shots == 600  # of both bases
        assert 0 < baseline.failures < 300
        assert (same.failures, same.alone, same.baseline_alone) == (baseline.failures, 0, 0)
        assert contrary.alone == contrary.failures == 600 - baseline.failures
        assert contrary.baseline_alone == baseline.failures
        assert contrary.difference == paired_difference(contrary.failures, baseline.failures, 600)
        assert baseline.difference is None
        assert contrary.difference.value == pytest.approx(1 - 2 * baseline.failures / 600)
        assert contrary.shots_per_second == pytest.approx(8000 * 512 / 36, abs=0.1)
        assert contrary.parameters == sum(p.numel() for p in load_network(runs[2].model)[0].parameters())


def test_what_stands_in_the_table_is_not_decoded_again(runs):
    stored = []
    settings = {"rates": RATES, "shots": 50, "seed": 3, "store": stored.append}
    table = trials.measure(runs[:2], runs[0], [], **settings)
    stored.clear()
    assert trials.measure(runs[:2], runs[0], table, **settings) == table
    assert stored == []
    # a further trial is added, one with other weights or other shots is replaced; the others stay
    more = trials.measure([runs[2]], runs[0], table, **settings)
    assert more[:4] == table
    assert [row.trial for row in more[4:]] == ["contrary"] * 2
    again = trials.measure([runs[1]], runs[0], table, **settings | {"seed": 4})
    assert [(row.trial, row.seed) for row in again] == [("baseline", 3)] * 2 + [("same", 4)] * 2
    assert len(stored) == 2


def test_only_complete_runs_of_the_recipe_are_compared(folder, tmp_path):
    recipe = load_recipe(RECIPE)
    with pytest.raises(CascadeError, match="expected the folder of a training run"):
        trials.trained(RECIPE, tmp_path)
    run = folder(recipe, shots=512)
    with pytest.raises(CascadeError, match="expected a run of 4096000 shots, it has seen 512: resume it"):
        trials.trained(RECIPE, tmp_path)
    other = tmp_path / "other.toml"
    other.write_text(RECIPE.read_text().replace("seed = 1", "seed = 2"))
    with pytest.raises(CascadeError, match=r"expected a run of .*other\.toml, got one with seed = 1 instead of 2"):
        trials.trained(other, tmp_path)
    (run / "metrics.jsonl").write_text('{"step": 8000, "shots": 4096000, "seconds": 3.6}\n')
    (run / "surface_d3.safetensors").unlink()
    with pytest.raises(CascadeError, match=r"expected the model surface_d3\.safetensors, found none"):
        trials.trained(RECIPE, tmp_path)


def test_trials_of_another_code_are_refused(runs):
    recipe = runs[0].recipe.model_copy(update={"code": "surface_d5", "name": "larger"})
    larger = trials.Trained(recipe, runs[0].model, 1, 1.0)
    with pytest.raises(CascadeError, match=r"baseline is of \('surface_d3', 3, 'ZX'\), larger of \('surface_d5'"):
        trials.measure([larger], runs[0], [], rates=RATES, shots=10, seed=1, store=print)


def test_capacity_goes_on_where_it_stopped(runs, tmp_path):
    fill, out = capacity.fill, tmp_path / "capacity.csv"
    rates = (0.004, 0.006)  # stronger noise than that of training comes with a warning
    settings = {"rates": rates, "failures": 5, "rival_shots": 400, "seed": 2}
    fill(runs[:1], out, **settings)
    rows = read_rows(out, Row)
    rivals = ["pymatching", "pymatching-correlated", "tesseract"]
    assert [(row.decoder, row.p) for row in rows] == [
        (decoder, p) for decoder in [*rivals, "cascade:surface_d3_H64"] for p in rates
    ]
    assert all(row.shots == 400 for row in rows[:6])
    assert all(row.failures >= 5 for row in rows[6:])
    before = out.read_bytes()
    fill(runs[:1], out, **settings)
    assert out.read_bytes() == before  # times and all
    fill(runs[2:], out, **settings)  # other weights of the same width
    assert read_rows(out, Row)[:6] == rows[:6]
    assert [row.decoder for row in read_rows(out, Row)[6:]] == ["cascade:surface_d3_H64"] * 2
    assert read_rows(out, Row)[6].parameters != rows[6].parameters
    with pytest.raises(CascadeError, match="expected models of one experiment, each of another width, got 2"):
        fill(runs[:2], out, **settings)
