"""Files from URLs: whole and as expected, or one clear error."""

import errno
import io
import os
import socket
from email.message import Message
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.request import Request

import pytest

from cascade_qec.errors import CascadeError
from cascade_qec.zoo.checksum import Checksum
from cascade_qec.zoo.download import _SafeRedirects, download, read_url

CONTENT = bytes(range(256)) * 1000


class Web(BaseHTTPRequestHandler):
    """One file, in several states."""

    def do_GET(self) -> None:
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/whole")
            self.end_headers()
        elif self.path == "/gone":
            self.send_error(404)
        elif self.path == "/hang_up":
            self.close_connection = True
        else:
            content = {
                "/altered": CONTENT[:-1] + b"\0",
                "/longer": CONTENT + b"\0",
                "/shorter": CONTENT[:-1],
                "/cut": CONTENT[:-1],
            }.get(self.path, CONTENT)
            self.send_response(200)
            self.send_header("Content-Length", str(len(CONTENT) if self.path == "/cut" else len(content)))
            self.end_headers()
            self.wfile.write(content)

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@pytest.fixture
def expected(tmp_path: Path) -> Checksum:
    (tmp_path / "original").write_bytes(CONTENT)
    return Checksum.of(tmp_path / "original")


@pytest.mark.parametrize("name", ["whole", "moved"])
def test_a_file_and_how_far_it_has_come(name, expected, tmp_path, serve):
    seen = []
    download(f"{serve(Web)}/{name}", tmp_path / "file", expected, seen.append)
    assert (tmp_path / "file").read_bytes() == CONTENT
    assert seen == sorted(seen)
    assert seen[-1] == len(CONTENT)


def test_a_file_of_this_machine(expected, tmp_path):
    folder = tmp_path / "a folder, größer"
    folder.mkdir()
    (folder / "original").write_bytes(CONTENT)
    download(f"file://{folder}/original", tmp_path / "file", expected, lambda done: None)
    assert (tmp_path / "file").read_bytes() == CONTENT
    with pytest.raises(CascadeError, match=r"none: cannot be fetched: No such file or directory"):
        download(f"{folder.as_uri()}/none", tmp_path / "file", expected, lambda done: None)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("altered", r"/altered: refused, .* expected 256,000 bytes with SHA-256 .*, got 256,000 bytes with SHA-256 "),
        ("longer", r"/longer: refused: expected 256,000 bytes with SHA-256 .*, got more bytes"),
        ("shorter", r"/shorter: refused, as truncated or altered: expected 256,000 bytes .*, got 255,999 bytes with"),
        ("cut", r"/cut: (refused, as truncated or altered: .*got 255,999 bytes|cannot be fetched: .*IncompleteRead)"),
        ("gone", r"/gone: cannot be fetched: the server answered 404 Not Found"),
        ("hang_up", r"/hang_up: cannot be fetched: Remote end closed connection without response"),
    ],
)
def test_what_is_not_the_file_is_refused(name, message, expected, tmp_path, serve):
    with pytest.raises(CascadeError, match=message):
        download(f"{serve(Web)}/{name}", tmp_path / "file", expected, lambda done: None)


def test_no_connection(expected, tmp_path, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # taken, but nobody listens
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/file"
        with pytest.raises(CascadeError, match="cannot be fetched: Connection refused"):
            download(url, tmp_path / "file", expected, lambda done: None)


def test_a_full_disk(expected, tmp_path, monkeypatch):
    class Full(io.BytesIO):
        def write(self, _: object) -> int:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    (tmp_path / "whole").write_bytes(CONTENT)
    monkeypatch.setattr(Path, "open", lambda *_: Full())
    with pytest.raises(CascadeError, match=r"file: cannot be written: No space left on device"):
        download((tmp_path / "whole").as_uri(), tmp_path / "file", expected, lambda done: None)


def test_redirects_keep_to_https():
    request = Request("https://example.org/file")
    for url in ("http://example.org/other", "ftp://example.org/other"):
        with pytest.raises(CascadeError, match=r"example\.org/file: refused, as it redirects from https to "):
            _SafeRedirects().redirect_request(request, io.BytesIO(), 302, "Found", Message(), url)
    followed = _SafeRedirects().redirect_request(
        request, io.BytesIO(), 302, "Found", Message(), "https://example.com/other"
    )
    assert followed is not None
    assert followed.full_url == "https://example.com/other"


def test_a_small_file_must_be_small(serve):
    url = f"{serve(Web)}/whole"
    assert read_url(url, len(CONTENT)) == CONTENT
    with pytest.raises(CascadeError, match="expected at most 255,999 bytes, got more"):
        read_url(url, len(CONTENT) - 1)
