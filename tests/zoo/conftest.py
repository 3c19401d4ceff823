"""A released model, and a web server on this machine."""

import shutil
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from cascade_qec import zoo
from cascade_qec.zoo.checksum import Checksum
from cascade_qec.zoo.index import Release


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home of one's own."""
    folder = tmp_path / "home"
    monkeypatch.setenv("CASCADE_HOME", str(folder))
    return folder


@pytest.fixture
def hosted(tmp_path: Path, tiny_model: Path) -> Path:
    """A folder with the weights and the card of a model named tiny, and an index of them."""
    folder = tmp_path / "hosted"
    folder.mkdir()
    shutil.copyfile(tiny_model, folder / "tiny.safetensors")
    zoo.card("surface_d3").model_copy(update={"name": "tiny"}).write(folder / "tiny.json")
    (folder / "index.toml").write_text(release_of(folder, "./").entry())
    return folder


def release_of(folder: Path, url: str) -> Release:
    weights, card = (Checksum.of(folder / f"tiny{suffix}") for suffix in (".safetensors", ".json"))
    return Release(name="tiny", url=url, weights=weights, card=card)


@pytest.fixture
def release(hosted: Path) -> Release:
    """What the index says of it, with the URL of the folder."""
    return release_of(hosted, f"{hosted.as_uri()}/")


Serve = Callable[[type[BaseHTTPRequestHandler]], str]


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Start a server that answers by a handler, and give its URL."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    servers: list[ThreadingHTTPServer] = []

    def start(handler: type[BaseHTTPRequestHandler]) -> str:
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        servers.append(server)
        Thread(target=server.serve_forever, args=(0.01,)).start()
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()
