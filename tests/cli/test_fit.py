"""``cascade fit``: from tables to tables."""

import csv
import io
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from cascade_qec.cli.fit import fit
from cascade_qec.errors import CascadeError
from cascade_qec.evaluation import Row
from cascade_qec.evaluation.fit_row import FitRow
from cascade_qec.tables import columns, write_rows

app = typer.Typer(context_settings={"token_normalize_func": lambda flag: flag.replace("-", "_")})
app.command()(fit)


@pytest.fixture
def rates(tmp_path: Path) -> Path:
    """Two surface codes below a threshold of 1 %, and bb72 with a floor."""
    rows = []
    for code, k, rounds, law in (
        ("surface_d3", 1, 3, lambda p: 0.05 * (p / 0.01) ** 2),
        ("surface_d5", 1, 5, lambda p: 0.05 * (p / 0.01) ** 3),
        ("bb72", 12, 6, lambda p: 1e-6 + 1e-4 * (p / 0.003) ** 6),
    ):
        for p in (0.001, 0.002, 0.003, 0.004, 0.005):
            failed = 1 - (1 - law(p)) ** (k * rounds)
            counts = {"shots": 1_000_000, "failures": round(1e6 * failed)}
            experiment = {"code": code, "p": p, "rounds": rounds, "bases": "ZX", "k": k}
            rows.append(Row(**experiment, decoder="cascade", **counts, microseconds_per_shot=1.0, seed=1))
    write_rows(tmp_path / "rates.csv", rows)
    return tmp_path / "rates.csv"


def _run(*arguments: object):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_fits_alone_go_to_standard_output(rates):
    command = [sys.executable, "-m", "cascade_qec", "fit", rates, "--simulations", "19", "--out", "-"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert {len(row) for row in csv.reader(io.StringIO(done.stdout))} == {len(columns(FitRow))}
    assert "per logical per cycle" in " ".join(done.stderr.split())


def test_a_table_that_is_read_is_not_replaced(rates):
    before = rates.read_bytes()
    with pytest.raises(CascadeError, match="expected a file of its own for each input and output, got it twice"):
        app([str(rates), "--out", str(rates)], standalone_mode=False)
    assert rates.read_bytes() == before


def test_prints_and_writes_fits(rates, tmp_path):
    out = tmp_path / "fits.csv"
    flags = ("--out", out, "--at", "0.002", "--target", "1e-9", "--simulations", "39", "--seed", "5")
    result = _run(rates, *flags)
    assert result.exit_code == 0, result.output
    for text in ("per logical per cycle", "sinter's 'piece'", "Wilson", "lambda: P(d) / P(d + 2)", "p-value"):
        assert text in " ".join(result.output.split())
    with out.open(newline="") as file:
        rows = list(csv.DictReader(file))
    found = {(row["code"], row["form"], row["parameter"], row["p"]): row for row in rows}
    assert len(found) == len(rows)
    assert float(found["surface_d3", "one term", "m1", ""]["value"]) == pytest.approx(2, abs=0.05)
    assert float(found["surface_d3..5", "distances", "lambda", "0.002"]["value"]) == pytest.approx(5, rel=0.1)
    assert float(found["surface_d3+surface_d5", "crossing", "threshold", ""]["value"]) == pytest.approx(0.01, rel=0.1)
    assert found["surface_d3+surface_d5", "crossing", "threshold", ""]["extrapolated"] == "yes"
    assert found["bb72", "two terms", "warranted", ""]["value"] == "1"
    assert float(found["bb72", "two terms", "m2", ""]["value"]) == pytest.approx(6, abs=0.3)
    assert found["bb72", "two terms", "likelihood_ratio", ""]["seed"] == "5"
    qubits = [row for row in rows if row["parameter"] == "qubits_per_logical"]
    assert [(row["code"], row["target"], row["extrapolated"]) for row in qubits] == [
        ("surface_d23", "1e-09", "yes"),
        ("none measured", "1e-09", ""),
    ]
    # the same seed, the same table
    before = out.read_text()
    assert _run(rates, *flags).exit_code == 0
    assert out.read_text() == before


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--at", "0"], "expected noise rates 0 < p <= 1"),
        (["--target", "0.7"], "error rate between 0 and 0.5"),
        (["--bases", "Y"], "expected pooled or apart"),
        (["--p_max", "0.0001"], "expected shots at noise rates up to 0.0001"),
    ],
)
def test_bad_input(flags, message, rates, tmp_path):
    result = _run(rates, "--out", tmp_path / "fits.csv", *flags)
    assert isinstance(result.exception, CascadeError)
    assert message in str(result.exception)
    assert not (tmp_path / "fits.csv").exists()


def test_one_noise_rate_is_enough_for_lambda(rates):
    result = _run(rates, "--p-max", "0.001")
    assert result.exit_code == 0, result.output
    assert "lambda at 0.1 %" in result.output
    assert "Left out: cascade on bb72, 6 rounds, basis XZ: failures at fewer than two noise rates" in result.output
