"""Models in Hugging Face repositories, fetched into that library's cache: ``hf:owner/name[/MODEL][@revision]``."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from cascade_qec.errors import CascadeError
from cascade_qec.zoo.home import offline, require_network
from cascade_qec.zoo.store import Suffix

PREFIX = "hf:"

_PATTERN = re.compile(PREFIX + r"([^/@]+/[^/@]+)(?:/([^/@]+))?(?:@(.+))?")
_SECONDS_WITHOUT_ANSWER = 30.0


class Reference(NamedTuple):
    """A model in a repository, and how it was written; no model means the only one, no revision the main branch."""

    text: str
    repository: str
    model: str | None
    revision: str | None

    @classmethod
    def of(cls, text: str) -> Reference:
        """Take apart ``hf:owner/name[/MODEL][@revision]``.

        Raises
        ------
        CascadeError
            If it is written in another way.
        """
        match = _PATTERN.fullmatch(text)
        if match is None:
            raise CascadeError(f"expected hf:owner/name, with /MODEL and @revision if need be, got {text!r}")
        return cls(text, *match.groups())

    def __str__(self) -> str:
        return self.text


def file(text: str, suffix: Suffix, *, force: bool = False) -> Path:
    """A model's weights or card in the cache of ``huggingface_hub``. The weights bring the card along, if there is one.

    Without a connection, or where ``HF_HUB_OFFLINE`` or ``CASCADE_OFFLINE`` forbids one, only the cache is read.

    Parameters
    ----------
    text
        ``hf:owner/name[/MODEL][@revision]``.
    suffix
        Which of the two.
    force
        Fetch even what the cache has.

    Raises
    ------
    CascadeError
        If ``huggingface_hub`` is not installed, there is no such repository, revision or file, it cannot be fetched,
        or it is not what the server says it is.
    """
    reference = Reference.of(text)
    if find_spec("huggingface_hub") is None:
        raise CascadeError(f"{text}: expected the package huggingface_hub: pip install cascade-qec[hub]")
    if force:
        require_network(PREFIX, f"{text} cannot be fetched again", "leave out --force")
    from huggingface_hub.errors import EntryNotFoundError

    with _in_one_sentence(reference):
        model = reference.model or _only_model(reference)
        path = _fetched(reference, f"{model}{suffix}", force)
        if suffix == ".safetensors":
            with suppress(EntryNotFoundError):
                _fetched(reference, f"{model}.json", force)
    return path


def _fetched(reference: Reference, name: str, force: bool) -> Path:
    from huggingface_hub import hf_hub_download

    found = hf_hub_download(
        reference.repository,
        name,
        revision=reference.revision,
        force_download=force,
        local_files_only=offline(),
    )
    _check(Path(found), reference)
    return Path(found)


def _only_model(reference: Reference) -> str:
    names = _cached_names(reference) if offline() else _names(reference)
    models = sorted(name.removesuffix(".safetensors") for name in names if re.fullmatch(r"[^/]+\.safetensors", name))
    if len(models) != 1:
        named = f": say which as {PREFIX}{reference.repository}/MODEL" if models else ""
        raise CascadeError(f"{reference}: expected one model, found {', '.join(models) or 'none'}{named}")
    return models[0]


def _names(reference: Reference) -> list[str]:
    """Names of the files in the repository, or in the cache if the server gives no answer."""
    from huggingface_hub import HfApi, errors
    from huggingface_hub.errors import HTTPError  # pyright: ignore[reportPrivateImportUsage]

    try:
        found = HfApi().model_info(reference.repository, revision=reference.revision, timeout=_SECONDS_WITHOUT_ANSWER)
        return [file.rfilename for file in found.siblings or []]
    except (errors.RepositoryNotFoundError, errors.RevisionNotFoundError):
        raise
    except (HTTPError, OSError) as no_answer:
        try:
            return _cached_names(reference)
        except errors.LocalEntryNotFoundError:
            raise no_answer from None


def _cached_names(reference: Reference) -> list[str]:
    from huggingface_hub import snapshot_download

    folder = snapshot_download(reference.repository, revision=reference.revision, local_files_only=True)
    return [path.name for path in Path(folder).iterdir()]


@contextmanager
def _in_one_sentence(reference: Reference) -> Iterator[None]:
    """Turn what huggingface_hub raises into one sentence."""
    from huggingface_hub import errors
    from huggingface_hub.errors import HTTPError  # pyright: ignore[reportPrivateImportUsage]

    uncached = "cannot be fetched, and is not in the cache of Hugging Face: "
    sentences = {  # the first that fits counts
        errors.LocalEntryNotFoundError: uncached + ("CASCADE_OFFLINE forbids fetching it" if offline() else "{reason}"),
        errors.GatedRepoError: "the repository asks for consent and a token: {reason}",
        errors.RepositoryNotFoundError: "there is no such repository, or you have no right to read it",
        errors.RevisionNotFoundError: "the repository has no such revision",
        errors.EntryNotFoundError: "the repository has no such file: {reason}",
    }
    # HTTPError comes from the library for HTTP, which differs between versions of huggingface_hub. ValueError is
    # raised for impossible names, and when a file that must be fetched again cannot be.
    try:
        yield
    except CascadeError:
        raise
    except (errors.EntryNotFoundError, HTTPError, OSError, ValueError) as error:
        sentence = next(
            (text for kind, text in sentences.items() if isinstance(error, kind)), "cannot be fetched: {reason}"
        )
        cause = error.__cause__ or error
        reason = next((line.strip() for line in str(cause).splitlines() if line.strip()), type(cause).__name__)
        raise CascadeError(f"{reference}: {sentence.replace('{reason}', reason)}") from error


def _check(path: Path, reference: Reference) -> None:
    # The cache names each file by what the server says of its contents: their SHA-256 if LFS or Xet keeps them, else
    # the SHA-1 that git knows them by. Where the file system has no links there is no such name.
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
            f"'cascade zoo pull --force {reference}' fetches it again"
        )
