"""One door: every way to name a model."""

import subprocess
import sys

import pytest

import cascade_qec
from cascade_qec import zoo
from cascade_qec.errors import CascadeError
from cascade_qec.zoo import registry, store


@pytest.fixture
def index(hosted, home, monkeypatch):
    """An index of one's own with a model named tiny."""
    monkeypatch.setenv("CASCADE_INDEX", str(hosted / "index.toml"))
    return hosted / "index.toml"


def test_a_released_model_is_fetched_on_first_use_and_decodes(index, home, hosted):
    assert "tiny" not in zoo.names()
    assert zoo.sources() == dict.fromkeys(zoo.names(), "bundled") | {"tiny": "released"}
    decoder = cascade_qec.load("tiny", device="cpu")
    assert zoo.path("tiny") == home / "models" / "tiny" / "tiny.safetensors"
    assert zoo.card("tiny").name == "tiny"
    assert "tiny" in zoo.names()
    assert zoo.sources()["tiny"] == "fetched"
    for file in hosted.iterdir():
        file.unlink()
    events = decoder.experiment(0.01).compile_detector_sampler(seed=1).sample(10)
    predicted = decoder.bind().decode_batch(events).observables
    index.write_text("")
    assert (cascade_qec.load("tiny", device="cpu").bind().decode_batch(events).observables == predicted).all()


def test_a_card_alone_is_enough_to_fetch(index, home):
    assert zoo.card("tiny").name == "tiny"
    assert store.fetched() == ["tiny"]


def test_a_changed_file_is_refused_at_the_next_use(index):
    path = zoo.path("tiny")
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(CascadeError, match="refused, as changed since it was fetched"):
        cascade_qec.load("tiny")
    assert zoo.card("tiny").name == "tiny"  # a file of its own
    assert zoo.pull("tiny") == path
    assert cascade_qec.load("tiny").description.code == "surface_d3"


def test_pull_fetches_what_is_not_at_hand(index, home, hosted, capsys):
    path = zoo.pull("tiny")
    assert path == home / "models" / "tiny" / "tiny.safetensors"
    assert capsys.readouterr().err.startswith("Fetching tiny: ")
    assert zoo.pull("tiny") == path
    assert capsys.readouterr().err == ""
    assert zoo.pull("tiny", force=True) == path
    assert capsys.readouterr().err.startswith("Fetching tiny: ")
    (hosted / "tiny.safetensors").unlink()
    assert zoo.pull("tiny") == path
    with pytest.raises(CascadeError, match=r"tiny\.safetensors: cannot be fetched: No such file"):
        zoo.pull("tiny", force=True)
    assert zoo.path("tiny") == path
    assert zoo.pull("surface_d3") == zoo.path("surface_d3")
    for name in ("surface_d99", str(hosted)):
        with pytest.raises(CascadeError, match=f"unknown released model '{name}': expected one of tiny"):
            zoo.pull(name)


def test_a_model_of_the_package_goes_before_all_others(index, hosted, home, tmp_path, monkeypatch):
    zoo.path("tiny")
    shipped = tmp_path / "shipped"
    shipped.mkdir()
    for suffix in (".safetensors", ".json"):
        (shipped / f"tiny{suffix}").write_bytes((hosted / f"tiny{suffix}").read_bytes())
    monkeypatch.setattr(registry, "_SHIPPED", shipped)
    assert zoo.names() == ["tiny"]
    assert zoo.sources() == {"tiny": "bundled"}
    assert zoo.path("tiny") == zoo.pull("tiny") == shipped / "tiny.safetensors"


def test_folders(hosted, home, tmp_path, monkeypatch):
    weights = hosted / "tiny.safetensors"
    for name in (weights, hosted, str(hosted), f"{hosted}/", f"{hosted}/tiny"):
        assert zoo.path(name) == weights
        assert zoo.card(name).name == "tiny"
    monkeypatch.chdir(tmp_path)
    assert zoo.path("hosted").samefile(weights)
    (hosted / "second.safetensors").write_bytes(weights.read_bytes())
    assert zoo.path(f"{hosted}/tiny") == weights
    with pytest.raises(CascadeError, match=r"hosted: expected a folder with one model, .*, found second, tiny"):
        zoo.path(hosted)
    with pytest.raises(CascadeError, match=r"second\.json: expected the model's card"):
        zoo.card(hosted / "second")
    with pytest.raises(CascadeError, match=r"unknown model '.*/third'"):
        zoo.path(f"{hosted}/third")
    with pytest.raises(CascadeError, match=r"expected a folder with one model, .*, found none"):
        zoo.path(tmp_path)


def test_an_unknown_name_lists_those_there_are(index):
    with pytest.raises(CascadeError) as caught:
        zoo.path("surface_d99")
    listed = ", ".join(sorted([*zoo.names(), "tiny"]))
    assert str(caught.value) == (
        f"unknown model 'surface_d99': expected a name ({listed}) or the path of a .safetensors file, of a folder with "
        "one model, or hf:owner/name"
    )


def test_nothing_of_the_network_is_loaded_before_it_is_used():
    code = "import sys\nfrom cascade_qec import zoo\nzoo.card('surface_d3')\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"urllib.request", "http.client", "huggingface_hub", "rich", "torch"} & set(done.stdout.split())
