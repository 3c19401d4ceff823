"""Models of several providers behind one interface: text and pictures go out, one checked answer comes back."""

from __future__ import annotations

import base64
import json
import os
import re
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, ValidationError

from cascade_qec.errors import CascadeError, unknown

if TYPE_CHECKING:
    import anthropic
    import openai

Answer = TypeVar("Answer", bound=BaseModel)

ANSWER = "answer"
"""What the form of an answer is called when a model is told of it."""

_BYTES = 4 << 20
"""Longer replies are not read."""
_SHOWN = 300
"""Characters of what a server said that an error shows."""


_FENCE = re.compile(r"\s*```(?:json)?\s*\n(.*?)\n?```\s*", flags=re.DOTALL)
"""Around an answer of a model that its server did not hold to the form."""


class NoAnswer(CascadeError):
    """A reply came, but it is none that can be used."""


@dataclass(frozen=True)
class Provider:
    """Where a provider listens (None: wherever the user says), and the environment variable of its key."""

    address: str | None
    key: str


PROVIDERS = {
    "openai": Provider("https://api.openai.com/v1", "OPENAI_API_KEY"),
    "anthropic": Provider("https://api.anthropic.com", "ANTHROPIC_API_KEY"),
    "nvidia": Provider("https://integrate.api.nvidia.com/v1", "NVIDIA_API_KEY"),
    "local": Provider(None, "LOCAL_MODEL_API_KEY"),
}
"""By the name before the colon."""


@dataclass(frozen=True)
class Settings:
    """How a model is asked.

    Attributes
    ----------
    silence, whole
        Seconds without a byte that end a try, and seconds in which a reply that began has to be there.
    retries
        After answers 408, 409, 429 and 5xx and lost connections, with pauses that grow, or as long as the server asks.
    tokens
        Of an answer, thoughts included.
    temperature
        None leaves it to the model.
    """

    silence: float = 300.0
    whole: float = 300.0
    retries: int = 4
    tokens: int = 16_384
    temperature: float | None = None


class Model(Protocol):
    """A model that answers questions. It is offered no tools, and its answer is one message."""

    @property
    def name(self) -> str:
        """As the user named it."""
        ...

    def say(self, instructions: str, question: Sequence[str | bytes]) -> str:
        """Answer in plain text.

        Parameters
        ----------
        question
            Texts and pictures (PNG), in order.

        Raises
        ------
        NoAnswer
            If the reply is none: cut off, refused, of another layout, too long, or a call of a tool.
        CascadeError
            If none came.
        """
        ...

    def ask(self, instructions: str, question: Sequence[str | bytes], form: type[Answer]) -> Answer:
        """Answer in a form; raises as `say` does, and `NoAnswer` for what does not fit the form."""
        ...


def connect(name: str, *, address: str | None = None, settings: Settings = Settings()) -> Model:
    """A model by its name.

    Parameters
    ----------
    name
        ``PROVIDER:MODEL``; providers are those of :data:`PROVIDERS`, ``local`` being any server that speaks as
        OpenAI's does, such as vLLM and llama.cpp. The key comes from the provider's environment variable.
    address
        In the place of the provider's own.

    Raises
    ------
    CascadeError
        If there is no such provider, no key, no address, or the key would cross a network unencrypted.
    """
    kind, _, model = name.partition(":")
    if not model:
        raise CascadeError(f"expected a model as PROVIDER:MODEL (providers: {', '.join(PROVIDERS)}), got {name!r}")
    if kind not in PROVIDERS:
        raise unknown("provider", kind, PROVIDERS)
    provider = PROVIDERS[kind]
    base, key = address or provider.address, os.environ.get(provider.key, "")
    if base is None:
        raise CascadeError(f"{name}: expected the server's address, such as http://127.0.0.1:8000/v1, got none")
    if not key and address is None:
        raise CascadeError(f"{name}: expected a key in the environment variable {provider.key}, found none")
    try:
        parts = urlsplit(base)
    except ValueError as error:
        raise CascadeError(f"{name}: expected an address, got none: {error}") from error
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.password:
        raise CascadeError(f"{name}: expected an address http(s)://HOST without a password, got another")
    if key and parts.scheme == "http" and not _own(parts.hostname):
        raise CascadeError(f"{name}: expected https where a key goes over a network, got http to {parts.hostname}")
    make = _Anthropic if kind == "anthropic" else _OpenAI
    return make(name, model, base, key, settings)


@dataclass(frozen=True)
class _Client(ABC):
    name: str
    model: str
    address: str
    key: str = field(repr=False)
    settings: Settings

    def say(self, instructions: str, question: Sequence[str | bytes]) -> str:
        return self._reply(instructions, question, None)

    def ask(self, instructions: str, question: Sequence[str | bytes], form: type[Answer]) -> Answer:
        return read(self._reply(instructions, question, form.model_json_schema()), form, self.name)

    @abstractmethod
    def _reply(self, instructions: str, question: Sequence[str | bytes], schema: Mapping[str, Any] | None) -> str: ...

    def _read(self, opened: AbstractContextManager[Any], envelope: type[Answer], failures: type[Exception]) -> Answer:
        """A whole reply, no longer than it may be and no later."""
        import httpx2

        end, content = time.monotonic() + self.settings.whole, b""
        try:
            with opened as response:
                for piece in response.iter_bytes():
                    content += piece
                    if len(content) > _BYTES:
                        raise NoAnswer(f"{self.name}: expected a reply of at most {_BYTES:,} bytes, got more")
                    if time.monotonic() > end:
                        raise CascadeError(f"{self.name}: expected a whole reply within {self.settings.whole:g} s")
        except (failures, httpx2.HTTPError) as error:
            raise self._failed(error) from None  # the error knows the request, and that the key
        return read(content, envelope, self.name)

    def _failed(self, error: Exception) -> CascadeError:
        status, said = getattr(error, "status_code", None), str(getattr(error, "body", None) or error)
        # a server may repeat the key
        text = printable(said.replace(self.key, "***") if self.key else said)
        parts = urlsplit(self.address)
        whom = f"{parts.scheme}://{parts.netloc}{parts.path}"  # a query may have the key in it
        return CascadeError(f"{self.name}: no answer from {whom}{f', status {status}' if status else ''}: {text}")

    def _whole(self, text: str, cut: bool) -> str:
        if cut:
            raise NoAnswer(f"{self.name}: expected a whole answer, got one cut off after {self.settings.tokens} tokens")
        if not text.strip():
            raise NoAnswer(f"{self.name}: expected an answer, got none")
        return text


class _Block(BaseModel):
    type: str
    text: str = ""
    name: str = ""
    input: dict[str, Any] = {}


class _Message(BaseModel):
    content: str | list[_Block] | None = None
    refusal: str | None = None
    tool_calls: list[Any] | None = None


class _Choice(BaseModel):
    message: _Message
    finish_reason: str | None = None


class _Completion(BaseModel):
    choices: list[_Choice] = Field(min_length=1)


class _Reply(BaseModel):
    content: list[_Block]
    stop_reason: str | None = None


class _OpenAI(_Client):
    def _reply(self, instructions: str, question: Sequence[str | bytes], schema: Mapping[str, Any] | None) -> str:
        import openai

        asked: dict[str, Any] = {
            "model": self.model,
            "messages": [
                *([{"role": "system", "content": instructions}] if instructions else []),
                {"role": "user", "content": [_openai_part(part) for part in question]},
            ],
            # OpenAI's newer models take no other name, and other servers only know the older one
            "max_completion_tokens" if self.name.startswith("openai:") else "max_tokens": self.settings.tokens,
        }
        if self.settings.temperature is not None:
            asked["temperature"] = self.settings.temperature
        if schema is not None:
            form = {"name": ANSWER, "schema": schema, "strict": False}  # strict knows a part of JSON schema alone
            asked["response_format"] = {"type": "json_schema", "json_schema": form}
        with self._opened() as client:
            opened = client.chat.completions.with_streaming_response.create(**asked)
            found = self._read(opened, _Completion, openai.OpenAIError)
        choice = found.choices[0]
        if choice.message.tool_calls:
            raise NoAnswer(f"{self.name}: expected an answer, got a call of a tool, none of which was offered")
        if choice.message.refusal or choice.finish_reason == "content_filter":
            raise NoAnswer(f"{self.name}: refused to answer: {printable(choice.message.refusal or '')}")
        content = choice.message.content or ""
        text = content if isinstance(content, str) else "".join(one.text for one in content if one.type == "text")
        return self._whole(text, choice.finish_reason == "length")

    def _opened(self) -> openai.OpenAI:
        import openai

        return openai.OpenAI(
            api_key=self.key or "none",
            base_url=self.address,
            timeout=self.settings.silence,
            max_retries=self.settings.retries,
            # without it a redirect could take what is asked elsewhere
            http_client=openai.DefaultHttpxClient(follow_redirects=False),
            organization="",  # not what the environment says, which other providers need not know
            project="",
        )


class _Anthropic(_Client):
    def _reply(self, instructions: str, question: Sequence[str | bytes], schema: Mapping[str, Any] | None) -> str:
        import anthropic

        asked: dict[str, Any] = {
            "model": self.model,
            **({"system": instructions} if instructions else {}),
            "messages": [{"role": "user", "content": [_anthropic_part(part) for part in question]}],
            "max_tokens": self.settings.tokens,
        }
        if self.settings.temperature is not None:
            asked["temperature"] = self.settings.temperature
        if schema is not None:  # its way to ask for a form: nothing is called
            asked["tools"] = [{"name": ANSWER, "description": "The answer.", "input_schema": schema}]
            asked["tool_choice"] = {"type": "tool", "name": ANSWER}
        with self._opened() as client:
            opened = client.messages.with_streaming_response.create(**asked)
            found = self._read(opened, _Reply, anthropic.AnthropicError)
        called = [one for one in found.content if one.type == "tool_use"]
        if any(schema is None or one.name != ANSWER for one in called):
            raise NoAnswer(f"{self.name}: expected an answer, got a call of a tool that was not offered")
        if found.stop_reason == "refusal":
            raise NoAnswer(f"{self.name}: refused to answer")
        if schema is None:
            text = "".join(one.text for one in found.content if one.type == "text")
        elif len(called) == 1:
            text = json.dumps(called[0].input)
        else:
            raise NoAnswer(f"{self.name}: expected one answer in the form that was asked for, got {len(called)}")
        return self._whole(text, found.stop_reason == "max_tokens")

    def _opened(self) -> anthropic.Anthropic:
        import anthropic

        return anthropic.Anthropic(
            api_key=self.key or "none",
            base_url=self.address,
            timeout=self.settings.silence,
            max_retries=self.settings.retries,
            http_client=anthropic.DefaultHttpxClient(follow_redirects=False),
        )


def read(content: str | bytes, form: type[Answer], who: str) -> Answer:
    """JSON as a form, or `NoAnswer` with the first thing that does not fit."""
    fenced = _FENCE.fullmatch(content) if isinstance(content, str) else None
    try:
        return form.model_validate_json(fenced[1] if fenced else content)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "the whole"
        problem = printable(f"{where}: {first['msg']}")
        raise NoAnswer(f"{who}: expected an answer in the form that was asked for, got another: {problem}") from None


def printable(text: str, most: int = _SHOWN) -> str:
    """Text of strangers on one line without control characters, no longer than `most`."""
    line = " ".join("".join(one if one.isprintable() else " " for one in text).split())
    return line if len(line) <= most else f"{line[:most]}…"


def _own(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _openai_part(part: str | bytes) -> dict[str, Any]:
    if isinstance(part, str):
        return {"type": "text", "text": part}
    return {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{base64.b64encode(part).decode()}"}}


def _anthropic_part(part: str | bytes) -> dict[str, Any]:
    if isinstance(part, str):
        return {"type": "text", "text": part}
    source = {"type": "base64", "media_type": "image/png", "data": base64.b64encode(part).decode()}
    return {"type": "image", "source": source}
