"""The command line as a whole: help, errors, exit statuses, and how fast it starts."""

import errno
import signal
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from cascade_qec import cli
from cascade_qec.cli import main

RESULTS = Path(__file__).parents[2] / "benchmarks/results"

COMMANDS = (
    "demo",
    "info",
    "decode",
    "export",
    "train",
    "collect",
    "fit",
    "reliability",
    "spectrum",
    "plot",
    "bench",
    "zoo",
    "calibration",
)


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "cascade_qec", *arguments], capture_output=True, text=True)


def test_help_lists_the_subcommands(capsys):
    assert main(["--help"]) == 0
    listed = capsys.readouterr().out
    for command in COMMANDS:
        assert f"  {command} " in listed


def test_the_version_is_that_of_the_package(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"cascade-qec {version('cascade-qec')}\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_subcommand_has_help(command, capsys):
    assert main([command, "--help"]) == 0
    assert "Usage: " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["teleport"], "No such command"),
        (["decode"], "Missing option '--model'"),
        (["decode", "--colour", "red"], "No such option"),
        (["info", "bb73"], "unknown model 'bb73'"),
    ],
)
def test_bad_input_exits_with_2_and_says_why_on_stderr(arguments, message, capsys):
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert message in captured.err
    assert "Traceback" not in captured.err


def test_an_error_is_one_line_and_the_process_exits_with_2():
    done = run("info", "bb73")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("Error: unknown model 'bb73'")
    assert done.stderr.count("\n") == 1


def test_an_interrupt_while_the_words_are_read_is_no_traceback(monkeypatch, capsys):
    def interrupted(arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "app", interrupted)
    assert main(["info"]) == 130
    assert capsys.readouterr().err == "Interrupted\n"


def test_an_interrupt_that_a_library_turns_into_another_error_is_no_traceback(monkeypatch, capsys):
    def interrupted(arguments):
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            raise ValueError("no shape") from None

    monkeypatch.setattr(cli, "app", interrupted)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # which a background job has ignored
    try:
        assert main(["info"]) == 130
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
    assert capsys.readouterr().err == "Interrupted\n"


def test_other_errors_are_not_taken_for_interrupts(monkeypatch):
    def broken(arguments):
        raise ValueError("a fault of ours")

    monkeypatch.setattr(cli, "app", broken)
    with pytest.raises(ValueError, match="a fault of ours"):
        main(["info"])


def test_names_of_any_bytes_are_printed(monkeypatch, capsys):
    monkeypatch.setattr(cli, "app", lambda arguments: print("Table: \udcff.csv"))
    assert main(["fit"]) == 0
    assert capsys.readouterr().out == "Table: \\udcff.csv\n"


def _modules_after(statement: str) -> set[str]:
    code = f"{statement}\nimport sys\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_import_and_help_load_nothing_heavy():
    """What keeps `import cascade_qec` and `cascade --help` fast, without a stopwatch."""
    heavy = {"torch", "stim", "scipy", "matplotlib", "sinter", "pymatching"}
    assert not heavy & _modules_after("import cascade_qec")
    assert not heavy & _modules_after("import cascade_qec.cli")


def test_public_names():
    import cascade_qec

    for name in cascade_qec.__all__:
        assert getattr(cascade_qec, name) is not None
    assert dir(cascade_qec) == sorted(cascade_qec.__all__)
    with pytest.raises(AttributeError, match="no attribute 'teleport'"):
        cascade_qec.teleport  # noqa: B018


def test_what_the_system_refuses_is_one_line_with_the_name_and_status_2(monkeypatch, capsys):
    def refused(_):
        raise OSError(errno.ENOSPC, "No space left on device", "table.csv")

    monkeypatch.setattr("cascade_qec.cli.app", refused)
    assert main(["info"]) == 2
    assert capsys.readouterr().err == "Error: table.csv: No space left on device\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device here is always full")
def test_a_full_device_is_told_by_its_name(capsys):
    assert main(["fit", str(RESULTS / "surface_d5.csv"), "--simulations", "19", "--out", "/dev/full"]) == 2
    assert "Error: /dev/full: cannot be written: No space left on device\n" in capsys.readouterr().err
