"""A folder's lock: for one process at a time, and gone with it."""

import os
import subprocess
import sys

import pytest

from cascade_qec.errors import CascadeError, CascadeWarning
from cascade_qec.training import run_files as module
from cascade_qec.training.run_files import run_lock

_HOLDER = """
import fcntl, os, sys
with open(sys.argv[1], "w") as file:
    fcntl.flock(file, fcntl.LOCK_EX)
    print(os.getpid(), file=file, flush=True)
    print("locked", flush=True)
    sys.stdin.read()
"""


def test_another_process_is_refused_until_the_first_is_dead(tmp_path):
    (tmp_path / "run").mkdir()
    command = [sys.executable, "-c", _HOLDER, str(tmp_path / "run" / "lock")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout.readline() == "locked\n"
        message = f"run: another process trains in this folder, number {holder.pid}$"
        with pytest.raises(CascadeError, match=message), run_lock(tmp_path / "run"):
            pass
        holder.kill()
    with (
        pytest.warns(CascadeWarning, match=f"run: process {holder.pid}, which trained in this folder, was killed"),
        run_lock(tmp_path / "run"),
    ):
        assert (tmp_path / "run" / "lock").read_text() == str(os.getpid())
    with run_lock(tmp_path / "run"):  # the last one ended well: nothing to say
        pass


def test_the_holder_may_ask_again_and_keeps_it(tmp_path, monkeypatch):
    with run_lock(tmp_path):
        with run_lock(tmp_path):
            pass
        monkeypatch.setattr(module, "_held", set())  # as another process sees it
        with pytest.raises(CascadeError, match="another process trains"), run_lock(tmp_path):
            pass


def test_platforms_without_locks(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "take_lock", lambda file: None)
    with pytest.warns(CascadeWarning, match="run: no locks here: see to it"), run_lock(tmp_path / "run"):
        pass
