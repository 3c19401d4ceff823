"""``cascade zoo pull`` and ``cascade zoo release``: from one's own model to a model that others fetch."""

from pathlib import Path

import pytest
from safetensors import safe_open

from cascade_qec import zoo
from cascade_qec.cli import main


@pytest.fixture
def own(tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a model named tiny and its card, and a home that is empty."""
    monkeypatch.setenv("CASCADE_HOME", str(tmp_path / "home"))
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(tiny_model.read_bytes())
    zoo.card("surface_d3").model_copy(update={"name": "tiny", "notes": "A note."}).write(folder / "model.json")
    return folder


@pytest.fixture
def released(own: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Path:
    """That model as it was released, with an index that is in use."""
    folder = tmp_path / "released"
    assert main(["zoo", "release", str(own), str(folder)]) == 0
    (folder / "index.toml").write_text(capsys.readouterr().out)
    monkeypatch.setenv("CASCADE_INDEX", str(folder / "index.toml"))
    return folder


def test_a_released_folder_is_whole(released, own):
    assert sorted(path.name for path in released.iterdir()) == [
        "README.md",
        "index.toml",
        "tiny.json",
        "tiny.safetensors",
    ]
    assert zoo.card(released) == zoo.card(own)
    assert zoo.path(released).read_bytes() == zoo.path(own).read_bytes()
    readme = (released / "README.md").read_text()
    matter = ["license: apache-2.0", "library_name: cascade-qec", "tags:"]
    matter += ["- quantum-error-correction", "- decoder", "- surface_d3"]
    assert readme.startswith("\n".join(["---", *matter, "---", "", "# tiny", ""]))
    assert "A note." in readme
    card = zoo.card(own)
    assert readme.count("\n| surface_d3 | 0.") == len(card.measurements) + len(card.rivals)
    row = card.measurements[0]
    assert f"| Cascade | {row.failures:,} / {row.shots:,} | {row.block_error:.2e} [" in readme


def test_two_models_share_a_folder_and_its_readme(released, own, capsys):
    assert main(["zoo", "release", "surface_d3", str(released), "--url", "https://example.org/models/"]) == 0
    assert 'name = "surface_d3"\nurl = "https://example.org/models/"\n' in capsys.readouterr().out
    readme = (released / "README.md").read_text()
    assert "\n# surface_d3, tiny\n" in readme
    assert "\n## surface_d3\n" in readme
    assert "\n## tiny\n" in readme
    assert 'cascade.load("hf:OWNER/REPOSITORY/surface_d3")' in readme


def test_pull_then_use_without_anything_else(released, tmp_path, capsys):
    assert main(["zoo", "list"]) == 0
    assert "Released, fetched on first use: tiny\n" in capsys.readouterr().out
    assert main(["zoo", "pull"]) == 0
    assert "Released, fetched on first use: tiny\n" in capsys.readouterr().out
    assert main(["zoo", "pull", "--all"]) == 0
    weights = tmp_path / "home" / "models" / "tiny" / "tiny.safetensors"
    shown = capsys.readouterr()
    assert shown.out == f"tiny: {weights}\n"
    assert shown.err.startswith("Fetching tiny: ")
    assert main(["zoo", "pull", "tiny", "surface_d3"]) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    assert shown.out == f"tiny: {weights}\nsurface_d3: {zoo.path('surface_d3')}\n"
    for file in released.iterdir():
        if file.name != "index.toml":
            file.unlink()
    assert main(["zoo", "list"]) == 0
    assert f"Fetched into {weights.parents[1]}: tiny\n" in capsys.readouterr().out
    assert main(["info", "tiny"]) == 0
    assert "A note." in capsys.readouterr().out
    shots = tmp_path / "shots.01"
    shots.write_text("0" * 24 + "\n")
    out = tmp_path / "predictions.01"
    decoding = ["decode", "--model", "tiny", "--rounds", "3", "--in", str(shots), "--out", str(out)]
    assert main(decoding) == 0
    assert out.read_text() in ("0\n", "1\n")
    weights.write_bytes(weights.read_bytes()[:-1])
    out.unlink()
    assert main(decoding) == 2
    assert "'cascade zoo pull --force tiny'" in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["pull", "surface_d99"], "unknown released model 'surface_d99': expected one of tiny"),
        (["pull", "tiny", "--all"], "expected names or --all, got both: tiny"),
        (["pull", "tiny", "--force"], "tiny.json: cannot be fetched: No such file or directory"),
        (["release", "surface_d99", "out"], "unknown model 'surface_d99'"),
    ],
)
def test_bad_input_is_refused_in_one_line(arguments, message, released, capsys):
    (released / "tiny.json").unlink()
    assert main(["zoo", *arguments]) == 2
    shown = capsys.readouterr()
    assert message in shown.err
    assert shown.err.count("\n") == 1
    assert shown.out == ""


def test_a_release_wants_a_card_with_a_name_and_a_folder(own, tmp_path, capsys):
    (tmp_path / "file").touch()
    assert main(["zoo", "release", str(own), str(tmp_path / "file")]) == 2
    assert "file: expected a folder to write to" in capsys.readouterr().err
    zoo.card(own).model_copy(update={"name": "a/b"}).write(own / "model.json")
    assert main(["zoo", "release", str(own), str(tmp_path / "out")]) == 2
    assert "expected a card whose name is letters, digits, '_' and '-', got 'a/b'" in capsys.readouterr().err
    (own / "model.json").unlink()
    assert main(["zoo", "release", str(own), str(tmp_path / "out")]) == 2
    assert "expected the model's card" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_release_wants_the_weights_of_the_card(own, tmp_path, capsys):
    content = (own / "model.safetensors").read_bytes()
    (own / "model.safetensors").write_bytes(content[:-5])
    assert main(["zoo", "release", str(own), str(tmp_path / "out")]) == 2
    assert "cannot read model file" in capsys.readouterr().err
    (own / "model.safetensors").write_bytes(zoo.path("surface_d5").read_bytes())
    assert main(["zoo", "release", str(own), str(tmp_path / "out")]) == 2
    assert "expected weights of a decoder of surface_d3, as the card says, got surface_d5" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("url", ["", "ftp://example.org/", "http://[x", "\udcff"])
def test_a_release_wants_a_url_that_can_be_fetched_from(url, own, tmp_path, capsys):
    assert main(["zoo", "release", str(own), str(tmp_path / "out"), "--url", url]) == 2
    assert f"url: expected one of https, http or file, got {url!r}" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_release_beside_weights_without_a_card_writes_nothing(own, tmp_path, capsys):
    out = tmp_path / "out"
    out.mkdir()
    (out / "other.safetensors").touch()
    assert main(["zoo", "release", str(own), str(out)]) == 2
    assert "other.json: expected the model's card" in capsys.readouterr().err
    assert [path.name for path in out.iterdir()] == ["other.safetensors"]


def test_weights_travel_unchanged(released):
    with safe_open(released / "tiny.safetensors", framework="np") as file:
        assert "cascade" in file.metadata()
