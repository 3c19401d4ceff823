"""Runs measurements one after another until the time is over; what is cut short goes on the next time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from cascade_qec.errors import CascadeError
from cascade_qec.tables import circumstances
from workshop import CHECKOUT
from workshop.measuring.measurements import Made, Measurement, made, note

_PATIENCE = 30.0
"""Seconds in which a command may put away what it has."""


def measure(measurement: Measurement, seconds: float) -> bool:
    """Run a measurement for so long at most; whether it has come to its end.

    Tables of other weights are removed first. An interrupted command has kept what it says that it keeps.

    Raises
    ------
    CascadeError
        If the command fails.
    """
    before, weights = made().get(measurement.name), measurement.weights()
    if before is None or before.weights != weights or before.ended:
        for path in measurement.files():
            path.unlink()
        before = None
    spent, begun = before.seconds if before else 0.0, time.monotonic()

    def noted(ended: bool) -> None:
        took = spent + time.monotonic() - begun
        known = circumstances()
        note(Made(name=measurement.name, weights=weights, ended=ended, seconds=round(took, 1), **known))

    noted(ended=False)
    status = _run(measurement.command, seconds)
    noted(ended=status == 0)
    if status not in (0, 130):  # 130: interrupted
        raise CascadeError(f"{measurement.name}: expected exit status 0, got {status} of {measurement.command}")
    return status == 0


def _run(command: str, seconds: float) -> int:
    """The exit status; after so many seconds the command is interrupted as by Ctrl-C."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # this checkout's own commands
    process = subprocess.Popen(
        ["bash", "-c", command], cwd=CHECKOUT, env=os.environ | {"PATH": path}, start_new_session=True
    )
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        _interrupt(process)
        return 130
    except KeyboardInterrupt:
        _interrupt(process)
        raise


def _interrupt(process: subprocess.Popen[bytes]) -> None:
    """By SIGINT; by SIGTERM where that is ignored, as in a job of a shell's background."""
    for number in (signal.SIGINT, signal.SIGTERM):
        os.killpg(process.pid, number)
        try:
            process.wait(_PATIENCE)
            return
        except subprocess.TimeoutExpired:
            continue
    raise CascadeError(f"expected process {process.pid} to end when told to, found it still at work")
