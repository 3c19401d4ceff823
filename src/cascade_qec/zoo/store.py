"""Fetched models: each has a folder in the home, is whole or absent, and is checked at every use."""

import errno
import os
import secrets
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Literal

from cascade_qec.errors import CascadeError
from cascade_qec.zoo.checksum import Checksum
from cascade_qec.zoo.home import home, require_network
from cascade_qec.zoo.index import Release, parse

Suffix = Literal[".safetensors", ".json"]
"""Ending of a model's file: its weights or its card."""

_RECORD = "released.toml"
"""An index with the one entry that a model was fetched by."""


def fetched() -> list[str]:
    """Names of the models in the home, in alphabetical order."""
    return sorted(record.parent.name for record in _models().glob(f"[!.]*/{_RECORD}"))


def file(name: str, suffix: Suffix) -> Path:
    """A file of a fetched model, unchanged since it was fetched.

    Raises
    ------
    CascadeError
        If it is missing, or has been changed since.
    """
    release, path = _record(name), _models() / name / f"{name}{suffix}"
    expected = release.weights if suffix == ".safetensors" else release.card
    try:
        found = Checksum.of(path)
    except CascadeError as error:
        raise CascadeError(f"{error}: {_again(name)}") from error
    if found != expected:
        raise CascadeError(
            f"{path}: refused, as changed since it was fetched: expected {expected}, got {found}: {_again(name)}"
        )
    return path


def holds(release: Release) -> bool:
    """Whether both files of exactly this release are here, unchanged."""
    try:
        record = _record(release.name)
        file(release.name, ".safetensors")
        file(release.name, ".json")
    except CascadeError:
        return False
    return (record.weights, record.card) == (release.weights, release.card)


def fetch(release: Release) -> None:
    """Fetch a model into the home, in place of any other release of that name.

    It gets its name once both files are there and found right, so neither an interruption nor another process that
    does the same can leave half a model.

    Raises
    ------
    CascadeError
        If it may not or cannot be fetched, is not what the index says, or cannot be written.
    """
    from cascade_qec.zoo.download import download, shown

    name, folder = release.name, _models() / release.name
    require_network(
        release.url,
        f"{name}: {folder / name}.safetensors is missing",
        f"run 'cascade zoo pull {name}' where there is a network and copy {folder} from there",
    )
    part = folder.with_name(f".{name}.{os.getpid()}.{secrets.token_hex(4)}.part")
    try:
        part.mkdir(parents=True)
        download(f"{release.url}{name}.json", part / f"{name}.json", release.card, lambda done: None)
        with shown(f"Fetching {name}", release.weights.bytes, release.url) as report:
            download(f"{release.url}{name}.safetensors", part / f"{name}.safetensors", release.weights, report)
        (part / _RECORD).write_text(release.entry(), encoding="utf-8")
        _place(part, release)
    except OSError as error:
        raise CascadeError(f"{folder}: cannot be written: {error.strerror}") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _place(part: Path, release: Release) -> None:
    """Give a fetched model its name, unless another process was faster."""
    folder, old = _models() / release.name, part.with_suffix(".old")
    while not holds(release):
        # A folder cannot be renamed onto another, so the old one goes aside first.
        with suppress(FileNotFoundError):
            folder.rename(old)
        try:
            part.rename(folder)
            return
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):  # another process was faster just now
                raise
        finally:
            shutil.rmtree(old, ignore_errors=True)


def _record(name: str) -> Release:
    """The index entry that a model was fetched by."""
    path = _models() / name / _RECORD
    try:
        return parse(path.read_bytes(), path.as_uri())[name]
    except (OSError, KeyError, CascadeError) as error:
        raise CascadeError(f"{path}: expected the entry of {name}, found none: {_again(name)}") from error


def _models() -> Path:
    return home() / "models"


def _again(name: str) -> str:
    return f"'cascade zoo pull --force {name}' fetches it again"
