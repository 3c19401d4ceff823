"""``cascade calibration run``, ``log`` and ``demo``."""

import json
import re
from pathlib import Path

import pytest

from cascade_qec.cli import main

LABORATORY = ["--laboratory", "simulated:3?qubits=1"]
TEXT = """
name = "listen"
[budget]
runs = 5
time = "10 min"
[[steps]]
name = "resonator"
experiment = "resonator"
parameters = { frequency_from = "designed_readout_frequency", frequency_to = "designed_readout_frequency + 6 MHz" }
attempts = 2
learns = { readout_frequency = "{f_r}" }
"""


@pytest.fixture
def workflow(tmp_path):
    path = tmp_path / "listen.toml"
    path.write_text(TEXT)
    return str(path)


def run(*words):
    return main(["calibration", "run", *map(str, words)])


def test_a_run_its_log_and_one_that_goes_on(workflow, tmp_path, capsys):
    out = tmp_path / "run"
    assert run(workflow, *LABORATORY, "--out", out, "--resume") == 0  # nothing to resume: it begins
    shown = capsys.readouterr()
    for part in ("readout_frequency", "99 % of all together", "q0: done", "minutes of the laboratory", "Log: "):
        assert part in shown.out
    assert "1 q0 resonator: retry" in shown.err  # it lies below the first sweep
    assert "2 q0 resonator: readout_frequency" in shown.err
    assert run(workflow, *LABORATORY, "--out", out) == 2
    assert "or to resume; found a run that has begun" in capsys.readouterr().err
    assert run(workflow, *LABORATORY, "--out", out, "--resume") == 0
    assert capsys.readouterr().out == shown.out
    assert run("bring_up", *LABORATORY, "--out", out, "--resume") == 2
    assert "expected to resume listen, got bring_up" in capsys.readouterr().err

    assert main(["calibration", "log", str(out)]) == 0
    table = capsys.readouterr().out
    for part in (
        "listen on simulated:3?qubits=1",
        "frequency_from",
        "0001_q0_resonator.nc",
        "SUCCESS",
        "accept",
        "done",
    ):
        assert part in table
    assert max(map(len, table.splitlines())) < 130  # also in a pipe
    assert main(["calibration", "log", str(out), "--json"]) == 0
    entries = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["kind"] for one in entries] == ["begin", *["propose", "measure", "decide"] * 2, "end"]
    assert main(["calibration", "diagnose", str(out / "0001_q0_resonator.nc")]) == 0

    Path(workflow).write_text(TEXT.replace("designed_", ""))
    assert run(workflow, *LABORATORY, "--dry_run", "--settings", out) == 0
    plan = capsys.readouterr().out
    assert "frequency_from 6.99" in plan


def test_a_target_that_is_given_up_says_why(workflow, tmp_path, capsys):
    broken = [*LABORATORY[:1], "simulated:3?qubits=1&broken=q0.readout"]
    assert run(workflow, *broken, "--out", tmp_path / "run") == 1
    assert "q0: attempts, resonator: status SUCCESS, found NO_SIGNAL, in 2 attempts" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["tune", *LABORATORY], "unknown workflow 'tune'"),
        (["bring_up", "--laboratory", "real"], "expected a laboratory such as simulated:SEED"),
        (["retune", *LABORATORY], "step resonator: expected a value of readout_frequency to begin with: take the"),
    ],
)
def test_what_cannot_run_is_said(words, message, tmp_path, capsys):
    status = run(*words, "--out", tmp_path / "run")
    said = capsys.readouterr().err
    assert (status, message in said) == (2, True), said
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("designed_readout_frequency + 6 us", "step resonator: .* expected the same unit on both sides"),
        ("6 us", "step resonator: frequency_to: expected a value in Hz, got 6 us"),
    ],
)
def test_a_wrong_unit_is_said_before_there_is_a_folder(wrong, message, workflow, tmp_path, capsys):
    Path(workflow).write_text(TEXT.replace("designed_readout_frequency + 6 MHz", wrong))
    assert run(workflow, *LABORATORY, "--out", tmp_path / "run") == 2
    assert re.search(message, capsys.readouterr().err)
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_the_demo_shows_one_screen(tmp_path, capsys):
    """Seed and noise are fixed; some interval would miss with a probability of 2 %."""
    assert main(["calibration", "demo", "--qubits", "1", "--seed", "4", "--out", str(tmp_path / "demo")]) == 0
    shown = capsys.readouterr().out
    assert "brought up, left to drift, and tuned again" in shown
    assert "24 h later" in shown
    assert "Of 16 intervals that are to hold all together, 0 miss what is hidden." in shown
    assert "given up" not in shown
    assert len(shown.splitlines()) < 46
    # of 100,000 shots: by chance fewer than who has learnt in one of 10^15
    old, learnt = re.search(r"^ +pymatching +([\d,]+) +([\d,]+)", shown, re.MULTILINE).groups()
    assert int(learnt.replace(",", "")) < int(old.replace(",", ""))
    assert len(list((tmp_path / "demo" / "figures").glob("*.png"))) == 10
