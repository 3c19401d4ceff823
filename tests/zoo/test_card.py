"""Cards: what they must say, and what the registry makes of files."""

import json

import pytest

from cascade_qec import codes, zoo
from cascade_qec.errors import CascadeError
from cascade_qec.provenance import hardware, versions
from cascade_qec.zoo import registry
from cascade_qec.zoo.card import Card

ROW = {
    "p": 0.003,
    "basis": "both",
    "rounds": 3,
    "shots": 200_000,
    "failures": 1000,
    "block_error": 0.005,
    "low": 0.0047,
    "high": 0.0053,
    "per_logical_per_cycle": 0.00168,
}
CARD = {
    "name": "tiny",
    "code": "surface_d3",
    "bases": ["X", "Z"],
    "rounds": [3],
    "network": {"width": 16, "depth": 2},
    "parameters": 1234,
    "recipe": {"code": "surface_d3", "optimizer": {"muon": 0.01}},
    "seed": 7,
    "shots": 1_000_000,
    "hardware": "one core",
    "hours": 0.25,
    "commit": "0123456789abcdef",
    "versions": {"torch": "2.13.0"},
    "date": "2026-01-31",
    "measurements": [ROW],
    "rivals": [ROW | {"decoder": "PyMatching"}],
    "zero_syndrome": {"observables_flipped": 0, "min_confidence": 0.9999},
}


def test_a_local_card_is_of_many_codes():
    other = ROW | {"code": "surface_d5", "rounds": 5}
    card = Card.model_validate(CARD | {"recipe": {"head": "local"}, "measurements": [ROW, other]})
    assert [card.serves(codes.get(name)) for name in ("surface_d3", "surface_d9", "bb72")] == [True, True, False]
    assert [row.rounds for row in card.measured_on("surface_d5")] == [5]
    assert [row.rounds for row in card.measured_on("surface_d3")] == [3]
    assert not Card.model_validate(CARD).serves(codes.get("surface_d9"))
    card = Card.model_validate(CARD | {"code": "bb72", "recipe": {"head": "local"}})  # steps wrap around on its torus
    assert [card.serves(codes.get(name)) for name in ("bb72", "bb144", "surface_d3")] == [True, False, False]


GUARDS = {
    "p": 0.006,
    "heads": {"Z": {"operator": "Z0", "loss": 0.1, "guess": 0.4}},
    "floor": {"p": 0.001, "above": 0.002, "block_error": 1e-4, "allowed": 2e-4, "probability": 0.9},
    "bases": {"p": 0.006, "shots": 2000, "failures": {"Z": 3, "X": 4}, "probability": 1.0},
    "flips_on_silence": [],
}


@pytest.mark.parametrize("guards", [{}, {"guards": None}, {"guards": GUARDS}])  # cards had none at first
def test_a_card_survives_its_file(guards, tmp_path):
    card = Card.model_validate(CARD | guards)
    assert (card.guards is None) == (not guards.get("guards"))
    card.write(tmp_path / "tiny.json")
    assert Card.read(tmp_path / "tiny.json") == card
    assert json.loads((tmp_path / "tiny.json").read_text())["date"] == "2026-01-31"
    assert [file.name for file in tmp_path.iterdir()] == ["tiny.json"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"parameters": 0}, "parameters: Input should be greater than or equal to 1"),
        ({"seed": "seven"}, "seed: "),
        ({"colour": "red"}, "colour: Extra inputs are not permitted"),
        ({"measurements": [ROW | {"failures": 200_001}]}, "expected at most 200000"),
        (
            {"measurements": [ROW | {"block_error": 0.006}]},
            "measurements.0: block_error: expected failures / shots = 0.005, got 0.006",
        ),
        ({"measurements": [ROW | {"low": 0.0051}]}, "block_error: expected in [0.0051, 0.0053], got 0.005"),
        ({"rivals": [ROW]}, "rivals.0.decoder: Field required"),
        ({"guards": GUARDS | {"colour": "red"}}, "guards.colour: Extra inputs are not permitted"),
    ],
)
def test_a_bad_card_is_refused_by_file_and_field(change, message, tmp_path):
    path = tmp_path / "bad.json"
    path.write_text(json.dumps(CARD | change))
    with pytest.raises(CascadeError) as caught:
        Card.read(path)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_missing_or_garbled_card(tmp_path):
    with pytest.raises(CascadeError, match="expected the model's card, found no file"):
        Card.read(tmp_path / "none.json")
    (tmp_path / "garbled.json").write_bytes(b"\xff{")
    with pytest.raises(CascadeError, match="not a card that can be used: file: Invalid JSON"):
        Card.read(tmp_path / "garbled.json")


class TestRegistry:
    @pytest.fixture
    def shipped(self, tmp_path, monkeypatch):
        """A zoo with one whole model, weights without a card, and a card without weights."""
        monkeypatch.setattr(registry, "_SHIPPED", tmp_path)
        (tmp_path / "tiny.safetensors").write_bytes(b"")
        (tmp_path / "tiny.json").write_text(json.dumps(CARD))
        (tmp_path / "uncarded.safetensors").write_bytes(b"")
        (tmp_path / "weightless.json").write_text(json.dumps(CARD))
        return tmp_path

    def test_names_are_the_whole_models(self, shipped):
        assert zoo.names() == ["tiny"]
        assert zoo.path("tiny") == shipped / "tiny.safetensors"
        assert zoo.card("tiny").parameters == 1234

    def test_paths_work_too(self, shipped):
        assert zoo.path(shipped / "uncarded.safetensors") == shipped / "uncarded.safetensors"
        assert zoo.path(str(shipped / "tiny.safetensors")) == shipped / "tiny.safetensors"

    def test_unknown_names_list_the_known(self, shipped):
        with pytest.raises(CascadeError, match=r"unknown model 'bb73': expected a name \(tiny\) or the path"):
            zoo.path("bb73")
        with pytest.raises(CascadeError, match=r"none\.safetensors: expected a model file, found nothing"):
            zoo.path(shipped / "none.safetensors")
        with pytest.raises(CascadeError, match=r"uncarded\.json: expected the model's card"):
            zoo.card(shipped / "uncarded.safetensors")


@pytest.mark.parametrize("name", zoo.names())
def test_shipped_models(name):
    card = zoo.card(name)
    assert card.name == name
    assert set(card.bases) == {"X", "Z"}
    assert zoo.path(name).stat().st_size < 8_000_000
    assert card.zero_syndrome.observables_flipped == 0
    assert card.local or card.zero_syndrome.min_confidence > 0.999
    assert card.guards is not None
    assert card.guards.broken == []
    code = codes.get(card.code)
    untold = ["confidence"] * (code.matchable and code.k > 1)  # matching tells no gap of several logical qubits
    guards = [*(verdict.guard for verdict in card.guards.verdicts), *untold]
    several = ["rounds"] * (card.guards.rounds is not None)  # of one number of rounds there is none
    assert guards == ["heads", "floor", "bases", *several, "silence", "confidence"]
    enough = (100, 10_000) if card.local else (200, 200_000)  # a local model has many codes to decode
    assert all(row.failures >= enough[0] or row.shots >= enough[1] for row in card.measurements)


def test_provenance_names_machine_and_packages():
    assert {"python", "torch", "stim", "numpy"} <= versions().keys()
    assert "cores" in hardware()
