"""The page of a workflow at work, in a browser."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.calibration.assistant.test_explaining import Replies, answer
from tests.calibration.test_page import TOKEN, Page, begun
from tests.page.conftest import chromium, drive, modules, node  # noqa: F401 - fixtures


@pytest.mark.slow
@pytest.mark.usefixtures("modules")
def test_the_page_does_what_a_person_wants(node: str, chromium: str, tmp_path: Path) -> None:  # noqa: F811
    said = answer("resonator", shots="2000") | {"explanation": "A dip <img src=x>."}
    page = Page(begun(tmp_path / "run", model=Replies(said)))
    try:
        drive(node, chromium, "laboratory.ts", PAGE_ADDRESS=f"http://127.0.0.1:{page.port}/#{TOKEN}")
    finally:
        page.close()
