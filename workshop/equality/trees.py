"""Source trees, and processes that run the package of one of them."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from cascade_qec.errors import CascadeError
from workshop import CHECKOUT

_WORKER = Path(__file__).with_name("worker.py")


@dataclass(frozen=True)
class Source:
    """A tree of the project, by its folder."""

    folder: Path

    @property
    def key(self) -> str:
        """The same for trees whose Python code is the same, byte for byte."""
        digest = hashlib.sha256()
        for path in sorted((self.folder / "src").rglob("*.py")):
            digest.update(f"{path.relative_to(self.folder)}\n".encode() + path.read_bytes())
        return digest.hexdigest()[:12]

    @property
    def models(self) -> Path:
        """Folder of the weights that come with the package."""
        return self.folder / "src" / "cascade_qec" / "zoo" / "models"


def at_commit(commit: str, folder: Path) -> Source:
    """The tree of a commit of this checkout, extracted into `folder/COMMIT` unless it lies there.

    Raises
    ------
    CascadeError
        If there is no such commit.
    """
    found = _git("rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}")
    if found.returncode:
        raise CascadeError(f"expected a commit of {CHECKOUT}, got {commit!r}")
    out = folder / found.stdout.decode().strip()[:12]
    if not out.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as unfinished, tempfile.TemporaryFile() as archive:
            archive.write(_git("archive", "--format=tar", commit, "src", "recipes").stdout)
            archive.seek(0)
            with tarfile.open(fileobj=archive) as tar:
                tar.extractall(Path(unfinished) / "tree", filter="data")
            (Path(unfinished) / "tree").rename(out)
    return Source(out)


def _git(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["git", "-C", str(CHECKOUT), *arguments], capture_output=True, check=False)


class Worker:
    """A process that runs a tree's package and does one job at a time, see `worker.py`.

    Raises
    ------
    CascadeError
        If the process imports the package from elsewhere, or does not start.
    """

    def __init__(self, source: Source, *, threads: int | None = None) -> None:
        package = source.folder / "src"
        path = os.pathsep.join([str(package), *filter(None, [os.environ.get("PYTHONPATH")])])  # kernels may lie there
        self._name = str(source.folder)
        counts = {} if threads is None else {"OMP_NUM_THREADS": str(threads)}
        self._process = subprocess.Popen(
            [sys.executable, str(_WORKER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": path} | counts,
            text=True,
        )
        found = Path(self.do("where"))
        if found.resolve() != (package / "cascade_qec").resolve():
            self.__exit__(None, None, None)
            raise CascadeError(f"expected the package of {package}, got that of {found}")

    def do(self, job: str, report: Callable[[int], None] = lambda done: None, **arguments: Any) -> Any:
        """The result of a job; what it reports on the way goes to `report`.

        Raises
        ------
        CascadeError
            If the process ends before it has answered. What it said of it is on stderr.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps({"job": job, **arguments}) + "\n")
            self._process.stdin.flush()
            for line in self._process.stdout:
                answer = json.loads(line)
                if "result" in answer:
                    return answer["result"]
                report(answer["done"])
        except BrokenPipeError:
            pass
        raise CascadeError(f"the process that runs {self._name} has ended, exit status {self._process.wait()}")

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()
