"""The studies of small networks: what they train, what it costs, and that they go on where they were stopped."""

import pytest

from cascade_qec.tables import read_rows
from cascade_qec.training import Trainer
from workshop.studies import depths, mixers, small_runs
from workshop.studies.small_runs import Row, Run, final, macs_per_shot, pooled, recipe, trained


@pytest.fixture
def runs():
    network = {"width": 8, "depth": 1, "bottleneck": 2}
    found = []
    for mixer in ("convolution", "full_attention"):
        made = recipe(mixer, "surface_d3", 1, network | {"mixer": mixer}, steps=4)
        brief = made.validation.model_copy(update={"shots": 64, "statistics_batches": 2})
        found.append(Run(mixer, made.model_copy(update={"validation": brief}), mixer))
    return found


def test_mixers_are_of_one_size_and_differ_in_nothing_else():
    runs = mixers.runs()
    assert len({run.recipe.name for run in runs}) == len(runs) == 16
    sizes = {run.label: run.recipe.description().parameters() for run in runs}
    assert max(sizes.values()) < 1.2 * min(sizes.values())
    first = runs[0].recipe
    for run in runs:
        same = {"name": first.name, "seed": first.seed, "network": first.network, "optimizer": first.optimizer}
        assert run.recipe.model_copy(update=same) == first
        assert (run.recipe.network.width, run.recipe.network.depth) == (first.network.width, first.network.depth)
    costs = {run.label: macs_per_shot(run) for run in runs}
    sites = 24 * 3  # checks of d = 5, times one slice more than rounds
    assert costs["convolution"] == 4 * sites * (2 * 16 * 4 + 27 * 4**2)
    assert costs["local_attention"] == 4 * sites * (2 * 16 * 8 + 4 * 8**2 + 2 * 27 * 8)
    assert costs["full_attention"] == 4 * sites * (2 * 16 * 8 + 4 * 8**2 + 2 * sites * 8)


def test_depths_differ_in_depth_alone():
    runs = depths.runs()
    assert len({run.recipe.name for run in runs}) == len(runs)
    assert {run.recipe.network.depth for run in runs if run.recipe.code == "surface_d5"} == set(depths.DEPTHS)
    same = [run.recipe.network.model_copy(update={"depth": 1}) for run in runs]
    assert all(network == same[0] for network in same)


def test_a_stopped_study_goes_on_and_ends_as_one_that_was_not(runs, tmp_path):
    run = runs[0]
    assert list(trained(runs, tmp_path / "stopped", minutes=0)) == []
    Trainer(run.recipe, tmp_path / "stopped" / "convolution", workers=0).run(minutes=0)  # a single step
    (started,) = trained(runs, tmp_path / "stopped", minutes=0)
    assert [row.training_shots for row in started] == [64]
    found = list(trained([run], tmp_path / "stopped", minutes=10))
    assert found == list(trained([run], tmp_path / "whole", minutes=10))
    assert [row.training_shots for row in found[0]] == [64, 128, 192, 256]
    assert all(row.training_macs == 3 * row.training_shots * macs_per_shot(run) for row in found[0])


def test_the_command_writes_a_table_with_rivals(runs, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["study", "--runs", str(tmp_path / "runs"), "--out", str(tmp_path / "table.csv")])
    monkeypatch.setattr(small_runs, "RIVAL_SHOTS", 100)
    small_runs.study("What it asks.", tmp_path / "other.csv", runs, ["pymatching"])
    rows = read_rows(tmp_path / "table.csv", Row)
    assert [row.decoder for row in rows] == ["pymatching"] + 4 * ["convolution"] + 4 * ["full_attention"]
    assert "full_attention         surface_d3, rate 0.03, 256 training shots, 1 seeds: " in capsys.readouterr().out


def test_final_rows_are_those_of_the_longest_runs():
    facts = {"code": "surface_d3", "rounds": 2, "p": 0.1, "hardware": "", "versions": "", "commit": ""}
    rows = [
        Row(decoder="a", seed=seed, muon_lr=0.03, training_shots=seen, shots=100, failures=failed, **facts)
        for seed, seen, failed in ((1, 64, 20), (1, 128, 10), (2, 64, 18), (2, 128, 14), (3, 64, 30))
    ]
    rival = Row(decoder="b", seed=1, shots=100, failures=9, **facts)
    assert final([rival, *rows]) == [rival, rows[1], rows[3]]
    assert pooled(final(rows)).value == 0.12
