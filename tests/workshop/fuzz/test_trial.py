"""Random command lines: what is drawn, and that whatever goes wrong is seen."""

import mmap
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from cascade_qec import cli
from workshop.fuzz import trial
from workshop.fuzz.arena import HERE, SAMPLES, copy_arena, make_arena, seen
from workshop.fuzz.damage import damaged
from workshop.fuzz.lines import Line, commands, draw_line

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="processes are watched through /proc"),
    pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning"),  # PyTorch may have threads
]


@pytest.fixture(scope="module")
def arena(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("fuzz") / "template"
    make_arena(root)
    return root


def test_an_arena_has_every_sample_and_copies_of_it_are_alike(arena: Path, tmp_path: Path) -> None:
    for names in SAMPLES.values():
        for name in names:
            assert (arena / HERE / name).exists(), name
    copy_arena(arena, tmp_path / "copy")
    assert seen(tmp_path / "copy") == seen(arena)


def test_lines_are_the_same_for_a_seed_and_reach_every_command(arena: Path) -> None:
    first, again = ([draw_line(random.Random(f"1:{number}"), arena / HERE) for number in range(3000)] for _ in range(2))
    assert first == again
    assert {line.command for line in first} == {names for names, _ in commands()}
    assert any(line.files for line in first)
    assert not any(os.path.isabs(out) for line in first for out in line.outputs)


@pytest.mark.parametrize("contents", [b"", b"\n", b"p = 0.5\n", bytes(range(256))])
def test_anything_can_be_damaged(contents: bytes) -> None:
    found = {damaged(contents, random.Random(seed)) for seed in range(100)}
    assert len(found) > 10


_CLOCK = mmap.mmap(-1, 2)
"""Seconds that have passed for whoever watches a command, and how often that was asked.

The command tells, so that no machine is too slow for it, once it is being watched: asked before it began, and then.
"""


def _now() -> int:
    _CLOCK[1] = min(2, _CLOCK[1] + 1)
    return _CLOCK[0]


def _wait_to_be_watched() -> None:
    while _CLOCK[1] < 2:
        time.sleep(0.001)


def _fine() -> int:
    Path("new.csv").write_text("a\n")
    return 0


def _raises() -> int:
    raise ValueError("no")


def _dies() -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


def _hangs() -> int:
    _wait_to_be_watched()
    while True:
        try:
            _CLOCK[0] = max(_CLOCK[0], 1)
            time.sleep(60)
        except KeyboardInterrupt:
            _CLOCK[0] = 2


def _stops() -> int:
    _wait_to_be_watched()
    try:
        _CLOCK[0] = 1
        time.sleep(60)
    except KeyboardInterrupt:
        return 130
    return 0


def _refuses_and_writes() -> int:
    Path("new.csv").touch()
    print("Error: no", file=sys.stderr)
    return 2


def _replaces_a_device() -> int:
    Path("null").unlink()
    Path("null").touch()
    return 0


def _deletes() -> int:
    shutil.rmtree("../neighbour")
    return 0


def _writes_elsewhere() -> int:
    Path("notes.txt").write_text("mine")
    return 0


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        (_fine, ""),
        (_stops, ""),
        (_raises, "traceback"),
        (_dies, "killed by signal 9"),
        (_hangs, "hangs for 1 s"),
        (lambda: 3, "exit status 3"),
        (lambda: 2, "fails without a word"),
        (_refuses_and_writes, "refuses and changes here/new.csv"),
        (_replaces_a_device, "takes away here/null"),
        (_deletes, "takes away neighbour"),
        (_writes_elsewhere, "changes here/notes.txt"),
    ],
)
def test_whatever_goes_wrong_is_seen(
    command: Callable[[], int], problem: str, arena: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = Line(("collect",), ["collect", "--out", "new.csv"], ["new.csv"])
    monkeypatch.setattr(trial, "draw_line", lambda draw, here: line)
    _CLOCK[:] = bytes(2)
    monkeypatch.setattr(trial, "time", SimpleNamespace(monotonic=_now, sleep=time.sleep))
    monkeypatch.setattr(trial, "LIMIT", 1.0)
    monkeypatch.setattr(trial, "_PATIENCE", (0.5,))
    monkeypatch.setattr(cli, "main", lambda arguments: command())
    outcome = trial.try_line(7, 1, arena, tmp_path)
    assert outcome.problem.startswith(problem) if problem else not outcome.problem
    assert outcome.line == "cascade collect --out new.csv"
    # what was changed does not stay for the next one
    monkeypatch.setattr(cli, "main", lambda arguments: 0)
    assert trial.try_line(8, 1, arena, tmp_path).problem == ""
