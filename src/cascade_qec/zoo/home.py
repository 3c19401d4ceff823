"""Where fetched models are kept, and whether anything may be fetched."""

import os
import sys
from pathlib import Path

from cascade_qec.errors import CascadeError

_NAME = "cascade-qec"


def home() -> Path:
    """The folder of fetched models: ``CASCADE_HOME``, or one in the platform's folder for caches."""
    if chosen := os.environ.get("CASCADE_HOME"):
        return Path(chosen).expanduser().absolute()
    if caches := os.environ.get("XDG_CACHE_HOME"):
        return Path(caches).expanduser().absolute() / _NAME
    if sys.platform == "win32" and (local := os.environ.get("LOCALAPPDATA")):
        return Path(local) / _NAME
    return Path.home() / ("Library/Caches" if sys.platform == "darwin" else ".cache") / _NAME


def offline() -> bool:
    """Whether ``CASCADE_OFFLINE`` forbids fetching anything from a network."""
    return os.environ.get("CASCADE_OFFLINE", "0") not in ("", "0")


def require_network(url: str, missing: str, remedy: str) -> None:
    """Refuse to go on to a URL where only this machine's files may be read.

    Raises
    ------
    CascadeError
        If ``CASCADE_OFFLINE`` is set and the URL is not that of a file; it says what is missing and what to do.
    """
    if offline() and not url.startswith("file:"):
        raise CascadeError(f"{missing}, and CASCADE_OFFLINE forbids fetching it: {remedy}, or unset CASCADE_OFFLINE")
