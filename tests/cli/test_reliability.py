"""``cascade reliability`` with an untrained model: its tables, and going on with them."""

import csv
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from cascade_qec.cli.reliability import reliability
from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.reliability import run
from cascade_qec.evaluation.reliability.measurement import CURVE

FILES = ("reliability.csv", "calibration.csv", "post_selection.csv")
RIVALS = ("--rival", "gap", "--rival", "correlated-gap", "--rival", "lsd")
OPTIONS = ("--rounds", "3", "--shots", "299", "--p", "0.003", "--p", "0.006", "--discard", "0.03", "--seed", "4")


def _run(*arguments: str | Path) -> str:
    app = typer.Typer()
    app.command()(reliability)
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if result.exception is not None:
        raise result.exception
    return result.output


def _rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text().splitlines()))


def test_tables(tiny_model, tmp_path):
    out = tmp_path / "new" / "folder"
    printed = _run(tiny_model, *OPTIONS, "--basis", "Z", "--basis", "X", *RIVALS, "--out", out)
    reliability, calibration, post_selection = (_rows(out / name) for name in FILES)

    settings = [("0.003", "X"), ("0.003", "Z"), ("0.006", "X"), ("0.006", "Z")]
    model, *soft = "cascade:surface_d3_untrained", "pymatching-filtered", "pymatching-correlated-gap"
    assert [(r["p"], r["basis"], r["decoder"], r["of"]) for r in calibration] == [
        (*setting, decoder, of)
        for setting in settings
        for decoder in (model, *soft)
        for of in ("flip", "observable", "shot")
    ]
    methods = [
        (model, "confidence"),
        *((decoder, "gap") for decoder in soft),
        ("bplsd-clusters-filtered", "cluster size"),
        ("bplsd-clusters-filtered", "cluster LLR"),
    ]
    assert [(r["p"], r["basis"], r["decoder"], r["method"], float(r["discard"])) for r in post_selection] == [
        (*setting, *method, rate) for setting in settings for method in methods for rate in sorted({*CURVE, 0.03})
    ]
    for row in calibration:
        assert (row["code"], row["rounds"], row["shots"], row["seed"]) == ("surface_d3", "3", "300", "4")
        assert float(row["ece_low"]) <= float(row["ece"]) <= float(row["ece_high"])
        parts = [float(row[name]) for name in ("reliability", "uncertainty", "within_bins", "resolution")]
        assert float(row["brier"]) == pytest.approx(sum(parts[:3]) - parts[3])
        here = [r for r in reliability if all(r[key] == row[key] for key in ("p", "basis", "decoder", "of"))]
        assert sum(int(r["shots"]) for r in here) == 300
        right = sum(int(r["correct"]) for r in here)
        if row["of"] == "shot":
            assert right == 300 - int(row["failures"])
        for r in here:
            assert float(r["bin_low"]) <= float(r["confidence"]) <= float(r["bin_high"])
    for row in post_selection:
        assert row["shots"] == "150"
        assert float(row["block_error_low"]) <= float(row["block_error"]) <= float(row["block_error_high"])
        if float(row["discard"]) == 0:
            assert row["accepted"] == "150"
    assert "bplsd-clusters-filtered: max_iter=30" in printed
    assert "Thresholds chosen on one half" in printed
    assert str(out / "reliability.csv") in printed


def test_killed_run_goes_on(tiny_model, tmp_path, monkeypatch):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    _run(tiny_model, *OPTIONS, "--rival", "gap", "--out", whole)
    measure, calls = run.measure, []

    def killed(*arguments, **options):
        calls.append(options["seed"])
        if len(calls) == 2:
            raise RuntimeError("killed")
        return measure(*arguments, **options)

    monkeypatch.setattr(run, "measure", killed)
    with pytest.raises(RuntimeError, match="killed"):
        _run(tiny_model, *OPTIONS, "--rival", "gap", "--out", cut)
    assert sorted(path.name for path in cut.iterdir()) == sorted(FILES)
    assert {row["p"] for row in _rows(cut / FILES[0])} == {"0.003"}
    # As if the kill had come between the second experiment's files:
    (cut / FILES[0]).write_bytes((whole / FILES[0]).read_bytes())
    with pytest.raises(CascadeError, match=r"without reliability\.csv, or --resume"):
        _run(tiny_model, *OPTIONS, "--rival", "gap", "--out", cut)
    _run(tiny_model, *OPTIONS, "--rival", "gap", "--out", cut, "--resume")
    assert len(calls) == 3
    assert calls[0] != calls[1] == calls[2]
    for name in FILES:
        assert (cut / name).read_bytes() == (whole / name).read_bytes()


def test_other_experiments_are_not_mixed_in(tiny_model, tmp_path):
    _run(tiny_model, *OPTIONS, "--out", tmp_path)
    for other in (("--seed", "5"), ("--shots", "400"), ("--basis", "X")):
        with pytest.raises(CascadeError, match="only experiments that --resume asks for again"):
            _run(tiny_model, *OPTIONS, *other, "--out", tmp_path, "--resume")
    (tmp_path / "calibration.csv").write_text("decoder,code\na,b\n")
    with pytest.raises(CascadeError, match=r"calibration.csv: expected the columns"):
        _run(tiny_model, *OPTIONS, "--out", tmp_path, "--resume")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--rival", "osd"), "unknown rival 'osd': expected one of gap, correlated-gap, lsd"),
        (("--rival", "gap", "--rival", "gap"), "expected each rival once"),
        (("--p", "0"), "rates above 0 and below 1, got 0.0"),
        (("--discard", "1"), "rates above 0 and below 1, got 1.0"),
        (("--basis", "Y"), "expected bases X and Z, got Y"),
    ],
)
def test_bad_input_is_refused(tiny_model, tmp_path, arguments, message):
    out = tmp_path / "out"
    with pytest.raises(CascadeError, match=message):
        _run(tiny_model, *arguments, "--out", out)
    assert not out.exists()


def test_gap_needs_one_observable(tmp_path):
    with pytest.raises(CascadeError, match="1 observable"):
        _run("bb72", "--rival", "gap", "--out", tmp_path / "out")
