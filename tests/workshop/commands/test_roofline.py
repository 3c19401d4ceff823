"""`python -m workshop roofline`: from codes and models to a table of costs."""

from pathlib import Path

import pytest
import typer

from cascade_qec.errors import CascadeError
from workshop.commands.roofline import roofline
from workshop.roofline import read_roofline


def _run(*arguments: str | Path) -> None:
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(roofline)
    app([str(argument) for argument in arguments], standalone_mode=False)


def test_codes_are_printed_and_written(tmp_path: Path, capsys) -> None:
    out = tmp_path / "results" / "roofline.csv"
    _run("surface_d3", "bb72", "--width", "32", "--width", "64", "--depth", "5", "--out", out)
    rows = read_roofline(out)
    assert {(row.code, row.width, row.depth) for row in rows} == {
        (code, width, 5) for code in ("surface_d3", "bb72") for width in (32, 64)
    }
    printed = capsys.readouterr().out
    assert "full attention" in printed
    assert "Edge TPU" in printed
    assert f"Table: {out}" in printed


def test_without_codes_some_are_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workshop.commands.roofline._CODES", ("surface_d5", "bb144"))
    out = tmp_path / "roofline.csv"
    _run("--out", out)
    assert {(row.code, row.width) for row in read_roofline(out)} == {
        (code, width) for code in ("surface_d5", "bb144") for width in (32, 64, 128, 256, 512)
    }


def test_a_model_is_computed_as_it_is(tiny_model: Path, tmp_path: Path) -> None:
    out = tmp_path / "roofline.csv"
    _run("--model", tiny_model, "--out", out)
    rows = read_roofline(out)
    assert {(row.architecture, row.code, row.width, row.depth) for row in rows} == {
        ("convolution", "surface_d3", 16, 2)
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["steane"], "unknown code"),
        (["bb72", "--width", "30"], "positive multiple of 4, got 30"),
        (["--model", "nothing"], "unknown model"),
        (["--model", "bb72", "--width", "64"], "a model has its own"),
    ],
)
def test_bad_input_is_told(arguments: list[str], message: str, tmp_path: Path) -> None:
    out = tmp_path / "roofline.csv"
    with pytest.raises(CascadeError, match=message):
        _run(*arguments, "--out", out)
    assert not out.exists()
