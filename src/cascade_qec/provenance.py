"""What a run ran on: the machine and its load, the versions of the packages that matter, and the commit."""

import os
import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path

from cascade_qec import pytorch

_PACKAGES = (
    "cascade-qec",
    "cascade-qec-native",
    "torch",
    "triton",
    "stim",
    "sinter",
    "numpy",
    "pymatching",
    "ldpc",
    "stimbposd",
    "tesseract-decoder",
    "relay-bp",
    "chromobius",
    "ray",
)


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that decide results; those not installed are left out."""
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def hardware() -> str:
    """One line: processor, cores open to this process, and accelerators that PyTorch sees."""
    return "; ".join([f"{_processor()}, {_cores()} cores", *pytorch.gpus()])


def commit() -> str | None:
    """Commit of the checkout that this package runs from, "-dirty" where files differ; None if installed."""
    checkout = Path(__file__).parents[2]
    if not (checkout / ".git").exists():  # or git would go on searching upwards, and find somebody else's
        return None
    command = ["git", "-C", str(checkout), "describe", "--always", "--abbrev=40", "--dirty", "--exclude=*"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


def load_average() -> float | None:
    """Processes that wanted a core in the last minute, ourselves included; None where the system does not tell."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else None


def _cores() -> int:
    # Of a machine shared by containers os.cpu_count() gives all, also those that this process may not use.
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
