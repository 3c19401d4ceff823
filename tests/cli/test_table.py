"""Tables on terminals of any width, and off them."""

from typing import NamedTuple

import pytest

from cascade_qec.cli.table import Column, number, short, show, show_facts, with_interval
from cascade_qec.statistics import Interval


class Row(NamedTuple):
    code: str
    decoder: str
    failures: int
    seconds: float


ROWS = [
    Row("bb72", "tesseract [beam 15]", 12, 0.5),
    Row("bb72", "relay-bp", 7, 0.25),
    Row("surface_d5", "pymatching", 300, 0.125),
]
COLUMNS = [
    Column[Row]("code", lambda row: row.code),
    Column[Row]("decoder", lambda row: row.decoder),
    Column[Row]("failures", lambda row: f"{row.failures}\nof 1,000", right=True, spare=1),
    Column[Row]("seconds\na shot", lambda row: f"{row.seconds}", right=True, spare=1),
]


@pytest.fixture
def terminal(monkeypatch):
    """Makes the terminal so many columns wide."""

    def wide(columns):
        monkeypatch.setenv("FORCE_COLOR", "1")
        monkeypatch.setenv("NO_COLOR", "1")
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setenv("COLUMNS", str(columns))

    return wide


def _shown(capsys, **arguments) -> str:
    show(ROWS, COLUMNS, **arguments)
    return capsys.readouterr().out


def test_off_a_terminal_nothing_is_left_out_or_folded(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "20")
    note = "A sentence that is longer than a terminal is wide " * 5
    printed = _shown(capsys, title="Speeds", notes=[note])
    assert printed.startswith("Speeds")
    assert note in printed
    assert [line.split() for line in printed.splitlines() if "0." in line] == [
        ["bb72", "tesseract", "[beam", "15]", "12", "0.5"],
        ["bb72", "relay-bp", "7", "0.25"],
        ["surface_d5", "pymatching", "300", "0.125"],
    ]


@pytest.mark.parametrize(
    ("width", "left_out"), [(80, []), (52, ["seconds a shot"]), (42, ["failures", "seconds a shot"])]
)
def test_narrow_terminals_have_fewer_columns(capsys, terminal, width, left_out):
    terminal(width)
    table, told, rest = _shown(capsys).partition("Not shown on a terminal of this width:")
    assert "tesseract [beam 15]" in table
    assert [title for title in ("failures", "seconds") if title not in table] == [name.split()[0] for name in left_out]
    assert " ".join((told + rest).split()[8:]) == (f"{', '.join(left_out)}." if left_out else "")


def test_letters_are_never_left_out(capsys, terminal):
    terminal(16)
    letters = "".join(_shown(capsys).split())
    for name in ("surface_d5", "tesseract"):
        assert set(name) <= set(letters)
    assert "…" not in letters


@pytest.mark.parametrize("width", [28, 40, 60])
def test_names_stay_in_one_piece(width, capsys, terminal):
    terminal(width)
    assert "surface_d5" in _shown(capsys)


def test_a_line_stands_between_sections(capsys):
    apart = _shown(capsys, section=lambda row: row.code).splitlines()
    plain = _shown(capsys).splitlines()
    assert len(apart) == len(plain) + 1
    assert not apart[next(i for i, line in enumerate(apart) if "surface_d5" in line) - 1].strip()


def test_facts_without_a_text_are_left_out(capsys):
    show_facts([("code", "bb72"), ("notes", ""), ("rounds", "6")])
    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [["code", "bb72"], ["rounds", "6"]]


def test_figures():
    assert with_interval(Interval(0.0106, 0.0099, 1.0)) == "1.06e-2 [9.9e-3, 1.0]"
    assert short(3e-12, 1) == "3.0e-12"
    assert [number(value) for value in (None, 0.12345, 99.94, 12345.6)] == ["", "0.123", "99.9", "12,346"]
