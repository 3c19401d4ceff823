"""`python -m workshop calibrate`: what it leaves of a model and of its card."""

import shutil
from pathlib import Path

import pytest
import torch

from cascade_qec import load, zoo
from cascade_qec.evaluation.verification import card_facts
from cascade_qec.guards import FALSE_ALARM
from cascade_qec.model import model_bytes
from cascade_qec.nn import load_network, state_of
from workshop.app import main


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.safetensors"
    for ending in (".safetensors", ".json"):
        shutil.copyfile(zoo.path("surface_d3").with_suffix(ending), path.with_suffix(ending))
    return path


def test_a_model_gets_a_calibration_and_keeps_its_weights(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before, made = load_network(model)
    assert main(["calibrate", str(model), "--p", "0.01", "--shots", "600", "--device", "cpu"]) == 0
    assert "sure shots fail at p = 0.01" in capsys.readouterr().out
    after, description = load_network(model)
    assert description.calibration is not None
    assert description.calibration != made.calibration
    assert (description.calibration.noise, description.calibration.shots) == ([0.01], 300)
    assert description.model_copy(update={"calibration": made.calibration}) == made
    for name, weights in before.state_dict().items():
        assert torch.equal(weights, after.state_dict()[name])
    guards = zoo.card(model).guards
    assert guards is not None
    assert guards.confidence is not None
    assert guards.confidence.probability >= FALSE_ALARM


def test_longer_experiments_are_left_out(model: Path) -> None:
    _, made = load_network(model)
    found = []
    for rounds in ("1", "3", "9"):  # the model's own are three, which stay
        asked = ["--p", "0.01", "--shots", "400", "--device", "cpu", "--most_rounds", rounds]
        assert main(["calibrate", str(model), *asked]) == 0
        _, description = load_network(model)
        assert description.mixed_rounds == made.mixed_rounds == [1, 2, 3, 4, 6, 9]
        found.append(description.calibration)
    assert found[0] == found[1] != found[2]


def test_a_model_that_learned_one_number_of_rounds_is_lengthened(
    model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    network, made = load_network(model)
    model.write_bytes(model_bytes(state_of(network), made.model_copy(update={"mixed_rounds": None})))
    card = zoo.card(model)
    card.model_copy(update={"recipe": {**card.recipe, "mixture": {}}}).write(model.with_suffix(".json"))
    asked = ["calibrate", str(model), "--p", "0.01", "--shots", "400", "--device", "cpu", "--rounds", "6"]
    assert main(asked) == 0
    after, description = load_network(model)
    assert description.mixed_rounds == [3, 6]
    assert description.network.segment_rounds == 3
    for name, weights in network.state_dict().items():
        assert torch.equal(weights, after.state_dict()[name])
    stated = {fact.subject: fact.holds for fact in card_facts(load(model, device="cpu"), zoo.card(model))}
    assert all(stated[subject] for subject in ("rounds", "network", "no event"))
    assert main(asked) == 2
    assert "learned one number of rounds, got surface_d3 with a logical head and 3 to 6" in capsys.readouterr().err


@pytest.mark.slow
def test_a_local_model_learns_what_gaps_are_worth(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for ending in (".safetensors", ".json"):
        shutil.copyfile(zoo.path("local_surface").with_suffix(ending), tmp_path / f"local_surface{ending}")
    path = tmp_path / "local_surface.safetensors"
    before, _ = load_network(path)
    # some 40 of 400 shots fail
    assert main(["calibrate", str(path), "--p", "0.01", "--shots", "400", "--device", "cpu"]) == 0
    assert "sure shots fail at p = 0.01" in capsys.readouterr().out
    after, description = load_network(path)
    assert description.calibration is not None
    assert (description.calibration.noise, description.calibration.shots) == ([0.01], 200)
    for name, weights in before.state_dict().items():
        assert torch.equal(weights, after.state_dict()[name])
    assert load(path, device="cpu").bind(rounds=3).tells_confidence


def test_too_few_failures(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = model.read_bytes()
    assert main(["calibrate", str(model), "--p", "0.001", "--shots", "100", "--device", "cpu"]) == 2
    assert "expected at least 20 failures to calibrate by" in capsys.readouterr().err
    assert model.read_bytes() == before


def test_a_shipped_model_at_its_own_rounds_says_how_sure_it_is() -> None:
    for name in zoo.names():
        assert zoo.card(name).local or load(name, device="cpu").bind().tells_confidence, name
