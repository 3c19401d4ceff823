"""`cascade plot`: files for tables, or one error and no file."""

from pathlib import Path

import pytest

from cascade_qec import cli
from cascade_qec.evaluation import Row
from cascade_qec.evaluation.rare_events.results import SpectrumRow
from cascade_qec.tables import columns, write_rows


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "rates.csv"
    rows = [
        Row(
            code=code,
            p=p,
            rounds=3,
            bases="ZX",
            k=1,
            decoder=decoder,
            shots=1000,
            failures=7,
            microseconds_per_shot=1.0,
            seed=0,
        )
        for code in ("surface_d3", "surface_d5")
        for decoder in ("cascade", "pymatching")
        for p in (0.001, 0.002)
    ]
    write_rows(path, rows)
    return path


def _plot(*arguments: str | Path) -> int:
    return cli.main(["plot", *map(str, arguments)])


def test_several_files(table, tmp_path, capsys):
    out = [tmp_path / f"rates.{suffix}" for suffix in ("png", "svg", "pdf")]
    flags = [flag for path in out for flag in ("--out", path)]
    assert _plot("rates", table, *flags, "--per", "cycle", "--basis", "XZ", "--title", "Rates") == 0
    assert all(path.stat().st_size > 1000 for path in out)
    assert capsys.readouterr().out.splitlines() == [f"Figure: {path}" for path in out]


def test_the_kind_of_prediction_can_be_chosen(tmp_path, capsys):
    path = tmp_path / "reliability.csv"
    columns = "decoder,code,p,rounds,basis,of,bin_low,bin_high,shots,confidence,correct,error_of_fraction,seed\n"
    path.write_text(columns + "bposd,bb72,0.003,6,Z,flip,0.1,0.2,1000,0.15,140,0.01,1\n")
    out = tmp_path / "reliability.svg"
    assert _plot("reliability", path, "--out", out) == 2
    assert "expected rows of shot with shots to plot, got flip" in capsys.readouterr().err
    assert _plot("reliability", path, "--of", "flip", "--out", out) == 0
    assert out.stat().st_size > 1000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["rates", "{table}", "--code", "bb90"], "none is left of 8 by --code bb90"),
        (["spectrum", "{table}"], "expected the columns"),
        (["post-selection", "{table}"], "threshold"),
        (["spectrum", "{table}", "--per", "block"], "spectrum: expected no per"),
        (["rates", "{table}", "--of", "flip"], "rates: expected no of"),
        (["rates", "missing.csv"], "missing.csv: expected a file to read"),
        (["rates", "{table}", "--out", "{folder}/missing/x.svg"], "expected a directory to write into"),
        (["rates", "{table}", "--out", "{folder}/x.xyz"], "got '.xyz'"),
    ],
)
def test_bad_input_is_one_error_and_no_file(arguments, message, table, tmp_path, capsys):
    folder = tmp_path / "out"
    folder.mkdir()
    filled = [text.format(table=table, folder=folder) for text in arguments]
    assert _plot(*filled, "--out", folder / "figure.png") == 2
    error = capsys.readouterr().err
    assert message in error
    assert len(error.strip().splitlines()) == 1
    assert list(folder.iterdir()) == []


def test_empty_table(tmp_path, capsys):
    path = tmp_path / "empty.csv"
    path.write_text("")
    assert _plot("rates", path, "--out", tmp_path / "x.png") == 2
    assert "found an empty file" in capsys.readouterr().err


def test_unknown_figures_are_usage_errors(table, tmp_path, capsys):
    assert _plot("circle", table, "--out", tmp_path / "x.png") == 2
    assert "post" in capsys.readouterr().err


def test_rows_of_a_table_with_only_a_header(tmp_path, capsys):
    path = tmp_path / "spectrum.csv"
    path.write_text(",".join(columns(SpectrumRow)) + "\n")
    assert _plot("spectrum", path, "--out", tmp_path / "x.png") == 2
    assert "at least one row" in capsys.readouterr().err
