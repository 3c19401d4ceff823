"""Models behind one interface, and servers that do all that servers can do wrong."""

from __future__ import annotations

import base64
import json
import time
from http.server import BaseHTTPRequestHandler

import pytest
from pydantic import BaseModel, ConfigDict, Field

from cascade_calibration.assistant.models import NoAnswer, Settings, connect
from cascade_qec.errors import CascadeError
from tests.calibration.assistant.conftest import Played, anthropic_reply, openai_reply

QUICK = Settings(silence=2, whole=2, retries=2)
PICTURE = b"\x89PNG picture"
AT_ONCE = {"retry-after-ms": "1"}


class Form(BaseModel):
    model_config = ConfigDict(extra="forbid")

    status: str = Field(max_length=20)
    delay: float = Field(allow_inf_nan=False)


GOOD = {"status": "SUCCESS", "delay": 2.5}


def called(content: dict, name: str = "answer") -> dict:
    return {"type": "tool_use", "id": "1", "name": name, "input": content}


@pytest.mark.parametrize("name", ["openai:gpt", "nvidia:some/vision", "local:any"])
def test_the_dialect_of_openai(played: Played, name: str) -> None:
    played.answer(openai_reply(json.dumps(GOOD)))
    model = connect(name, address=f"{played.address}/v1", settings=QUICK)
    assert model.ask("Be short.", ["What is it?", PICTURE], Form) == Form(status="SUCCESS", delay=2.5)
    ((path, headers, body),) = played.asked
    assert path == "/v1/chat/completions"
    provider, _, wanted = name.partition(":")
    key = {"local": "secret-local_model"}.get(provider, f"secret-{provider}")
    assert headers["authorization"] == f"Bearer {key}"
    assert key not in json.dumps(body)
    assert key not in repr(model)
    assert body["model"] == wanted
    system, user = body["messages"]
    assert system == {"role": "system", "content": "Be short."}
    text, picture = user["content"]
    assert text == {"type": "text", "text": "What is it?"}
    assert base64.b64decode(picture["image_url"]["url"].removeprefix("data:image/png;base64,")) == PICTURE
    assert body["response_format"]["json_schema"]["schema"]["required"] == ["status", "delay"]
    assert not body.get("stream")
    assert "tools" not in body


def test_the_dialect_of_anthropic(played: Played) -> None:
    played.answer(anthropic_reply({"type": "text", "text": "Well."}, called(GOOD)), anthropic_reply(text("Flat.")))
    model = connect("anthropic:claude", address=played.address, settings=QUICK)
    assert model.ask("Be short.", ["What is it?", PICTURE], Form).delay == 2.5
    assert model.say("Be short.", ["What is it?"]) == "Flat."
    (path, headers, body), (_, _, plain) = played.asked
    assert path == "/v1/messages"
    assert headers.get("x-api-key", headers.get("authorization")).endswith("secret-anthropic")
    assert "secret" not in json.dumps(body)
    assert body["system"] == "Be short."
    source = body["messages"][0]["content"][1]["source"]
    assert (source["media_type"], base64.b64decode(source["data"])) == ("image/png", PICTURE)
    assert body["tool_choice"] == {"type": "tool", "name": "answer"}
    assert "tools" not in plain


def test_what_other_providers_need_not_know_is_not_sent(played: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_ORG_ID", "our-organization")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "our-project")
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "another-secret")
    played.answer(openai_reply("Flat."), anthropic_reply(text("Flat.")))
    connect("nvidia:vision", address=f"{played.address}/v1").say("", ["?"])
    connect("anthropic:claude", address=played.address).say("", ["?"])
    sent = json.dumps([headers for _, headers, _ in played.asked])
    assert "secret-nvidia" in sent
    for private in ("our-organization", "our-project", "another-secret", "secret-openai"):
        assert private not in sent


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_server_is_asked_again_and_not_for_ever(played: Played, status: int) -> None:
    busy = (status, AT_ONCE, {"error": {"message": "later, secret-openai"}})
    played.answer(busy, busy, openai_reply("Flat."))
    model = connect("openai:gpt", address=played.address, settings=QUICK)
    assert model.say("", ["?"]) == "Flat."
    assert len(played.asked) == 3
    played.answer(busy)
    with pytest.raises(
        CascadeError, match=rf"openai:gpt: no answer from http://127.*, status {status}: .*later, \*\*\*"
    ) as raised:
        model.say("", ["?"])
    assert len(played.asked) == 3
    assert "secret" not in str(raised.value)
    assert raised.value.__suppress_context__


def test_a_refused_key_is_not_tried_again_and_not_shown(played: Played) -> None:
    played.answer((401, {}, {"error": {"message": "Incorrect API key provided: secret-anthropic\x1b[2J" + "x" * 9999}}))
    with pytest.raises(CascadeError, match="status 401") as raised:
        connect("anthropic:claude", address=played.address, settings=QUICK).say("", ["?"])
    assert len(played.asked) == 1
    assert "secret" not in str(raised.value)
    assert str(raised.value).isprintable()
    assert len(str(raised.value)) < 400


def test_a_redirect_is_not_followed(played: Played) -> None:
    played.answer((307, {"Location": f"{played.address}/elsewhere"}, b""))
    with pytest.raises(CascadeError, match="status 307"):
        connect("anthropic:claude", address=played.address, settings=QUICK).say("", ["?"])
    assert len(played.asked) == 1


STREAM = (200, {"Content-Type": "text/event-stream"}, b'data: {"choices": [{"delta": {"content": "Flat"}}]}\n\n')
WRONG = {
    "truncated": (openai_reply('{"status": "SUCC'), "form that was asked for"),
    "truncated envelope": (json.dumps(openai_reply("Flat."))[:40].encode(), "form that was asked for"),
    "cut off": (openai_reply(json.dumps(GOOD), finish_reason="length"), "cut off after 16384 tokens"),
    "empty": (openai_reply(""), "got none"),
    "nothing": (openai_reply(None), "got none"),
    "no choices": ({"choices": []}, "choices: List should have at least 1 item"),
    "refusal": (openai_reply(None, refusal="No.\n"), "refused to answer: No."),
    "filtered": (openai_reply("", finish_reason="content_filter"), "refused"),
    "a tool": (openai_reply(None, tool_calls=[{"function": {"name": "shell"}}]), "none of which was offered"),
    "a stream": (STREAM, "form that was asked for"),
    "a page": ((200, {"Content-Type": "text/html"}, b"<html>Log in"), "form that was asked for"),
    "no text": (b"\xff\xfe\x00", "form that was asked for"),
    "a list": (openai_reply("[1, 2]"), "form that was asked for"),
    "more fields": (openai_reply(json.dumps(GOOD | {"shell": "rm"})), "shell: Extra inputs"),
    "a huge number": (openai_reply('{"status": "SUCCESS", "delay": 1e999}'), "delay: Input should be a finite number"),
    "digits": (openai_reply('{"status": "SUCCESS", "delay": ' + "9" * 9999 + "}"), "number out of range"),
    "no number": (openai_reply('{"status": "SUCCESS", "delay": NaN}'), "delay: Input should be a finite number"),
    "a long text": (openai_reply(json.dumps(GOOD | {"status": "S" * 99})), "status: String should have at most 20"),
    "deep": (openai_reply("[" * 100_000), "form that was asked for"),
    "endless": (b" " * (5 << 20), "at most 4,194,304 bytes"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_reply_that_cannot_be_used_is_one_clear_error(played: Played, case: str) -> None:
    reply, message = WRONG[case]
    played.answer(reply)
    with pytest.raises(NoAnswer, match=message) as raised:
        connect("openai:gpt", address=played.address, settings=QUICK).ask("", ["?"], Form)
    assert len(str(raised.value)) < 500
    assert str(raised.value).isprintable()


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (anthropic_reply(called(GOOD, "shell")), "not offered"),
        (anthropic_reply(called(GOOD), called(GOOD)), "expected one answer"),
        (anthropic_reply(), "expected one answer"),
        (anthropic_reply(called(GOOD), stop_reason="max_tokens"), "cut off"),
        (anthropic_reply(stop_reason="refusal"), "refused"),
        (anthropic_reply(called({"status": "SUCCESS"})), "delay: Field required"),
        ({"content": "Flat."}, "content: Input should be a valid"),
    ],
)
def test_a_reply_of_anthropic_that_cannot_be_used(played: Played, reply: dict, message: str) -> None:
    played.answer(reply)
    with pytest.raises(NoAnswer, match=message):
        connect("anthropic:claude", address=played.address, settings=QUICK).ask("", ["?"], Form)


def test_fences_of_a_server_that_does_not_hold_its_model_to_the_form(played: Played) -> None:
    played.answer(openai_reply(f"```json\n{json.dumps(GOOD)}\n```"))
    assert connect("local:any", address=played.address).ask("", ["?"], Form).status == "SUCCESS"


def test_a_reply_that_drips_or_breaks_off_ends(played: Played) -> None:
    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        for _ in range(100):
            try:
                handler.wfile.write(b" ")
            except OSError:
                return
            time.sleep(0.05)

    def broken(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        handler.wfile.write(b'{"choices": [')

    settings = Settings(silence=2, whole=0.2, retries=0)
    for behaviour, message in ((drip, "whole reply within 0.2 s"), (broken, "no answer from http://127")):
        played.answer(behaviour)
        with pytest.raises(CascadeError, match=message):
            connect("openai:gpt", address=played.address, settings=settings).say("", ["?"])


@pytest.mark.parametrize(
    ("name", "address", "message"),
    [
        ("gpt", None, "PROVIDER:MODEL"),
        ("opena:gpt", None, "did you mean openai"),
        ("local:any", None, "expected the server's address"),
        ("openai:gpt", "http://models.example/v1", "expected https where a key goes over a network"),
        ("openai:gpt", "ftp://127.0.0.1", "expected an address http"),
        ("openai:gpt", "https://me:secret@example", "without a password"),
        ("openai:gpt", "http://[::1", "expected an address"),
    ],
)
def test_a_model_that_cannot_be(played: Played, name: str, address: str | None, message: str) -> None:
    with pytest.raises(CascadeError, match=message) as raised:
        connect(name, address=address)
    assert "secret" not in str(raised.value)


def test_a_key_is_needed_where_the_provider_wants_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NVIDIA_API_KEY", raising=False)
    with pytest.raises(CascadeError, match="expected a key in the environment variable NVIDIA_API_KEY"):
        connect("nvidia:vision")


def text(said: str) -> dict:
    return {"type": "text", "text": said}
