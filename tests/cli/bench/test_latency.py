"""`cascade bench latency`: from models and rivals to a table of latencies."""

from pathlib import Path

import pytest
import typer

from cascade_qec.cli.bench.latency import latency
from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.latency.table import LatencyRow
from cascade_qec.tables import read_rows


def _run(*arguments: str | Path) -> None:
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(latency)
    fast = ("--seconds", "0.1", "--shots", "20", "--turns", "2", "--device", "cpu", "--precision", "float32")
    app([*map(str, arguments), *fast, "--threads", "1"], standalone_mode=False)


def test_what_was_measured_is_printed_and_written(tiny_model: Path, tmp_path: Path, capsys) -> None:
    out = tmp_path / "results" / "latency.csv"
    _run(tiny_model, "--rival", "pymatching", "--rival", "chromobius", "--batch", "4", "--batch", "1", "--out", out)
    rows = read_rows(out, LatencyRow)
    matching = [(row.decoder, row.batch) for row in rows if row.decoder == "pymatching"]
    assert matching == [("pymatching", 1), ("pymatching", 4)]
    (ours, *_) = rows
    assert ours.decoder == "cascade:surface_d3_untrained"
    assert (ours.code, ours.p, ours.rounds, ours.basis, ours.batch) == ("surface_d3", 0.003, 3, "Z", 1)
    assert (ours.device, ours.precision, ours.threads, ours.seed) == ("cpu", "float32", 1, 2026)
    assert all(0 < row.us_per_shot_p50.value <= row.us_per_shot_p99.value for row in rows)
    assert all(row.us_per_cycle_p50 == pytest.approx(row.us_per_shot_p50.value / 3) for row in rows)
    printed = capsys.readouterr()
    assert "pymatching" in printed.out
    assert "surface_d3: p = 0.003, 3 rounds, basis Z." in printed.out
    assert "left out: chromobius" in printed.err
    assert "surface_d3, turns: 4 of 4" in printed.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--rival", "guessing"], "unknown classical decoder 'guessing'"),
        (["--device", "tpu"], "expected device auto, cpu, cuda"),
        (["nothing"], "unknown model"),
        (["{model}"], "expected models of different names, got two of surface_d3_untrained"),
    ],
)
def test_bad_input_is_told_before_anything_is_measured(
    arguments: list[str], message: str, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def measured(*_: object, **__: object) -> None:
        raise AssertionError("measures before it looks at what was asked for")

    monkeypatch.setattr("cascade_qec.evaluation.latency.sweep.latency_sweep", measured)
    out = tmp_path / "latency.csv"
    another = tmp_path / "another.safetensors"
    another.write_bytes(tiny_model.read_bytes())
    arguments = [argument.format(model=another) for argument in arguments]
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(latency)
    with pytest.raises(CascadeError, match=message):
        app([str(tiny_model), *arguments, "--out", str(out)], standalone_mode=False)
    assert not out.exists()


def test_runtimes_are_measured_side_by_side(tiny_model: Path, tmp_path: Path) -> None:
    out = tmp_path / "latency.csv"
    _run(tiny_model, "--runtime", "numpy", "--runtime", "torch", "--batch", "2", "--out", out)
    names = [row.decoder for row in read_rows(out, LatencyRow)]
    assert set(names) == {f"cascade:surface_d3_untrained ({runtime})" for runtime in ("numpy", "torch")}
