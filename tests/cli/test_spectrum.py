import csv
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from cascade_qec.cli.spectrum import spectrum
from cascade_qec.errors import CascadeError

app = typer.Typer()
app.command()(spectrum)

MATCHING = ["--decoder", "pymatching", "--code", "surface_d3", "--p", "0.004", "--p", "0.0001"]


def _run(*arguments: object) -> str:
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.output


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_tables_are_written_and_counts_add_up(tmp_path):
    out = tmp_path / "rare"
    text = _run(*MATCHING, "--seconds", 0.5, "--seed", 3, "--out", out)
    assert "pymatching on surface_d3, 3 rounds, basis Z" in text
    first, rates = _rows(out / "spectrum.csv"), _rows(out / "rare.csv")
    assert [row["p"] for row in rates] == ["0.0001", "0.004"]
    for row in rates:
        low, value, high = (float(row[f"block_error{end}"]) for end in ("_low", "", "_high"))
        assert 0 < low < value < high < 0.05
    assert first[1]["exact"] == "True"
    _run(*MATCHING, "--seconds", 0.5, "--seed", 3, "--out", out)
    second = _rows(out / "spectrum.csv")
    assert len(second) == len(first)
    assert sum(int(row["shots"]) for row in second) > sum(int(row["shots"]) for row in first)
    with pytest.raises(CascadeError, match="seed = 4 to add to, found 3"):
        _run(*MATCHING, "--seconds", 0.5, "--seed", 4, "--out", out)


def test_each_strength_by_itself_beside_another_run(tmp_path):
    _run(*MATCHING, "--seconds", 0.4, "--out", tmp_path)
    _run(*MATCHING, "--seconds", 0.4, "--separate", "--basis", "X", "--out", tmp_path)
    rows = _rows(tmp_path / "rare.csv")
    assert [(row["basis"], row["p"], row["sampled_at"]) for row in rows] == [
        ("Z", "0.0001", "0.004"),
        ("Z", "0.004", "0.004"),
        ("X", "0.0001", "0.0001"),
        ("X", "0.004", "0.004"),
    ]


def test_models_name_their_weights(tmp_path):
    _run("--model", "surface_d3", "--p", 0.003, "--seconds", 0.5, "--enumerate", 0, "--out", tmp_path)
    (row,) = _rows(tmp_path / "rare.csv")
    assert (row["decoder"], row["code"], row["rounds"]) == ("cascade:surface_d3", "surface_d3", "3")
    assert row["parameters"].startswith("weights=sha256:")
    assert float(row["block_error_low"]) < 0.02


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--p", 0.1], "either --model or --decoder"),
        ([*MATCHING, "--model", "surface_d3"], "either --model or --decoder"),
        (["--decoder", "pymatching", "--p", 0.1], "--code"),
        (["--model", "surface_d3", "--noise", "si1000", "--p", 0.1], "a model has its own"),
        (["--decoder", "nobody", "--code", "surface_d3", "--p", 0.1], "nobody"),
        ([*MATCHING, "--p", 0], "between 0 and 1"),
    ],
)
def test_wrong_input_is_refused_with_nothing_written(tmp_path, arguments, message):
    with pytest.raises(CascadeError, match=message):
        _run(*arguments, "--out", tmp_path / "rare")
    assert not (tmp_path / "rare").exists()


def test_folder_must_not_be_a_file(tmp_path):
    (tmp_path / "rare").write_text("")
    with pytest.raises(CascadeError, match="expected a folder"):
        _run(*MATCHING, "--out", tmp_path / "rare")
