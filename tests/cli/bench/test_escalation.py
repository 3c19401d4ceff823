"""`cascade bench escalation`: from a model and a fallback to a table of thresholds."""

from pathlib import Path

import pytest

from cascade_qec import cli
from cascade_qec.cli.bench.escalation_table import print_escalation
from cascade_qec.evaluation.escalation.table import EscalationRow
from cascade_qec.tables import read_rows

# Strong noise, so that a few shots tell, is warned of.
pytestmark = pytest.mark.filterwarnings("ignore::cascade_qec.errors.CascadeWarning")


def _run(*arguments: str | Path) -> int:
    fixed = ("--device", "cpu", "--precision", "float32", "--threads", "1", "--seconds", "600")
    return cli.main(["bench", "escalation", *map(str, arguments), *fixed])


def test_what_was_measured_is_printed_and_written(tiny_model: Path, tmp_path: Path, capsys) -> None:
    out = tmp_path / "results" / "escalation.csv"
    asked = ("--fallback", "pymatching", "--shots", "400", "--p", "0.02", "--seed", "5", "--out", out)
    assert _run(tiny_model, *asked) == 0
    rows = read_rows(out, EscalationRow)
    assert rows[0].part == "network"
    assert [row.part for row in rows[-2:]] == ["chosen", "fallback"]
    network, chosen, fallback = rows[0], rows[-2], rows[-1]
    assert (network.decoder, network.fallback) == ("cascade:surface_d3_untrained", "pymatching")
    assert (network.code, network.p, network.rounds, network.basis, network.seed) == ("surface_d3", 0.02, 3, "Z", 5)
    assert (network.shots, chosen.shots, fallback.shots) == (400, 200, 400)
    assert network.escalated == 0 < fallback.failures < network.failures
    assert network.parameters == "enable_correlations=False"
    printed = capsys.readouterr()
    assert "cascade:surface_d3_untrained and pymatching: surface_d3, p = 0.02, 3 rounds, basis Z." in printed.out
    assert 'cascade.load("surface_d3_untrained", fallback="pymatching", below=' in printed.out
    assert "escalation, percent: 100 of 100" in printed.err
    # the same shots give the same rows, but for the times, and stand there once
    assert _run(tiny_model, *asked) == 0
    again = read_rows(out, EscalationRow)
    assert [(row.threshold, row.failures) for row in again] == [(row.threshold, row.failures) for row in rows]


def test_it_is_said_when_no_threshold_was_chosen(tiny_model: Path, tmp_path: Path, capsys) -> None:
    out = tmp_path / "escalation.csv"
    assert _run(tiny_model, "--fallback", "pymatching", "--shots", "40", "--p", "0.02", "--out", out) == 0
    assert "No threshold was chosen" not in capsys.readouterr().out
    print_escalation([row for row in read_rows(out, EscalationRow) if row.part != "chosen"])
    assert "No threshold was chosen" in capsys.readouterr().out


def test_thresholds_near_one_are_not_printed_as_one(tiny_model: Path, tmp_path: Path, capsys) -> None:
    """Below 1 every shot would be escalated."""
    out = tmp_path / "escalation.csv"
    assert _run(tiny_model, "--fallback", "pymatching", "--shots", "40", "--p", "0.02", "--out", out) == 0
    rows = [
        row.model_copy(update={"threshold": row.threshold and 0.9999999985}) for row in read_rows(out, EscalationRow)
    ]
    capsys.readouterr()
    print_escalation(rows)
    printed = capsys.readouterr().out
    assert "below=0.9999999985)" in printed
    assert printed.count("0.9999999985") == sum(row.part in ("curve", "chosen") for row in rows) + 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--fallback", "guessing"], "unknown classical decoder 'guessing'"),
        (["--fallback", "chromobius"], "chromobius decodes colour codes only"),
        (["--p", "2"], "'--p'"),
        (["--shots", "3"], "'--shots'"),
    ],
)
def test_bad_input_is_one_error_and_no_file(
    arguments: list[str], message: str, tiny_model: Path, tmp_path: Path, capsys
) -> None:
    out = tmp_path / "escalation.csv"
    assert _run(tiny_model, *arguments, "--out", out) == 2
    assert message in capsys.readouterr().err
    assert not out.exists()
