"""Fetched models: whole, as they were released, and refused when they are not."""

import hashlib
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from threading import Barrier

import pytest

from cascade_qec.errors import CascadeError
from cascade_qec.zoo import store
from cascade_qec.zoo.home import home as home_folder


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_model_is_fetched_with_its_card(release, hosted, home, capsys):
    assert store.fetched() == []
    assert not store.holds(release)
    store.fetch(release)
    assert store.fetched() == ["tiny"]
    assert store.holds(release)
    for suffix in (".safetensors", ".json"):
        assert store.file("tiny", suffix) == home / "models" / "tiny" / f"tiny{suffix}"
        assert store.file("tiny", suffix).read_bytes() == (hosted / f"tiny{suffix}").read_bytes()
    assert names(home / "models") == ["tiny"]
    assert capsys.readouterr().err == f"Fetching tiny: {release.weights.bytes:,} bytes from {release.url}\n"


def test_a_bar_on_a_terminal(release, home, capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    store.fetch(release)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "Fetching tiny" in shown.err
    assert " kB" in shown.err


@pytest.mark.parametrize("suffix", [".safetensors", ".json"])
def test_a_changed_file_is_refused_until_it_is_fetched_anew(suffix, release, home):
    store.fetch(release)
    path = store.file("tiny", suffix)
    content = path.read_bytes()
    changes = [
        (content[:-1] + b"\0", r"refused, as changed since it was fetched: expected [\d,]+ bytes with SHA-256 "),
        (content[:-1], "refused, as changed since it was fetched"),
        (b"", "expected a file with contents"),
        (None, "cannot be read: No such file"),
    ]
    for changed, message in changes:
        path.unlink() if changed is None else path.write_bytes(changed)
        with pytest.raises(CascadeError, match=message) as caught:
            store.file("tiny", suffix)
        assert str(path) in str(caught.value)
        assert "'cascade zoo pull --force tiny' fetches it again" in str(caught.value)
        assert not store.holds(release)
    store.fetch(release)
    assert store.file("tiny", suffix).read_bytes() == content
    assert names(home / "models") == ["tiny"]


def test_a_record_that_is_none(release, home):
    store.fetch(release)
    record = home / "models" / "tiny" / "released.toml"
    record.write_text(record.read_text().replace('"tiny"', '"other"'))
    with pytest.raises(CascadeError, match="expected the entry of tiny, found none"):
        store.file("tiny", ".json")
    assert not store.holds(release)
    record.write_text("x = ")
    with pytest.raises(CascadeError, match="expected the entry of tiny, found none: 'cascade zoo pull --force tiny'"):
        store.file("tiny", ".json")
    record.unlink()
    assert store.fetched() == []


def test_another_release_takes_the_place_of_the_first(release, hosted, home):
    store.fetch(release)
    (hosted / "tiny.json").write_text("{ }")
    card = release.card.model_copy(update={"bytes": 3, "sha256": hashlib.sha256(b"{ }").hexdigest()})
    second = release.model_copy(update={"card": card})
    assert not store.holds(second)
    store.fetch(second)
    assert store.holds(second)
    assert not store.holds(release)
    assert store.file("tiny", ".json").read_text() == "{ }"


@pytest.mark.parametrize("file", ["tiny.safetensors", "tiny.json"])
@pytest.mark.parametrize("before", [True, False])
def test_a_failure_leaves_what_was_there_before(before, file, release, hosted, home):
    if before:
        store.fetch(release)
    (hosted / file).write_bytes((hosted / file).read_bytes()[:-1])
    with pytest.raises(CascadeError, match="refused, as truncated or altered"):
        store.fetch(release)
    assert names(home / "models") == (["tiny"] if before else [])
    assert store.holds(release) is before


def test_an_interruption_leaves_nothing(release, home, monkeypatch):
    def interrupted(*_: object) -> None:
        raise SystemExit(143)

    monkeypatch.setattr("cascade_qec.zoo.download.shown", interrupted)
    with pytest.raises(SystemExit):
        store.fetch(release)
    assert names(home / "models") == []


def test_several_that_fetch_the_same_do_no_harm(release, hosted, home, serve):
    """All have begun before any of them ends."""
    together = Barrier(4)

    class Web(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = (hosted / self.path[1:]).read_bytes()
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[:100])
            if self.path.endswith(".safetensors"):
                together.wait(timeout=60)
            self.wfile.write(content[100:])

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    there = release.model_copy(update={"url": f"{serve(Web)}/"})
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(store.fetch, [there] * 4))
    assert names(home / "models") == ["tiny"]
    assert store.holds(there)


def test_a_home_that_cannot_be_written(release, home):
    home.write_text("a file")
    with pytest.raises(CascadeError, match=r"models/tiny: cannot be written: Not a directory"):
        store.fetch(release)


def test_offline_nothing_is_fetched_but_from_this_machine(release, home, monkeypatch):
    monkeypatch.setenv("CASCADE_OFFLINE", "1")
    away = release.model_copy(update={"url": "https://example.org/"})
    with pytest.raises(CascadeError) as caught:
        store.fetch(away)
    folder = home / "models" / "tiny"
    assert str(caught.value) == (
        f"tiny: {folder}/tiny.safetensors is missing, and CASCADE_OFFLINE forbids fetching it: run 'cascade zoo pull "
        f"tiny' where there is a network and copy {folder} from there, or unset CASCADE_OFFLINE"
    )
    store.fetch(release)
    assert store.holds(release)


@pytest.mark.parametrize(
    ("platform", "variables", "folder"),
    [
        ("linux", {}, "~/.cache/cascade-qec"),
        ("linux", {"XDG_CACHE_HOME": "/caches"}, "/caches/cascade-qec"),
        ("linux", {"XDG_CACHE_HOME": "/caches", "CASCADE_HOME": "~/models"}, "~/models"),
        ("darwin", {}, "~/Library/Caches/cascade-qec"),
        ("win32", {"LOCALAPPDATA": "/local"}, "/local/cascade-qec"),
        ("win32", {}, "~/.cache/cascade-qec"),
    ],
)
def test_where_the_home_is(platform, variables, folder, monkeypatch):
    for name in ("CASCADE_HOME", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "platform", platform)
    assert home_folder() == Path(re.sub("^~", str(Path.home()), folder))
