"""Programs in Python that start at once, forked from a process that has imported everything.

A folder of stand-ins for `python`, `cascade` and `sinter` comes first in PATH. Each hands its arguments, folder,
environment and streams to the process, waits, and ends as the program does. Linux only.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_HERE = Path(__file__).parent

MODULES = os.pathsep.join(str(_HERE.parents[1] / folder) for folder in ("src", "."))
"""This checkout's, the workshop's too."""


@contextmanager
def warm_programs(folder: Path) -> Iterator[Path]:
    """The folder of the stand-ins, made in an empty folder, as long as this context lasts.

    Programs have the environment of those who start them, but for what decides about imports.
    """
    address = folder / "socket"
    for name in ("python", "cascade", "sinter"):
        stand_in = folder / name
        stand_in.write_text(f"#!{sys.executable} -IS\n{(_HERE / 'client.py').read_text()}")
        stand_in.chmod(0o755)
    command = [sys.executable, _HERE / "server.py", address]
    environment = os.environ | {"PYTHONPATH": MODULES, "MPLBACKEND": "agg"}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout
            assert server.stdout.readline() == "ready\n"
            yield folder
        finally:
            server.kill()
