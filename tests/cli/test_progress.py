"""Progress as a bar on a terminal and as lines in a log."""

import sys

from cascade_qec.cli import progress as module
from cascade_qec.cli.progress import progress


def test_lines_in_a_log_are_few(capsys):
    with progress("decoding") as report:
        for done in range(1, 1001):
            report(done, 1000)
    assert capsys.readouterr().err == "decoding: 1000 of 1000\n"


def test_a_slow_step_gets_lines_on_the_way(capsys, monkeypatch):
    monkeypatch.setattr(module, "_SECONDS_BETWEEN_LINES", -1.0)
    with progress("decoding") as report:
        report(1, 3)
        report(2, 3)
    assert capsys.readouterr().err == "decoding: 1 of 3\ndecoding: 2 of 3\n"


def test_nobody_knows_how_much_a_pipe_will_bring(capsys, monkeypatch):
    monkeypatch.setattr(module, "_SECONDS_BETWEEN_LINES", -1.0)
    with progress("decoding") as report:
        report(5, None)
    assert capsys.readouterr().err == "decoding: 5\n"


def test_a_bar_on_a_terminal(capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with progress("decoding") as report:
        report(3, 4)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "decoding" in captured.err
    assert "3/4" in captured.err
