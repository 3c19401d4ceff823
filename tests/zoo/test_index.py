"""The index of released models: its format, and where it is read from."""

import tomllib
from http.server import SimpleHTTPRequestHandler

import pytest

from cascade_qec import zoo
from cascade_qec.errors import CascadeError
from cascade_qec.zoo import index
from cascade_qec.zoo.index import parse, releases

SHA = "0123456789abcdef" * 4
ENTRY = f"""
[[model]]
name = "tiny"
url = "https://example.org/models"
weights = {{ bytes = 1234, sha256 = "{SHA}" }}
card = {{ bytes = 567, sha256 = "{SHA}" }}
"""
ORIGIN = "https://example.org/lab/index.toml"


def test_an_entry_there_and_back():
    release = parse(ENTRY.encode(), ORIGIN)["tiny"]
    assert (release.weights.bytes, release.card.bytes, release.card.sha256) == (1234, 567, SHA)
    assert parse(release.entry().encode(), "file:///elsewhere") == {"tiny": release}
    odd = release.model_copy(update={"url": 'https://example.org/"ä"\\\t/'})
    assert tomllib.loads(odd.entry())["model"][0]["url"] == odd.url


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("https://example.com/models", "https://example.com/models/"),
        ("./", "https://example.org/lab/"),
        (".", "https://example.org/lab/"),
        ("v2", "https://example.org/lab/v2/"),
        ("/v2/", "https://example.org/v2/"),
        ("file:///data/models", "file:///data/models/"),
    ],
)
def test_urls_may_be_relative_to_the_index(url, found):
    assert parse(ENTRY.replace("https://example.org/models", url).encode(), ORIGIN)["tiny"].url == found


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (ENTRY.replace("tiny", "../tiny"), "model 1 name: expected letters, digits, '_' and '-', got '../tiny'"),
        (ENTRY.replace('"tiny"', '"a/b"'), "model 1 name: expected letters"),
        (ENTRY.replace('"tiny"', '""'), "model 1 name: expected letters"),
        (ENTRY + ENTRY, "model 2: expected each name once, got tiny again"),
        (ENTRY.replace("https://example.org", "ftp://example.org"), "model 1 url: expected one of https, http or file"),
        (ENTRY.replace("https://example.org/models", "data:,x"), "model 1 url: expected one of https, http or file"),
        (ENTRY.replace("https://example.org/models", "http://[x"), "model 1 url: expected one of https, http or file"),
        (ENTRY.replace("https://example.org/models", ""), "model 1 url: String should have at least 1 character"),
        (ENTRY.replace(SHA, "0123"), "model 1 weights sha256: String should match pattern"),
        (ENTRY.replace("1234,", "0,"), "model 1 weights bytes: Input should be greater than or equal to 1"),
        (ENTRY.replace("card =", "cards ="), "model 1 card: Field required"),
        (ENTRY + "colour = 1", "model 1 colour: Extra inputs are not permitted"),
        ("<html>", "expected an index of models, a TOML file"),
        ("\udcff", "expected an index of models, a TOML file"),
    ],
)
def test_a_bad_index_is_refused_by_entry_and_field(content, message):
    with pytest.raises(CascadeError) as caught:
        parse(content.encode(errors="surrogateescape"), ORIGIN)
    assert str(caught.value).startswith(f"{ORIGIN}: ")
    assert message in str(caught.value)


def test_the_index_of_the_package_is_one(home):
    assert not releases().keys() & set(zoo.names())
    assert all(release.url.startswith("https://") for release in releases().values())


def test_an_index_of_ones_own_in_a_file(hosted, release, home, monkeypatch):
    monkeypatch.setenv("CASCADE_INDEX", str(hosted / "index.toml"))
    assert releases(network=False) == {"tiny": release}
    monkeypatch.setenv("CASCADE_INDEX", str(hosted / "none.toml"))
    with pytest.raises(CascadeError, match=r"none\.toml: expected an index of models, cannot be read: No such file"):
        releases()
    for url in ("ftp://example.org/index.toml", "http://[example.org/index.toml"):
        monkeypatch.setenv("CASCADE_INDEX", url)
        with pytest.raises(CascadeError, match="CASCADE_INDEX: expected a file, or a URL of https, http or file, got "):
            releases()


def test_an_index_at_a_url_is_kept_until_it_is_asked_for_anew(hosted, home, serve, monkeypatch):
    requests = []

    class Web(SimpleHTTPRequestHandler):
        def __init__(self, *arguments: object) -> None:
            super().__init__(*arguments, directory=str(hosted))

        def log_message(self, format: str, *arguments: object) -> None:
            requests.append(self.path)

    url = f"{serve(Web)}/index.toml"
    monkeypatch.setenv("CASCADE_INDEX", url)
    assert releases(network=False) == {}
    assert zoo.sources().keys() == set(zoo.names())
    assert requests == []
    assert releases().keys() == {"tiny"}
    (hosted / "index.toml").write_text(ENTRY.replace("tiny", "second"))
    assert releases().keys() == releases(network=False).keys() == {"tiny"}
    assert zoo.sources()["tiny"] == "released"
    assert requests == ["/index.toml"]
    assert releases(anew=True).keys() == releases().keys() == {"second"}
    (hosted / "index.toml").write_text("<html>")
    with pytest.raises(CascadeError, match=r"index\.toml: expected an index of models"):
        releases(anew=True)
    assert releases().keys() == {"second"}  # the copy stays
    monkeypatch.setenv("CASCADE_OFFLINE", "1")
    with pytest.raises(
        CascadeError, match=r"index\.toml is not in .*/indexes, and CASCADE_OFFLINE forbids fetching it"
    ):
        releases(anew=True)


@pytest.mark.parametrize(("text", "is_one"), [("bb72", True), ("d5-small_2", True), ("-x", False), ("a.b", False)])
def test_what_can_be_a_name(text, is_one):
    assert index.is_name(text) is is_one
