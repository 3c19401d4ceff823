"""Files from URLs, checked on the way."""

import hashlib
import string
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPException, HTTPMessage
from pathlib import Path
from typing import IO

from cascade_qec.errors import CascadeError
from cascade_qec.zoo.checksum import Checksum

_CHUNK_BYTES = 1 << 16
_SECONDS_WITHOUT_ANSWER = 30.0


def download(url: str, path: Path, expected: Checksum, report: Callable[[int], None]) -> None:
    """Fetch a file, and raise unless it is the one expected.

    Parameters
    ----------
    url
        https, http or file.
    path
        A temporary name: after an error, what stands there is of no use.
    expected
        Not a byte more than this is written.
    report
        Called with the number of bytes that have come.

    Raises
    ------
    CascadeError
        If the file cannot be fetched or written, or is not the one expected.
    """
    digest, size = hashlib.sha256(), 0
    try:
        with path.open("wb") as file:
            for chunk in _chunks(url):
                size += len(chunk)
                if size > expected.bytes:
                    raise CascadeError(f"{url}: refused: expected {expected}, got more bytes than that")
                digest.update(chunk)
                file.write(chunk)
                report(size)
    except OSError as error:
        raise CascadeError(f"{path}: cannot be written: {error.strerror}") from error
    if (size, digest.hexdigest()) != (expected.bytes, expected.sha256):
        found = f"{size:,} bytes with SHA-256 {digest.hexdigest()[:16]}..."
        raise CascadeError(f"{url}: refused, as truncated or altered: expected {expected}, got {found}")


def read_url(url: str, most: int) -> bytes:
    """The contents of a small file at a URL.

    Raises
    ------
    CascadeError
        If it cannot be fetched, or has more than `most` bytes.
    """
    found = bytearray()
    for chunk in _chunks(url):
        found += chunk
        if len(found) > most:
            raise CascadeError(f"{url}: expected at most {most:,} bytes, got more")
    return bytes(found)


@contextmanager
def shown(step: str, total: int, source: str) -> Iterator[Callable[[int], None]]:
    """Give a function that shows on stderr how many of `total` bytes have come: as a bar, or in a log as one line."""
    if not sys.stderr.isatty():
        print(f"{step}: {total:,} bytes from {source}", file=sys.stderr, flush=True)
        yield lambda done: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(step, total=total)
        yield lambda done: bar.update(task, completed=done)


class _SafeRedirects(urllib.request.HTTPRedirectHandler):
    """Follow redirects, as release pages use them, but never from https to anything less safe."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> urllib.request.Request | None:
        scheme = newurl.partition(":")[0]
        if scheme != "https" and (scheme, req.type) != ("http", "http"):
            fp.close()
            raise CascadeError(f"{req.full_url}: refused, as it redirects from {req.type} to {scheme} ({newurl})")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _chunks(url: str) -> Iterator[bytes]:
    opener = urllib.request.build_opener(_SafeRedirects)
    quoted = urllib.parse.quote(url, safe=string.punctuation)
    request = urllib.request.Request(quoted, headers={"User-Agent": "cascade-qec"})
    try:
        with opener.open(request, timeout=_SECONDS_WITHOUT_ANSWER) as response:
            while chunk := response.read(_CHUNK_BYTES):
                yield chunk
    except urllib.error.HTTPError as error:
        error.close()
        raise CascadeError(f"{url}: cannot be fetched: the server answered {error.code} {error.reason}") from error
    except urllib.error.URLError as error:
        reason = getattr(error.reason, "strerror", None) or error.reason
        raise CascadeError(f"{url}: cannot be fetched: {reason}") from error
    except (OSError, HTTPException) as error:
        raise CascadeError(f"{url}: cannot be fetched: {str(error) or type(error).__name__}") from error
