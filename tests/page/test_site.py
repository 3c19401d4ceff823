"""The page is whole, small, and served to this machine alone."""

from __future__ import annotations

import hashlib
import json
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from safetensors.numpy import load

from cascade_qec.page import BUILT, HOST, contents, serving, write

WEB = Path(__file__).parents[2] / "web"


@pytest.fixture
def address() -> Iterator[str]:
    with serving(0) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.05])  # seconds between looks whether to end
        thread.start()
        yield f"http://{HOST}:{server.server_address[1]}/"
        server.shutdown()
        thread.join()


def test_what_is_built_is_what_the_sources_say() -> None:
    """Without Node.js too: the build notes the hash of each source that it read."""
    noted = json.loads((BUILT / "sources.json").read_text())
    sources = [WEB / "index.html", WEB / "vite.config.ts", WEB / "package-lock.json", *(WEB / "src").iterdir()]
    now = {path.relative_to(WEB).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in sources}
    assert noted == now, "run npm ci && npm run build in web/"


@pytest.mark.slow
def test_building_again_gives_the_same(node: str, modules: Path, tmp_path: Path) -> None:
    build = [node, str(modules / "vite/bin/vite.js"), "build", "--outDir", str(tmp_path), "--logLevel", "warn"]
    subprocess.run(build, cwd=WEB, check=True)
    for path in BUILT.iterdir():
        assert (tmp_path / path.name).read_bytes() == path.read_bytes(), path.name


def test_pages_files_ask_for_nothing_from_elsewhere() -> None:
    for path in BUILT.iterdir():
        text = path.read_text().replace("http://www.w3.org/", "")  # names of namespaces
        assert "http://" not in text
        assert "https://" not in text or path.suffix == ".html"  # links to read are in the page's text alone


def test_what_is_built_stays_small() -> None:
    assert sum(path.stat().st_size for path in BUILT.iterdir()) < 160_000


def test_a_first_visit_loads_less_than_three_megabytes() -> None:
    assert sum(len(content()) for path, content in contents().items() if "bb72" not in path) < 3e6


def test_the_server_gives_every_file(address: str) -> None:
    with urlopen(address) as answer:
        assert answer.headers["Content-Type"].startswith("text/html")
        assert b"<h1>" in answer.read()
    with urlopen(address + "models/surface_d3.safetensors") as answer:
        assert "trunk.embedding" in load(answer.read())
    with pytest.raises(HTTPError, match="404"):
        urlopen(address + "../pyproject.toml")


def test_the_page_is_written_whole(tmp_path: Path) -> None:
    write(tmp_path / "page")
    assert {path.relative_to(tmp_path / "page").as_posix() for path in (tmp_path / "page").rglob("*.*")} == set(
        contents()
    )
