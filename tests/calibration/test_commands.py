"""``cascade calibration``."""

import csv
import json

import numpy as np
import pytest

from cascade_calibration import bench, simulation
from cascade_qec.cli import main


@pytest.fixture
def file(tmp_path):
    rng = np.random.default_rng(3)
    simulation.get("t1").draw("window too short", 10, rng).measurement.save(tmp_path / "t1.nc")
    return tmp_path / "t1.nc"


def test_diagnose_prints_a_screen_and_draws_a_figure(file, tmp_path, capsys):
    assert main(["calibration", "diagnose", str(file), "--figure", str(tmp_path / "t1.png")]) == 0
    shown = capsys.readouterr().out
    for part in ("WINDOW_TOO_SHORT", "T1 ", "measure next", "delay from 0 to"):
        assert part in shown
    assert len(shown.splitlines()) < 25
    assert (tmp_path / "t1.png").stat().st_size > 10_000


def test_diagnose_prints_json(file, capsys):
    assert main(["calibration", "diagnose", str(file), "--json"]) == 0
    verdict = json.loads(capsys.readouterr().out)
    assert verdict["status"] == "WINDOW_TOO_SHORT"
    assert verdict["suggested_range"][0]["high"] > 0
    assert sum(verdict["probabilities"].values()) == pytest.approx(1)


@pytest.mark.parametrize(
    ("more", "message"),
    [(["--family", "t3"], "unknown family"), (["--target", "q9"], "expected the target q9, found q0")],
)
def test_what_is_unknown_is_said(file, more, message, capsys):
    assert main(["calibration", "diagnose", str(file), *more]) == 2
    assert message in capsys.readouterr().err


def test_a_report_is_one_page_of_a_folder(file, tmp_path, capsys):
    (tmp_path / "runs").mkdir()
    file.rename(tmp_path / "runs" / "first.nc")
    (tmp_path / "unknown.csv").write_text("delay [us],<signal> [mV]\n0,1\n1,2\n")
    (tmp_path / "notes.md").write_text("not a measurement")
    page = tmp_path / "report.html"
    assert main(["calibration", "report", str(tmp_path), "--out", str(page)]) == 0
    shown = page.read_text()
    for part in ("WINDOW_TOO_SHORT", "first.nc", "measure next", "data:image/png;base64,", "no verdict", "name one of"):
        assert part in shown
    assert "<signal>" not in shown  # names of files cannot write into the page
    assert "http" not in shown
    assert "without a verdict: 1" in shown
    (tmp_path / "empty").mkdir()
    assert main(["calibration", "report", str(tmp_path / "empty"), "--out", str(page)]) == 2
    assert "found none in a known layout" in capsys.readouterr().err


def test_families_are_listed(capsys):
    assert main(["calibration", "families"]) == 0
    assert "WINDOW_TOO_SHORT" in capsys.readouterr().out


def test_the_bench_writes_a_table(tmp_path, capsys):
    out = tmp_path / "t1.csv"
    assert main(["calibration", "bench", "simulated", "t1", "--shots", "2", "--snr", "10", "--out", str(out)]) == 0
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert {row["kind"] for row in rows} == {"status", "confusion", "coverage", "suggested range", "time"}
    assert all(int(row["of"]) >= int(row["count"]) for row in rows)
    assert "balanced over modes" in capsys.readouterr().out


def test_a_bench_goes_on_where_it_was_interrupted(tmp_path, capsys, monkeypatch):
    out, counted, run = tmp_path / "bench.csv", [], bench.run

    def interrupted(family, snr, shots, seeds):
        counted.append((family, snr))
        if (family, snr) == ("t1", 4.0):
            raise KeyboardInterrupt
        return run(family, snr, shots, seeds)

    def bench_t1():
        return main(["calibration", "bench", "simulated", "t1", "--shots", "1", "--out", str(out)])

    monkeypatch.setattr(bench, "run", interrupted)
    assert bench_t1() == 130
    assert "the same command goes on" in capsys.readouterr().err
    before = out.read_text()
    monkeypatch.setattr(bench, "run", lambda *given: counted.append(given[:2]) or run(*given))
    assert bench_t1() == 0
    assert counted == [("t1", 10.0), ("t1", 4.0), ("t1", 4.0)]
    assert out.read_text().startswith(before)


def test_another_table_is_not_written_over(tmp_path, capsys):
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    assert main(["calibration", "bench", "simulated", "t1", "--shots", "1", "--out", str(tmp_path / "other.csv")]) == 2
    assert "expected the columns" in capsys.readouterr().err
