"""Shows the page to the browsers of this machine."""

from __future__ import annotations

import sys
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

from cascade_qec.page.own_shots import OwnShots
from cascade_qec.page.site import contents

HOST = "127.0.0.1"

_TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}


def serving(port: int, own: OwnShots | None = None) -> ThreadingHTTPServer:
    """A server of the page on the loopback interface; `serve_forever` runs it. Port 0 takes a free one.

    `own` are shots that the reader brings along.

    Raises
    ------
    OSError
        If the port is taken.
    """
    return _Server((HOST, port), partial(_Handler, own))


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """A browser may go away before it has read everything."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # pyright: ignore[reportArgumentType]


class _Handler(BaseHTTPRequestHandler):
    def __init__(self, own: OwnShots | None, *connection: Any) -> None:
        self._own = own
        super().__init__(*connection)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def _answer(self, *, with_body: bool) -> None:
        path = unquote(urlsplit(self.path).path).lstrip("/") or "index.html"
        content = contents(self._own).get(path)
        if content is None:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        body = content()
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", _TYPES.get("." + path.rpartition(".")[2], "application/octet-stream"))
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-cache")  # another version may be installed meanwhile
        self.end_headers()
        if with_body:
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nobody reads a line for each file."""
