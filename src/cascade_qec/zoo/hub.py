"""Models in repositories of Hugging Face, fetched into its own cache: ``hf:owner/name[/MODEL][@revision]``."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from cascade_qec.errors import CascadeError
from cascade_qec.zoo.home import offline, require_network

PREFIX = "hf:"

_PATTERN = re.compile(PREFIX + r"([^/@]+/[^/@]+)(?:/([^/@]+))?(?:@(.+))?")
_SECONDS_WITHOUT_ANSWER = 30.0


@dataclass(frozen=True)
class Reference:
    """A model in a repository.

    Attributes
    ----------
    repository
        Owner and name.
    model
        Name of the model; None means the only one that the repository has.
    revision
        Branch, tag or commit; None means the main branch.
    """

    repository: str
    model: str | None
    revision: str | None

    @classmethod
    def of(cls, text: str) -> Reference:
        """What ``hf:owner/name[/MODEL][@revision]`` says.

        Raises
        ------
        CascadeError
            If it is written in another way.
        """
        match = _PATTERN.fullmatch(text)
        if match is None:
            raise CascadeError(f"expected hf:owner/name, with /MODEL and @revision if need be, got {text!r}")
        return cls(*match.groups())

    def __str__(self) -> str:
        model = f"/{self.model}" if self.model else ""
        return f"{PREFIX}{self.repository}{model}" + (f"@{self.revision}" if self.revision else "")


def weights(text: str, *, force: bool = False) -> Path:
    """The weights of a model, in the cache of ``huggingface_hub``, with the card beside them where there is one.

    Without a connection, or where ``HF_HUB_OFFLINE`` or ``CASCADE_OFFLINE`` forbids one, it is what the cache has.

    Parameters
    ----------
    text
        ``hf:owner/name[/MODEL][@revision]``.
    force
        Fetch both even where the cache has them.

    Raises
    ------
    CascadeError
        If ``huggingface_hub`` is not installed, if there is no such repository, revision or model, if it cannot be
        fetched, or a file is not what the server says it is.
    """
    reference = _usable(text)
    if force:
        require_network(PREFIX, f"{reference} is to be fetched anew", "leave out --force")
    from huggingface_hub.errors import EntryNotFoundError

    with _told(reference):
        model = reference.model or _only_model(reference)
        path = _file(reference, f"{model}.safetensors", force)
        with suppress(EntryNotFoundError):
            _file(reference, f"{model}.json", force)
    return path


def card(text: str) -> Path:
    """The card of a model, likewise.

    Raises
    ------
    CascadeError
        As for :func:`weights`, and if there is no card.
    """
    reference = _usable(text)
    with _told(reference):
        return _file(reference, f"{reference.model or _only_model(reference)}.json", False)


def _usable(text: str) -> Reference:
    reference = Reference.of(text)
    if find_spec("huggingface_hub") is None:
        raise CascadeError(f"{reference}: expected the package huggingface_hub: pip install cascade-qec[hub]")
    return reference


def _file(reference: Reference, name: str, force: bool) -> Path:
    from huggingface_hub import hf_hub_download

    path = Path(
        hf_hub_download(
            reference.repository,
            name,
            revision=reference.revision,
            force_download=force,
            local_files_only=offline(),
        )
    )
    _check(path, reference)
    return path


def _only_model(reference: Reference) -> str:
    files = _cached_files(reference) if offline() else _files(reference)
    models = sorted(name.removesuffix(".safetensors") for name in files if re.fullmatch(r"[^/]+\.safetensors", name))
    if len(models) != 1:
        named = f": say which as {PREFIX}{reference.repository}/MODEL" if models else ""
        raise CascadeError(f"{reference}: expected one model, found {', '.join(models) or 'none'}{named}")
    return models[0]


def _files(reference: Reference) -> list[str]:
    from huggingface_hub import HfApi, errors
    from huggingface_hub.errors import HTTPError  # pyright: ignore[reportPrivateImportUsage]

    try:
        found = HfApi().model_info(reference.repository, revision=reference.revision, timeout=_SECONDS_WITHOUT_ANSWER)
        return [file.rfilename for file in found.siblings or []]
    except (errors.RepositoryNotFoundError, errors.RevisionNotFoundError):
        raise
    except (HTTPError, OSError) as no_answer:
        try:
            return _cached_files(reference)
        except errors.LocalEntryNotFoundError:
            raise no_answer from None


def _cached_files(reference: Reference) -> list[str]:
    from huggingface_hub import snapshot_download

    folder = snapshot_download(reference.repository, revision=reference.revision, local_files_only=True)
    return [path.name for path in Path(folder).iterdir()]


@contextmanager
def _told(reference: Reference) -> Iterator[None]:
    """Turn what huggingface_hub raises into one sentence."""
    from huggingface_hub import errors
    from huggingface_hub.errors import HTTPError  # pyright: ignore[reportPrivateImportUsage]

    # HTTPError is that of the library for HTTP, which is not the same in all versions of huggingface_hub. ValueErrors
    # are raised for names that cannot be, and where a file that must be fetched anew cannot be.
    try:
        yield
    except CascadeError:
        raise
    except errors.LocalEntryNotFoundError as error:
        reason = "CASCADE_OFFLINE forbids to fetch it" if offline() else _reason(error)
        raise CascadeError(
            f"{reference}: cannot be fetched, and is not in the cache of Hugging Face: {reason}"
        ) from error
    except errors.GatedRepoError as error:
        raise CascadeError(f"{reference}: the repository asks for consent and a token: {_reason(error)}") from error
    except errors.RepositoryNotFoundError as error:
        raise CascadeError(f"{reference}: found no such repository, or have no right to read it") from error
    except errors.RevisionNotFoundError as error:
        raise CascadeError(f"{reference}: found no such revision in the repository") from error
    except errors.EntryNotFoundError as error:
        raise CascadeError(f"{reference}: found no such file in the repository: {_reason(error)}") from error
    except (HTTPError, OSError, ValueError) as error:
        raise CascadeError(f"{reference}: cannot be fetched: {_reason(error)}") from error


def _reason(error: BaseException) -> str:
    cause = error.__cause__ or error
    return next((line.strip() for line in str(cause).splitlines() if line.strip()), type(cause).__name__)


def _check(path: Path, reference: Reference) -> None:
    # The cache names each file by what the server says of its contents: their SHA-256 if they are kept by LFS or Xet,
    # else the SHA-1 that git knows them by. Where the file system has no links there is no such name.
    name = path.resolve().name
    content = path.read_bytes()
    if re.fullmatch("[0-9a-f]{64}", name):
        found = hashlib.sha256(content).hexdigest()
    elif re.fullmatch("[0-9a-f]{40}", name):
        found = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
    else:
        return
    if found != name:
        raise CascadeError(
            f"{path}: refused, as truncated or altered: expected the checksum {name[:16]}..., got {found[:16]}...: "
            f"'cascade zoo pull --force {reference}' fetches it anew"
        )
