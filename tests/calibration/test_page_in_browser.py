"""The page of a workflow at work, in a browser."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.calibration.assistant.test_explaining import Replies, answer
from tests.calibration.test_page import TOKEN, Page, begun
from tests.page.conftest import WEB, chromium, modules, node  # noqa: F401 - fixtures


@pytest.mark.slow
@pytest.mark.usefixtures("modules")
def test_the_page_does_what_a_person_wants(node: str, chromium: str, tmp_path: Path) -> None:  # noqa: F811
    said = answer("resonator", shots="2000") | {"explanation": "A dip <img src=x>."}
    page = Page(begun(tmp_path / "run", model=Replies(said)))
    try:
        address = f"http://127.0.0.1:{page.port}/#{TOKEN}"
        run = subprocess.run(
            [node, "--test", "--test-reporter=tap", "test/laboratory.ts"],
            cwd=WEB,
            env=os.environ | {"CASCADE_PAGE_ADDRESS": address, "CASCADE_CHROMIUM": chromium, "NODE_NO_WARNINGS": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        page.close()
    assert run.returncode == 0, run.stdout + run.stderr
    assert "# fail 0" in run.stdout
