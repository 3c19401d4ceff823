"""`python -m workshop card`: from a training run to weights, card and table."""

import json
from pathlib import Path

import pytest

from cascade_qec import cli
from cascade_qec.decoders.cascade import CascadeDecoder
from cascade_qec.decoders.loading import load
from cascade_qec.evaluation import model_guards
from cascade_qec.evaluation.tables import Row
from cascade_qec.tables import read_rows
from cascade_qec.training import load_recipe
from cascade_qec.training.trainer import Trainer
from cascade_qec.zoo.card import Card
from workshop.app import main

RECIPE = """
name = "tiny"
code = "surface_d3"
rounds = 3
seed = 5
[network]
width = 8
depth = 1
convolution = "direct"
[noise]
p = 0.02
start = 0.01
[optimizer]
steps = 3
[batch]
shots = 16
[validation]
shots = 32
statistics_batches = 2
"""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(model_guards, "_SHOTS", 400)
    recipe = tmp_path / "tiny.toml"
    recipe.write_text(RECIPE)
    Trainer(load_recipe(recipe), tmp_path / "run", workers=0).run()
    return tmp_path / "run"


def _card(run: Path, *flags: str) -> int:
    folder = run.parent
    where = ["--out", str(folder / "models"), "--results", str(folder / "results")]
    return main(["card", str(run), *where, "--failures", "20", "--p", "0.02", "--p", "0.005", *flags])


def test_weights_card_and_table_agree(run: Path) -> None:
    assert _card(run, "--rival", "pymatching=5") == 0
    card = Card.read(run.parent / "models" / "tiny.json")
    rows = read_rows(run.parent / "results" / "tiny.csv", Row)
    assert [(row.p, row.decoder) for row in rows] == [
        (0.005, "cascade"),
        (0.005, "pymatching"),
        (0.02, "cascade"),
        (0.02, "pymatching"),
    ]
    assert [(m.shots, m.failures) for m in card.measurements] == [(row.shots, row.failures) for row in rows[::2]]
    assert [(m.shots, m.failures) for m in card.rivals] == [(row.shots, row.failures) for row in rows[1::2]]
    assert all(m.failures >= 20 for m in card.measurements)
    assert card.shots == 3 * 16 * 2
    assert card.recipe["seed"] == card.seed == 5
    assert load(run.parent / "models" / "tiny.safetensors").description.name == "tiny"


def test_rivals_of_an_earlier_table_are_kept(run: Path) -> None:
    assert _card(run, "--rival", "pymatching=5") == 0
    before = read_rows(run.parent / "results" / "tiny.csv", Row)
    assert _card(run, "--keep_rivals", "--seed", "7") == 0
    after = read_rows(run.parent / "results" / "tiny.csv", Row)
    assert [row for row in after if row.decoder == "pymatching"] == [r for r in before if r.decoder == "pymatching"]
    assert {row.seed for row in after if row.decoder == "cascade"} == {7}


def test_shots_are_added_to_those_of_an_earlier_table(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = run.parent / "results" / "tiny.csv"
    counts = []
    for flags in (["--seed", "1"], ["--seed", "2"], ["--seed", "2", "--keep_rivals"], ["--seed", "1", "--keep_rivals"]):
        status = _card(run, "--rival", "pymatching=5", *flags)
        counts.append({r.p: (r.shots, r.failures) for r in read_rows(table, Row) if r.decoder == "pymatching"})
        if flags == ["--seed", "2", "--keep_rivals"]:  # the same shots once more
            assert status == 2
            assert "another --seed" in capsys.readouterr().err
            assert counts[2] == counts[1]
        else:
            assert status == 0
    first, second, _, both = counts
    assert both == {p: (first[p][0] + second[p][0], first[p][1] + second[p][1]) for p in first}


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _card(tmp_path / "nothing") == 2
    assert "folder of a training run" in capsys.readouterr().err
    (tmp_path / "bare").mkdir()
    CascadeDecoder.untrained("surface_d3", width=8, depth=1).save(tmp_path / "bare" / "tiny.safetensors")
    assert _card(tmp_path / "bare") == 2
    assert "run.json" in capsys.readouterr().err
    assert not (tmp_path / "models").exists()
    assert not (tmp_path / "results").exists()


def test_a_rival_needs_its_seconds(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _card(run, "--rival", "pymatching") == 2
    assert "NAME=SECONDS" in capsys.readouterr().err
    assert json.loads((run / "run.json").read_text())["recipe"]["name"] == "tiny"


def test_what_cannot_be_is_refused_before_anything_is_measured(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _card(run, "--p", "0") == 2
    assert "--p: expected noise rates above 0, got" in capsys.readouterr().err
    (tmp_path / "models").touch()
    assert _card(run) == 2
    told = capsys.readouterr().err
    assert "models: expected a folder to write to, found the file" in told
    assert "measuring" not in told


def test_rivals_of_a_collection_stand_where_they_have_more_shots(run: Path, tmp_path: Path) -> None:
    counts = ["collect", "--codes", "surface_d3", "--p", "0.005,0.02", "--decoders", "pymatching"]
    out = tmp_path / "collection.csv"
    assert (
        cli.main([*counts, "--max_shots", "20000", "--max_errors", "100000", "--processes", "1", "--out", str(out)])
        == 0
    )
    assert _card(run, "--rival", "pymatching=0.01", "--collection", str(out)) == 0
    rows = read_rows(run.parent / "results" / "tiny.csv", Row)
    assert [(row.p, row.shots) for row in rows if row.decoder == "pymatching"] == [(0.005, 40_000), (0.02, 40_000)]
    card = Card.read(run.parent / "models" / "tiny.json")
    assert [rival.shots for rival in card.rivals] == [40_000, 40_000]


def test_local_models_are_measured_on_other_codes(run: Path, tmp_path: Path, capsys) -> None:
    assert _card(run, "--code", "surface_d5") == 2
    assert "--code: tiny decodes surface_d3 alone, got surface_d5" in capsys.readouterr().err
    recipe = tmp_path / "local.toml"
    recipe.write_text(RECIPE.replace("seed = 5", 'seed = 5\nhead = "local"'))
    Trainer(load_recipe(recipe), tmp_path / "local", workers=0).run()
    assert _card(tmp_path / "local", "--code", "surface_d5", "--code", "surface_d3") == 0
    card = Card.read(tmp_path / "models" / "tiny.json")
    assert [(row.code, row.rounds, row.p) for row in card.measurements] == [
        (None, 3, 0.005),
        ("surface_d5", 5, 0.005),
        (None, 3, 0.02),
        ("surface_d5", 5, 0.02),
    ]
    rows = read_rows(tmp_path / "results" / "tiny.csv", Row)
    assert {(row.code, row.p): row.shots for row in rows} == {
        (row.code or "surface_d3", row.p): row.shots for row in card.measurements
    }
