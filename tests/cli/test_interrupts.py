"""Ctrl-C says what is kept and how to go on, and ends a command with exit status 130."""

import os
import signal
import subprocess
import sys
import time

import pytest
import typer

from cascade_qec import load
from cascade_qec.cli import main, run
from cascade_qec.evaluation.collection import read_store
from cascade_qec.evaluation.rare_events.collection import Collector

# Where tests run in the background of a shell, SIGINT is ignored, also by what they start.
COMMAND = (
    "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "from cascade_qec.cli import main; sys.exit(main())"
)
SECONDS = 300
"""After which a command counts as hanging; it takes two on an idle machine."""


def interrupted(arguments, ready):
    """Start a command, send SIGINT to it and all of its processes, as a terminal does, once it is ready."""
    command = [sys.executable, "-c", COMMAND, *map(str, arguments)]
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, stdout=pipe, stderr=pipe, stdin=pipe, text=True, start_new_session=True)
    try:
        began = time.monotonic()
        while not ready() and process.poll() is None:
            assert time.monotonic() - began < SECONDS
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGINT)
        process.wait(SECONDS)
        _, errors = process.communicate()
    finally:
        process.kill()
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    return errors


@pytest.mark.slow
def test_a_collection_keeps_its_rows_and_goes_on(tmp_path):
    out = tmp_path / "c.csv"
    task = ["--codes", "surface_d3", "--p", "0.01", "--bases", "Z", "--decoders", "pymatching", "--processes", "2"]
    arguments = ["collect", *task, "--max_shots", 10**12, "--max_batch_seconds", "0.1", "--out", out]
    errors = interrupted(arguments, lambda: out.exists() and out.read_text().count("\n") > 1)
    assert f"Interrupted: what was collected is in {out}; the same command goes on from there\n" in errors
    (kept,) = read_store(out)
    more = str(kept.shots + 1000)
    assert main([*map(str, ["collect", *task, "--max_shots", more, "--out", out])]) == 0
    assert [stats.shots for stats in read_store(out)] == [int(more)]


@pytest.mark.slow
def test_a_collection_whose_workers_are_starting(tmp_path):
    out = tmp_path / "c.csv"
    task = ["--codes", "surface_d3", "--p", "0.01", "--decoders", "pymatching", "--processes", "2"]
    # The file is there before the workers are.
    errors = interrupted(["collect", *task, "--out", out], out.exists)
    assert errors.count("Interrupted: ") == 1


@pytest.mark.slow
def test_decoding_leaves_no_file(tiny_model, tmp_path):
    circuit = load(tiny_model, device="cpu").experiment(p=0.02)
    circuit.to_file(tmp_path / "c.stim")
    out = tmp_path / "out"
    out.mkdir()
    files = ["--in", "-", "--in_format", "b8", "--out", out / "predictions.b8"]
    arguments = ["decode", "--model", tiny_model, "--device", "cpu", "--circuit", tmp_path / "c.stim", *files]
    # It waits for shots from the pipe.
    errors = interrupted(arguments, lambda: any(out.iterdir()))
    assert "Interrupted: no file was written; the same command starts again\n" in errors
    assert not list(out.iterdir())


def _interrupt(*_, **__):
    signal.raise_signal(signal.SIGINT)


@pytest.fixture
def heeded():
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heeded")
class TestWhatIsKept:
    def said(self, capsys, *arguments):
        assert main([*map(str, arguments)]) == 130
        return capsys.readouterr().err

    @pytest.mark.slow
    def test_fit(self, tmp_path, monkeypatch, capsys):
        table, out = tmp_path / "rates.csv", tmp_path / "fits.csv"
        main(["collect", "--codes", "surface_d3", "--p", "0.03", "--decoders", "pymatching", "--max_shots", "100",
              "--processes", "1", "--out", str(table)])  # fmt: skip
        monkeypatch.setattr("cascade_qec.evaluation.fits.analysis.analyse", _interrupt)
        assert "Interrupted: no file was written; the same command" in self.said(capsys, "fit", table, "--out", out)
        assert not out.exists()

    def test_reliability(self, tiny_model, tmp_path, monkeypatch, capsys):
        monkeypatch.setattr("cascade_qec.evaluation.reliability.run.measure", _interrupt)
        said = self.said(capsys, "reliability", tiny_model, "--device", "cpu", "--out", tmp_path)
        assert f"are done are in {tmp_path}; the same command with --resume goes on" in said

    def test_spectrum(self, tiny_model, tmp_path, monkeypatch, capsys):
        monkeypatch.setattr(Collector, "collect", _interrupt)
        arguments = ["--model", tiny_model, "--device", "cpu", "--p", "0.001", "--out", tmp_path]
        said = self.said(capsys, "spectrum", *arguments)
        assert f"Interrupted: counts up to the last pass are in {tmp_path}" in said
        assert "the same command adds to them" in said

    def test_latency(self, tiny_model, tmp_path, monkeypatch, capsys):
        monkeypatch.setattr("cascade_qec.evaluation.latency.sweep.latency_sweep", _interrupt)
        out = tmp_path / "latency.csv"
        said = self.said(capsys, "bench", "latency", tiny_model, "--device", "cpu", "--out", out)
        assert f"Interrupted: codes that are done are in {out}; surface_d3 is to be measured again" in said

    def test_a_command_that_says_nothing_of_its_own(self, monkeypatch, capsys):
        monkeypatch.setattr("cascade_qec.zoo.registry.path", _interrupt)
        assert self.said(capsys, "zoo", "pull", "surface_d3") == "Interrupted\n"


def test_an_interrupt_that_a_library_drops_is_not_told(capfd):
    class Dropping:
        def __del__(self):
            signal.raise_signal(signal.SIGINT)

    app = typer.Typer()
    app.command()(lambda: Dropping() and None)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        assert run(app, []) == 0
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
    assert capfd.readouterr().err == ""
