"""Which models can be fetched by name: the index in the package, or one of the user's own."""

import hashlib
import json
import os
import re
import tomllib
from contextlib import suppress
from pathlib import Path
from typing import Annotated
from urllib.parse import urljoin, urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from cascade_qec.errors import CascadeError
from cascade_qec.files import written_whole
from cascade_qec.zoo.checksum import Checksum
from cascade_qec.zoo.home import home, require_network

_PACKAGED = Path(__file__).parent / "released.toml"
_SCHEMES = ("https", "http", "file")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_MOST_BYTES = 1 << 20


def is_name(text: str) -> bool:
    """Whether a text can name a model: only letters, digits, ``_`` and ``-``, so it is never a path or a URL."""
    return _NAME.fullmatch(text) is not None


def _a_name(text: str) -> str:
    if not is_name(text):
        raise ValueError(f"expected letters, digits, '_' and '-', got {text!r}")
    return text


class Release(BaseModel):
    """A model in the index: where its two files are, and their checksums."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, AfterValidator(_a_name)]
    url: str = Field(min_length=1)
    """The folder with ``<name>.safetensors`` and ``<name>.json``."""
    weights: Checksum
    card: Checksum

    def entry(self) -> str:
        """The release as it stands in an index file."""
        # A JSON string is a TOML string.
        files = [
            f'{title} = {{ bytes = {file.bytes}, sha256 = "{file.sha256}" }}'
            for title, file in (("weights", self.weights), ("card", self.card))
        ]
        return "\n".join(["[[model]]", f"name = {json.dumps(self.name)}", f"url = {json.dumps(self.url)}", *files, ""])


class _Index(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    model: list[Release] = []


def parse(content: bytes, origin: str) -> dict[str, Release]:
    """The releases in an index file by name, with absolute URLs.

    Parameters
    ----------
    content
        TOML, see docs/models.md.
    origin
        URL of the index. Its own URLs may be relative to it.

    Raises
    ------
    CascadeError
        If it is not an index; the message names the file, the entry and the field.
    """
    try:
        index = _Index.model_validate(tomllib.loads(content.decode()))
    except ValidationError as error:
        problem = error.errors()[0]
        where = " ".join(str(part + 1 if isinstance(part, int) else part) for part in problem["loc"])
        raise CascadeError(f"{origin}: {where}: {problem['msg'].removeprefix('Value error, ')}") from error
    except ValueError as error:  # not TOML, or not even text
        raise CascadeError(f"{origin}: expected an index of models, a TOML file: {error}") from error
    releases: dict[str, Release] = {}
    for number, release in enumerate(index.model, start=1):
        if release.name in releases:
            raise CascadeError(f"{origin}: model {number}: expected each name once, got {release.name} again")
        try:
            url = folder_url(origin, release.url)
        except CascadeError as error:
            raise CascadeError(f"{origin}: model {number} {error}") from error
        releases[release.name] = release.model_copy(update={"url": url})
    return releases


def folder_url(origin: str, url: str) -> str:
    """The absolute URL of a release's folder.

    Raises
    ------
    CascadeError
        If nothing can be fetched from there.
    """
    with suppress(ValueError):  # half of an IPv6 address, or bytes that are no text
        url.encode()
        absolute = urljoin(origin, url.rstrip("/") + "/") if url else ""
        if urlsplit(absolute).scheme in _SCHEMES:
            return absolute
    raise CascadeError(f"url: expected one of https, http or file, got {url!r}")


def releases(*, anew: bool = False, network: bool = True) -> dict[str, Release]:
    """The models in the index: the package's own, or the file or URL that ``CASCADE_INDEX`` names.

    An index at a URL is fetched once; its copy stays in the home.

    Parameters
    ----------
    anew
        Fetch an index at a URL once more.
    network
        False: an index at a URL that has not been fetched yet counts as empty.

    Raises
    ------
    CascadeError
        If the index cannot be read or fetched, or is not one.
    """
    source = os.environ.get("CASCADE_INDEX")
    if not source or "://" not in source:
        path = Path(source).expanduser().absolute() if source else _PACKAGED
        return parse(_read(path), path.as_uri())
    copy = home() / "indexes" / f"{hashlib.sha256(source.encode()).hexdigest()[:16]}.toml"
    if anew or (network and not copy.is_file()):
        _fetch(source, copy)
    return parse(_read(copy), source) if copy.is_file() else {}


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CascadeError(f"{path}: expected an index of models, cannot be read: {error.strerror}") from error


def _fetch(url: str, copy: Path) -> None:
    try:
        folder_url(url, ".")
    except CascadeError:
        raise CascadeError(f"CASCADE_INDEX: expected a file, or a URL of https, http or file, got {url!r}") from None
    require_network(url, f"the index {url} is not in {copy.parent}", "run 'cascade zoo pull' where there is a network")
    from cascade_qec.zoo.download import read_url

    content = read_url(url, _MOST_BYTES)
    parse(content, url)
    try:
        copy.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(copy) as file:
            file.write(content)
    except OSError as error:
        raise CascadeError(f"{copy}: cannot be written: {error.strerror}") from error
