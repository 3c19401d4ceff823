"""``cascade page`` writes the page, or serves it."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest

import cascade_qec as cascade
from cascade_qec.cli import main


def test_it_is_written_to_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["page", "--out", str(tmp_path / "page")]) == 0
    assert "index.html" in capsys.readouterr().out
    assert (tmp_path / "page/models/bb72.safetensors").stat().st_size > 1e6


def test_a_file_is_no_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "page").write_text("")
    assert main(["page", "--out", str(tmp_path / "page")]) == 2
    assert "expected a folder" in capsys.readouterr().err


@pytest.mark.slow
def test_it_is_served_until_interrupted() -> None:
    command = [sys.executable, "-m", "cascade_qec", "page", "--no_open", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        address = re.search(r"http://\S+", server.stdout.readline())
        assert address is not None
        with urlopen(address[0]) as answer:
            assert answer.status == 200
        server.send_signal(signal.SIGINT)
        assert server.wait(120) == 0


def test_own_shots_are_written_or_refused_in_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    circuit, shots = tmp_path / "c.stim", tmp_path / "s.01"
    cascade.load("surface_d3").experiment(0.004).to_file(circuit)
    shots.write_text(24 * "0" + "\n" + 23 * "0" + "1\n")
    own = ["--circuit", str(circuit), "--shots", str(shots)]
    assert main(["page", *own, "--out", str(tmp_path / "page")]) == 0
    assert "shots: 2 of 2" in capsys.readouterr().out
    assert (tmp_path / "page/models/own.safetensors").stat().st_size > 4e5
    shots.write_text("0101\n")
    assert main(["page", *own]) == 2
    assert "s.01 (01, 24 detectors and 0 observables a shot)" in capsys.readouterr().err
    assert main(["page", *own[:2]]) == 2
    assert "expected --circuit and --shots together, got --circuit alone" in capsys.readouterr().err
    circuit.write_text("H 0")
    assert main(["page", *own]) == 2
    assert "expected a memory experiment" in capsys.readouterr().err
