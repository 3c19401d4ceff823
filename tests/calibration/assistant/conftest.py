"""A server on the loopback interface that plays the providers, and all that goes wrong with them."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

Script = list[tuple[int, dict[str, str], bytes] | Callable[[BaseHTTPRequestHandler], None]]


class Played:
    """What the server answers, in turn (the last again and again), and what it was asked."""

    def __init__(self) -> None:
        self.answers: Script = []
        self.asked: list[tuple[str, dict[str, str], dict[str, Any]]] = []
        self.address = ""

    def answer(self, *answers: Any) -> None:
        """Each is bytes or what becomes JSON (200), (status, headers, one of both), or a function of the handler."""
        self.answers, self.asked = [_full(one) for one in answers], []


@pytest.fixture(scope="session")
def _running() -> Iterator[Played]:
    played = Played()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            played.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            answer = played.answers[min(len(played.asked), len(played.answers)) - 1]
            if callable(answer):
                answer(self)
                return
            status, headers, content = answer
            self.send_response(status)
            shown = {"Content-Type": "application/json", "Content-Length": str(len(content))} | headers
            for name, value in shown.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        played.address = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield played
        server.shutdown()
        thread.join()


@pytest.fixture
def played(_running: Played, monkeypatch: pytest.MonkeyPatch) -> Played:
    """The server; keys of all providers are in the environment."""
    for name in ("OPENAI", "ANTHROPIC", "NVIDIA", "LOCAL_MODEL"):
        monkeypatch.setenv(f"{name}_API_KEY", f"secret-{name.lower()}")
    return _running


def openai_reply(text: str | None, **message: Any) -> dict[str, Any]:
    finish = message.pop("finish_reason", "stop")
    return {"choices": [{"message": {"role": "assistant", "content": text} | message, "finish_reason": finish}]}


def anthropic_reply(*blocks: dict[str, Any], stop_reason: str = "tool_use") -> dict[str, Any]:
    return {"content": list(blocks), "stop_reason": stop_reason}


def _full(answer: Any) -> Any:
    if callable(answer):
        return answer
    status, headers, content = answer if isinstance(answer, tuple) else (200, {}, answer)
    return status, headers, content if isinstance(content, bytes) else json.dumps(content).encode()
