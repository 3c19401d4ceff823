"""`python -m workshop calibrate`: what it leaves of a model and of its card."""

import shutil
from pathlib import Path

import pytest
import torch

from cascade_qec import load, zoo
from cascade_qec.guards import FALSE_ALARM
from cascade_qec.nn import load_network
from workshop.app import main


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.safetensors"
    for ending in (".safetensors", ".json"):
        shutil.copyfile(zoo.path("surface_d3").with_suffix(ending), path.with_suffix(ending))
    return path


def test_a_model_gets_a_calibration_and_keeps_its_weights(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before, made = load_network(model)
    assert main(["calibrate", str(model), "--p", "0.005", "--shots", "2000", "--device", "cpu"]) == 0
    assert "sure shots fail at p = 0.005" in capsys.readouterr().out
    after, description = load_network(model)
    assert description.calibration is not None
    assert description.calibration != made.calibration
    assert (description.calibration.noise, description.calibration.shots) == ([0.005], 1000)
    assert description.model_copy(update={"calibration": made.calibration}) == made
    for name, weights in before.state_dict().items():
        assert torch.equal(weights, after.state_dict()[name])
    guards = zoo.card(model).guards
    assert guards is not None
    assert guards.confidence is not None
    assert guards.confidence.probability >= FALSE_ALARM


def test_too_few_failures(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = model.read_bytes()
    assert main(["calibrate", str(model), "--p", "0.001", "--shots", "100", "--device", "cpu"]) == 2
    assert "expected at least 20 failures to calibrate by" in capsys.readouterr().err
    assert model.read_bytes() == before


def test_a_shipped_model_at_its_own_rounds_says_how_sure_it_is() -> None:
    for name in zoo.names():
        assert zoo.card(name).local or load(name, device="cpu").bind().tells_confidence, name
