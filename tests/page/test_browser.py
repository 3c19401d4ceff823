"""The page in a browser, served by any web server from any folder."""

from __future__ import annotations

import os
import subprocess
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from cascade_qec.page import HOST, write

WEB = Path(__file__).parents[2] / "web"


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None: ...


@pytest.mark.slow
@pytest.mark.usefixtures("modules")
def test_the_page_does_what_a_reader_wants(node: str, chromium: str, tmp_path: Path) -> None:
    write(tmp_path / "some/folder")
    with ThreadingHTTPServer((HOST, 0), partial(_Quiet, directory=tmp_path)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        address = f"http://{HOST}:{server.server_address[1]}/some/folder/"
        run = subprocess.run(
            [node, "--test", "--test-reporter=tap", "test/browser.ts"],
            cwd=WEB,
            env=os.environ | {"CASCADE_PAGE_ADDRESS": address, "CASCADE_CHROMIUM": chromium, "NODE_NO_WARNINGS": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        server.shutdown()
        thread.join()
    assert run.returncode == 0, run.stdout + run.stderr
    assert "# fail 0" in run.stdout
