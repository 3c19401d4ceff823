"""Models in repositories of Hugging Face, from a server on this machine that speaks as much of its protocol."""

import hashlib
import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

import cascade_qec
from cascade_qec import zoo
from cascade_qec.cli import main
from cascade_qec.errors import CascadeError
from cascade_qec.zoo import hub
from cascade_qec.zoo.hub import Reference

Files = dict[str, bytes]


class Hub(ThreadingHTTPServer):
    """Repositories with revisions of files."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.repositories: dict[str, dict[str, Files]] = {}
        self.large: dict[str, bytes] = {}
        """By the checksum that it is asked for: what is served."""
        self.requests: list[str] = []
        self.elsewhere = f"http://localhost:{self.server_port}"
        """Another host, as files kept by LFS are not served by the hub itself."""
        self.down = False

    def add(self, repository: str, files: Files, revision: str = "main") -> None:
        """A revision is known by its name and by its commit."""
        revisions = self.repositories.setdefault(repository, {})
        revisions[revision] = revisions[commit_of(files)] = files
        self.large |= {hashlib.sha256(content).hexdigest(): content for content in files.values()}


def commit_of(files: Files) -> str:
    return hashlib.sha1(repr(sorted(files.items())).encode()).hexdigest()


class _Answer(BaseHTTPRequestHandler):
    server: Hub

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        self.server.requests.append(f"{self.command} {self.path}")
        if self.server.down:
            self._send(503, b"")
            return
        match self.path.split("/")[1:]:
            case ["api", "models", owner, name]:
                self._info(f"{owner}/{name}", "main")
            case ["api", "models", owner, name, "revision", revision]:
                self._info(f"{owner}/{name}", revision)
            case [owner, name, "resolve", revision, file]:
                self._resolve(f"{owner}/{name}", revision, file)
            case ["large", checksum]:
                self._send(200, self.server.large[checksum])
            case _:
                self._send(404, b"")

    def _files(self, repository: str, revision: str) -> Files | None:
        revisions = self.server.repositories.get(repository)
        if revisions is None:
            self._send(404, b"", **{"X-Error-Code": "RepoNotFound"})
        elif revision not in revisions:
            self._send(404, b"", **{"X-Error-Code": "RevisionNotFound"})
        else:
            return revisions[revision]

    def _info(self, repository: str, revision: str) -> None:
        if (files := self._files(repository, revision)) is not None:
            siblings = [{"rfilename": name} for name in files]
            body = {"id": repository, "modelId": repository, "sha": commit_of(files), "siblings": siblings}
            self._send(200, json.dumps(body).encode(), **{"Content-Type": "application/json"})

    def _resolve(self, repository: str, revision: str, name: str) -> None:
        if (files := self._files(repository, revision)) is None:
            return
        commit = {"X-Repo-Commit": commit_of(files)}
        content = files.get(name)
        if content is None:
            self._send(404, b"", **commit, **{"X-Error-Code": "EntryNotFound"})
        elif name.endswith(".safetensors"):  # as files are kept by LFS: by their SHA-256, elsewhere
            checksum = hashlib.sha256(content).hexdigest()
            linked = {"X-Linked-Etag": f'"{checksum}"', "X-Linked-Size": str(len(content))}
            self._send(302, b"", **commit, **linked, Location=f"{self.server.elsewhere}/large/{checksum}")
        else:
            checksum = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
            self._send(200, content, **commit, ETag=f'"{checksum}"')

    def _send(self, status: int, content: bytes, **headers: str) -> None:
        self.send_response(status)
        for title, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(title, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """A server, and a huggingface_hub that knows no other: it reads its environment when it is imported."""
    server = Hub()
    Thread(target=server.serve_forever, args=(0.01,)).start()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
        patch.setenv("HF_HOME", str(tmp_path_factory.mktemp("hf")))
        patch.setenv("HF_HUB_DISABLE_PROGRESS_BARS", "1")
        patch.setenv("no_proxy", "127.0.0.1,localhost")
        for name in [name for name in sys.modules if name.partition(".")[0] == "huggingface_hub"]:
            patch.delitem(sys.modules, name)
        yield server
        for name in [name for name in sys.modules if name.partition(".")[0] == "huggingface_hub"]:
            del sys.modules[name]
    server.shutdown()
    server.server_close()


@pytest.fixture
def files(hosted: Path) -> Files:
    return {name: (hosted / name).read_bytes() for name in ("tiny.safetensors", "tiny.json")}


@pytest.fixture
def server(environment: Hub, files: Files, request: pytest.FixtureRequest) -> Hub:
    """With a repository ``lab/<name of the test>`` that has one model."""
    environment.repositories.clear()
    environment.requests.clear()
    environment.down = False
    environment.add(repository(request), files)
    return environment


def repository(request: pytest.FixtureRequest) -> str:
    """Each test has its own, since the cache is shared."""
    return f"lab/{request.node.originalname}"


@pytest.fixture
def reference(request: pytest.FixtureRequest) -> str:
    return f"hf:{repository(request)}"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("hf:lab/models", ("lab/models", None, None)),
        ("hf:lab/models/d5", ("lab/models", "d5", None)),
        ("hf:lab/models@v1.0", ("lab/models", None, "v1.0")),
        ("hf:lab/models/d5@refs/pr/1", ("lab/models", "d5", "refs/pr/1")),
    ],
)
def test_a_reference_there_and_back(text, parts):
    found = Reference.of(text)
    assert (found.repository, found.model, found.revision) == parts
    assert str(found) == text


@pytest.mark.parametrize("text", ["hf:", "hf:models", "hf:a/b/c/d", "hf:a//b", "hf:a/b@", "hf:/a/b"])
def test_what_is_no_reference(text):
    with pytest.raises(CascadeError, match="expected hf:owner/name, with /MODEL and @revision if need be, got 'hf:"):
        zoo.path(text)


def test_a_model_decodes(server, reference, tiny_model):
    decoder = cascade_qec.load(reference, device="cpu")
    events = decoder.experiment(0.01).compile_detector_sampler(seed=1).sample(100)
    expected = cascade_qec.load(tiny_model, device="cpu").bind().decode_batch(events)
    assert (decoder.bind().decode_batch(events).observables == expected.observables).all()
    assert zoo.path(reference).with_suffix(".json").is_file()
    assert zoo.card(reference).name == "tiny"
    assert zoo.path(f"{reference}/tiny") == zoo.path(reference)
    fetched = [request for request in server.requests if request.startswith("GET /large/")]
    assert len(fetched) == 1  # the cache has it afterwards


def test_commands_take_it_too(server, reference, tmp_path, capsys):
    assert main(["info", reference]) == 0
    assert "tiny" in capsys.readouterr().out
    (tmp_path / "shots.01").write_text("0" * 24 + "\n")
    shots, out = str(tmp_path / "shots.01"), str(tmp_path / "out.01")
    assert main(["decode", "--model", reference, "--rounds", "3", "--in", shots, "--out", out]) == 0
    assert Path(out).read_text() in ("0\n", "1\n")
    assert main(["zoo", "pull", reference]) == 0
    assert str(zoo.path(reference)) in capsys.readouterr().out


def test_revisions(server, reference, files, request):
    card = zoo.card("surface_d5").model_copy(update={"name": "tiny"})
    other = files | {"tiny.json": card.model_dump_json().encode()}
    server.add(repository(request), other, "v2")
    assert zoo.card(f"{reference}@v2").code == "surface_d5"
    assert zoo.card(reference).code == "surface_d3"
    assert zoo.card(f"{reference}/tiny@{commit_of(other)}").code == "surface_d5"
    assert zoo.path(f"{reference}@v2").read_bytes() == files["tiny.safetensors"]
    server.add(repository(request), other)  # the branch goes on
    assert zoo.card(reference).code == "surface_d5"
    with pytest.raises(CascadeError, match="@v3: the repository has no such revision"):
        zoo.path(f"{reference}@v3")


def test_several_models(server, reference, files, request):
    second = {"second.safetensors": files["tiny.safetensors"], "config/third.safetensors": b"", "README.md": b""}
    server.add(repository(request), files | second)
    with pytest.raises(
        CascadeError, match=rf"{reference}: expected one model, found second, tiny: say which as .*/MODEL"
    ):
        zoo.path(reference)
    assert zoo.path(f"{reference}/second").name == "second.safetensors"
    with pytest.raises(CascadeError, match=r"/third: the repository has no such file: .*third\.safetensors"):
        zoo.path(f"{reference}/third")
    server.add(repository(request), {"README.md": b""})
    with pytest.raises(CascadeError, match="expected one model, found none"):
        zoo.path(reference)
    with pytest.raises(CascadeError, match="hf:lab/some models: cannot be fetched: Repo id must"):
        zoo.path("hf:lab/some models")
    with pytest.raises(CascadeError, match="hf:lab/none: there is no such repository, or you have no right to read it"):
        zoo.path("hf:lab/none")


def test_a_model_without_a_card(server, reference, files, request, monkeypatch):
    del files["tiny.json"]
    server.add(repository(request), files)
    assert cascade_qec.load(reference).description.code == "surface_d3"
    assert zoo.pull(reference) == zoo.path(reference)
    with pytest.raises(CascadeError, match=r"the repository has no such file: .*tiny\.json"):
        zoo.card(reference)
    monkeypatch.setenv("CASCADE_OFFLINE", "1")
    assert zoo.path(reference).name == "tiny.safetensors"


@pytest.mark.parametrize("change", ["truncated", "altered"])
def test_what_the_server_sends_is_checked(change, server, reference, files, request):
    # Contents that no other test has in the cache.
    content = files["tiny.safetensors"] + change.encode()
    server.add(repository(request), files | {"tiny.safetensors": content})
    sent = content[:-1] if change == "truncated" else content[:-1] + b"\0"
    server.large[hashlib.sha256(content).hexdigest()] = sent
    message = (
        "cannot be fetched: Consistency check failed" if change == "truncated" else "refused, as truncated or alte"
    )
    for _ in range(2):
        with pytest.raises(CascadeError, match=message):
            cascade_qec.load(reference)
    server.large[hashlib.sha256(content).hexdigest()] = content
    assert zoo.pull(reference, force=True).read_bytes() == content


@pytest.mark.parametrize("suffix", [".safetensors", ".json"])
def test_a_file_changed_in_the_cache_is_refused(suffix, server, reference, files, request):
    files = {name: content + b" " * (len(suffix)) for name, content in files.items()}
    server.add(repository(request), files)
    path = hub.file(reference, suffix)
    path.resolve().write_bytes(path.read_bytes()[:-1])
    with pytest.raises(CascadeError, match=f"'cascade zoo pull --force {reference}' fetches it again"):
        hub.file(reference, suffix)
    zoo.pull(reference, force=True)
    assert hub.file(reference, suffix).read_bytes() == files[f"tiny{suffix}"]


def test_offline(server, reference, monkeypatch):
    monkeypatch.setenv("CASCADE_OFFLINE", "1")
    for name in (reference, f"{reference}/tiny", f"{reference}@v2"):
        with pytest.raises(CascadeError, match="not in the cache of Hugging Face: CASCADE_OFFLINE forbids fetching it"):
            zoo.path(name)
    assert server.requests == []
    monkeypatch.delenv("CASCADE_OFFLINE")
    path = zoo.pull(reference)
    monkeypatch.setenv("CASCADE_OFFLINE", "1")
    server.requests.clear()
    assert zoo.path(reference) == zoo.path(f"{reference}/tiny") == zoo.pull(reference) == path
    assert zoo.card(reference).name == "tiny"
    with pytest.raises(
        CascadeError, match="cannot be fetched again, and CASCADE_OFFLINE forbids fetching it: leave out"
    ):
        zoo.pull(reference, force=True)
    assert server.requests == []


@pytest.mark.slow
def test_the_cache_is_enough_when_the_server_fails(server, reference):
    path = zoo.pull(reference)
    server.down = True
    assert zoo.path(reference) == zoo.path(f"{reference}/tiny") == path
    with pytest.raises(CascadeError, match=rf"{reference}: cannot be fetched: .*503"):
        zoo.pull(reference, force=True)
    with pytest.raises(CascadeError, match=r"hf:lab/other: cannot be fetched: .*503"):
        zoo.path("hf:lab/other")
    code = "import sys\nfrom cascade_qec import zoo\nprint(zoo.path(sys.argv[1]))"
    command = [sys.executable, "-c", code, reference]
    server.requests.clear()
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ | {"HF_HUB_OFFLINE": "1"})
    assert done.stdout == f"{path}\n"
    assert server.requests == []


def test_without_the_package(monkeypatch):
    monkeypatch.setattr(hub, "find_spec", lambda name: None)
    assert importlib.util.find_spec("huggingface_hub") is not None
    with pytest.raises(CascadeError, match=r"expected the package huggingface_hub: pip install cascade-qec\[hub\]"):
        zoo.path("hf:lab/models")
