"""How far models have come: from checkpoints and metrics alone."""

import json

import pytest

from cascade_qec.training.run_files import load_checkpoint, save_checkpoint
from workshop.queue.models import QueuedModel
from workshop.queue.standing import Position, next_of, standing


@pytest.fixture
def model(tiny):
    recipes = (tiny(), tiny(seed=8, optimizer={"steps": 20}))
    return QueuedModel("tiny", recipes, None, {0.003: 0.01, 0.005: 0.02})


@pytest.fixture
def reach(tmp_path):
    """Write the checkpoint of a step of a recipe, and metrics with these validations by step."""

    def write(recipe, step, validations):
        folder = tmp_path / "tiny"
        folder.mkdir(exist_ok=True)
        parts = {"seconds": 1.0, "network": {}, "average": {}, "optimizers": []}
        save_checkpoint(folder / "checkpoint.pt", {"recipe": recipe.model_dump_json(), "step": step, **parts})
        rows = [{"step": 1, "loss": 0.5}]
        rows += [
            {"step": at, "block_error": dict(zip(("0.003", "0.005"), errors, strict=True))}
            for at, errors in validations
        ]
        (folder / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    return write


def test_nothing_yet(model, tmp_path):
    found = standing(model, tmp_path)
    assert (found.position, found.shots, found.state) == (None, 0, "to begin")


@pytest.mark.parametrize(
    ("stretch", "step", "validations", "shots", "state"),
    [
        (0, 7, [], 7 * 16, "under way"),
        (0, 30, [(30, (0.02, 0.02))], 30 * 16, "under way"),  # the second stretch is left
        (1, 10, [(10, (0.01, 0.03))], 40 * 16, "under way"),
        (1, 10, [(5, (0.1, 0.1)), (10, (0.01, 0.02))], 40 * 16, "targets met"),
        (1, 10, [(5, (0.1, 0.1)), (15, (0.01, 0.02))], 40 * 16, "under way"),  # beyond the checkpoint
        (1, 20, [(20, (0.011, 0.02))], 50 * 16, "used up"),
        (1, 20, [], 50 * 16, "used up"),
    ],
)
def test_stretch_shots_and_state(stretch, step, validations, shots, state, model, reach, tmp_path):
    reach(model.recipes[stretch], step, validations)
    found = standing(model, tmp_path)
    assert (found.position, found.shots, found.state) == (Position(stretch, step), shots, state)


def test_a_checkpoint_of_another_recipe_is_told(model, tiny, reach, tmp_path):
    reach(tiny(seed=9, optimizer={"steps": 20}), 5, [])
    found = standing(model, tmp_path)
    assert found.state == "not usable"
    assert "none of the queue's recipes for tiny: seed = 9 instead of 8" in found.problem


@pytest.mark.parametrize("step", [-1, 31])
def test_a_step_that_the_recipe_has_not_is_told(step, model, reach, tmp_path):
    reach(model.recipes[0], step, [])
    assert f"expected one of the recipe's 30 steps, got {step}" in standing(model, tmp_path).problem


def test_a_recipe_that_cannot_be_read_is_told(model, reach, tmp_path):
    reach(model.recipes[0], 5, [])
    path = tmp_path / "tiny" / "checkpoint.pt"
    save_checkpoint(path, load_checkpoint(path) | {"recipe": '{"name": "tiny"}'})
    assert standing(model, tmp_path).problem == f"the recipe in {path} cannot be read: code: Field required"


@pytest.mark.parametrize("metrics", ["{", '{"block_error": {"0.003": 0.1}}', '{"step": 1, "block_error": 3}', "[]\n3"])
def test_metrics_that_cannot_be_read_are_told(metrics, model, reach, tmp_path):
    reach(model.recipes[0], 5, [])
    (tmp_path / "tiny" / "metrics.jsonl").write_text(metrics)
    assert "expected the metrics of a run" in standing(model, tmp_path).problem


def test_next_is_the_first_with_steps_left_that_misses_a_target(model, reach, tmp_path):
    begun = standing(model, tmp_path)
    reach(model.recipes[1], 20, [])
    used_up = standing(model, tmp_path)
    reach(model.recipes[1], 10, [(10, (0.001, 0.002))])
    met = standing(model, tmp_path)
    assert next_of([used_up, met, begun]) is begun
    assert next_of([used_up, met]) is None
