"""`python -m workshop guards`: exit status, and what it leaves of a card."""

import json
import shutil
from pathlib import Path

import pytest

from cascade_qec import zoo
from cascade_qec.evaluation import model_guards
from workshop.app import main


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of a good model, whose card is older than guards are."""
    monkeypatch.setattr(model_guards, "_SHOTS", 1000)
    path = tmp_path / "model.safetensors"
    shutil.copyfile(zoo.path("surface_d3"), path)
    card = zoo.card("surface_d3").model_dump(mode="json")
    del card["guards"]
    path.with_suffix(".json").write_text(json.dumps(card))
    return path


def test_a_good_model(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = zoo.card(model)
    assert main(["guards", str(model), "--device", "cpu"]) == 0
    assert "Guards of surface_d3: all hold" in capsys.readouterr().out
    assert zoo.card(model) == before
    assert main(["guards", str(model), "--device", "cpu", "--write"]) == 0
    after = zoo.card(model)
    assert after.model_copy(update={"guards": None}) == before
    assert after.guards is not None
    assert after.guards.floor is not None
    assert after.guards.broken == []


def test_broken_guards(measured_model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["guards", str(measured_model), "--device", "cpu", "--write"]) == 1
    assert "broken: heads" in capsys.readouterr().out
    guards = zoo.card(measured_model).guards
    assert guards is not None
    assert guards.broken


def test_a_card_of_somebody_else_is_not_written(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CASCADE_HOME", str(tmp_path))
    assert main(["guards", str(model), "--write"]) == 2
    assert "whose card is that of its release" in capsys.readouterr().err
