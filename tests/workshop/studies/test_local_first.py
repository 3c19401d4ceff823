"""The study of local labels first: one budget for all, trunks that go on, and a table of what is done."""

import time

import pytest
import torch

from cascade_qec.nn import load_network
from cascade_qec.tables import read_rows
from workshop.studies import local_first
from workshop.studies.local_first import Plan, Row, Run, ends, lines, recipe, runs, train

TRUNK = "surface_d3_local_first_1_trunk"


@pytest.fixture
def small(monkeypatch):
    plan = Plan(
        budget=24,
        batch=2,
        p=0.006,
        decoded_p=0.005,
        decoded=60,
        seeds=(1,),
        shipped="local_surface_fast",
        network={"width": 32, "depth": 4},
    )
    monkeypatch.setattr(local_first, "PLANS", {"surface_d3": plan})
    monkeypatch.setattr(local_first, "recipe", brief)
    monkeypatch.setattr(local_first, "STEPS", 1)


def brief(code, head, shots, **others):
    made = recipe(code, head, shots, **others)
    validation = made.validation.model_copy(update={"shots": 20, "statistics_batches": 1})
    return made.model_copy(update={"validation": validation})


def test_arms_spend_one_budget_and_differ_in_their_labels_alone():
    found = runs()
    names = [stretch.name for run in found for stretch in run.stretches]
    assert len(set(names)) == len(names)
    for run in found:
        spent = sum(stretch.optimizer.steps * stretch.shots_per_step for stretch in run.stretches)
        assert spent == local_first.PLANS[run.code].budget
        first = Run(run.code, "logical", run.seed).stretches[0]
        for stretch in run.stretches:
            assert (stretch.network, stretch.batch) == (first.network, first.batch)
            assert stretch.optimizer.model_copy(update={"steps": 0, "warmup_steps": 0}) == first.optimizer.model_copy(
                update={"steps": 0, "warmup_steps": 0}
            )
    assert {run.arm for run in found if run.code == "bb72"} == {"logical", "local first"}


def test_a_logical_head_goes_on_from_the_local_trunk_and_the_table_has_every_arm(small, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["study", "--runs", str(tmp_path), "--out", str(tmp_path / "table.csv")])
    local_first.main()
    assert "| surface_d3 | local first | 8 + 16 |" in capsys.readouterr().out
    rows = read_rows(tmp_path / "table.csv", Row)
    assert [(row.arm, row.local_shots + row.logical_shots) for row in ends(rows)] == [
        ("logical", 24),
        ("local head", 8),
        ("local first", 24),
        ("shipped trunk", 24),
    ]
    logical, _, first, shipped = ends(rows)
    assert logical.alone == logical.others_alone == 0
    assert logical.failures + (first.alone or 0) == first.failures + (first.others_alone or 0)
    assert shipped.trunk_shots > 24 > first.trunk_shots == 0
    assert len(lines(rows)) == 2 + 4
    assert f"{TRUNK}.safetensors" in (tmp_path / "surface_d3_local_first_1" / "run.json").read_text()
    trunk, end, other = (
        load_network(tmp_path / run / f"{run}.safetensors")[0].trunk.state_dict()["blocks.0.down.weight"]
        for run in (TRUNK, "surface_d3_local_first_1", "surface_d3_logical_1")
    )
    assert torch.dist(trunk, end) < torch.dist(trunk, other)


def test_without_time_nothing_is_done(small, tmp_path):
    assert not train(Run("surface_d3", "logical", 1), tmp_path, time.monotonic())
    assert list(tmp_path.iterdir()) == []
