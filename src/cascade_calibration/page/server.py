"""The page's server, on the loopback interface alone.

Whoever asks has to show the token, in a header, so that no other site can ask in a person's name. Names of other hosts,
other origins, long bodies and bodies that are no JSON are refused besides.
"""

from __future__ import annotations

import asyncio
import hmac
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from importlib import resources
from typing import Annotated, Any

from fastapi import FastAPI, Path, Query, Request, Response
from fastapi.responses import PlainTextResponse, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import to_json

from cascade_calibration.page.desk import Desk
from cascade_qec.errors import CascadeError

HOST = "127.0.0.1"

_STATIC = resources.files("cascade_calibration.page") / "static"
_FILES = {
    "/": ("index.html", "text/html"),
    "/page.js": ("page.js", "text/javascript"),
    "/page.css": ("page.css", "text/css"),
}
_BYTES = 1 << 16
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_EVERY = 0.1
"""Seconds between looks for news."""
_QUIET = 10.0
"""Seconds after which a listener hears that nothing is new."""

_Number = Annotated[int, Field(ge=0, le=10**9)]
_Text = Annotated[str, Field(max_length=100)]


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Approval(_Asked):
    run: _Number
    parameters: dict[_Text, _Text] = Field(default={}, max_length=100)
    suggested: bool = False


class _Going(_Asked):
    on: bool


class _Explaining(_Asked):
    run: _Number


class _Nothing(_Asked):
    pass


def application(desk: Desk, token: str, port: int) -> FastAPI:
    """The page and what it asks for; the desk stays open."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    own = {f"{name}:{port}" for name in (HOST, "localhost")}

    @app.middleware("http")
    async def guard(request: Request, go_on: Callable[[Request], Awaitable[Response]]) -> Response:
        problem = _problem(request, own, token)
        response = PlainTextResponse(*problem) if problem else await go_on(request)
        response.headers.update(_HEADERS)
        return response

    @app.exception_handler(CascadeError)
    async def refused(_: Request, error: CascadeError) -> Response:
        return _json({"problem": str(error)}, status=409)

    for path, (name, kind) in _FILES.items():
        content = (_STATIC / name).read_bytes()
        app.get(path)(_file(content, kind))

    @app.get("/api/state")
    def state() -> Response:
        return _json(desk.shown())

    @app.get("/api/log")
    def log(after: Annotated[int, Query(ge=0, le=10**9)] = 0) -> Response:
        return _json(desk.entries(after))

    @app.get("/api/runs/{number}")
    def run(number: Annotated[int, Path(ge=0, le=10**9)]) -> Response:
        return _json(desk.measured(number))

    @app.get("/api/events")
    async def events() -> StreamingResponse:
        return StreamingResponse(_news(desk), media_type="text/event-stream")

    @app.post("/api/approve")
    def approve(asked: _Approval) -> Response:
        desk.approve(asked.run, asked.parameters, suggested=asked.suggested)
        return _json({})

    @app.post("/api/go")
    def go(asked: _Going) -> Response:
        desk.go(asked.on)
        return _json({})

    @app.post("/api/stop")
    def stop(asked: _Nothing) -> Response:
        desk.stop()
        return _json({})

    @app.post("/api/explain")
    def explain(asked: _Explaining) -> Response:
        desk.explain(asked.run)
        return _json({})

    return app


def serve(desk: Desk, token: str, port: int, started: Callable[[str], None]) -> None:
    """Serve on the loopback interface until Ctrl-C; `started` is told the address, with the token.

    Raises
    ------
    OSError
        If the port is taken.
    """
    import uvicorn

    with socket.create_server((HOST, port)) as listening:
        port = listening.getsockname()[1]
        config = uvicorn.Config(
            application(desk, token, port),
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=1,
        )
        started(f"http://{HOST}:{port}/#{token}")
        uvicorn.Server(config).run(sockets=[listening])


def _problem(request: Request, own: set[str], token: str) -> tuple[str, int] | None:
    """What is wrong with a request, and the status that says so."""
    headers = request.headers
    if headers.get("host") not in own:
        return "expected this page's own host", 421
    if headers.get("origin", f"http://{headers['host']}") != f"http://{headers['host']}":
        return "expected this page's own origin", 403
    if request.url.path in _FILES:
        return None
    shown = headers.get("authorization", "").removeprefix("Bearer ")
    if not hmac.compare_digest(shown.encode(), token.encode()):
        return "expected the token that the command line shows", 401
    if request.method == "POST":
        if headers.get("content-type") != "application/json":
            return "expected JSON", 415
        length = headers.get("content-length", "")
        if not length.isdecimal() or len(length) > 8 or int(length) > _BYTES:
            return f"expected a body of at most {_BYTES} bytes", 413
    return None


async def _news(desk: Desk) -> AsyncIterator[bytes]:
    """The version of what the desk shows, whenever it is another, and now and then that nothing is new."""
    seen, waited = -1, 0.0
    while True:
        if desk.version != seen:
            seen, waited = desk.version, 0.0
            yield f"data: {seen}\n\n".encode()
        elif waited >= _QUIET:
            waited = 0.0
            yield b": nothing new\n\n"
        await asyncio.sleep(_EVERY)
        waited += _EVERY


def _file(content: bytes, kind: str) -> Callable[[], Response]:
    return lambda: Response(content, media_type=f"{kind}; charset=utf-8")


def _json(content: Any, status: int = 200) -> Response:
    return Response(to_json(content, inf_nan_mode="null", fallback=_plain), status, media_type="application/json")


def _plain(value: Any) -> Any:
    """Arrays, and what else of NumPy stands in a verdict."""
    return value.tolist()
