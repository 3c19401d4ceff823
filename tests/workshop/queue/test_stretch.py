"""Stretches of a queued model: where they go on, begin and end, however they were interrupted."""

import json
import shutil
import signal

import pytest
import torch

from cascade_qec.errors import CascadeError
from cascade_qec.nn import load_network
from cascade_qec.training import Trainer
from cascade_qec.training.run_files import load_checkpoint
from workshop.queue import kept as kept_module
from workshop.queue.kept import load_kept
from workshop.queue.models import QueuedModel
from workshop.queue.stretch import Folders, keep, next_stretch

TARGETS = {0.003: 1e-6}


@pytest.fixture
def folders(tmp_path):
    return Folders(tmp_path / "runs", tmp_path / "checkpoints", tmp_path / "models")


@pytest.fixture
def model(tiny):
    """Two stretches of four steps."""
    steps = {"steps": 4}
    return QueuedModel("tiny", (tiny(optimizer=steps), tiny(seed=8, optimizer=steps)), None, TARGETS)


@pytest.fixture
def go(folders):
    """Train so many steps of a model's next stretch, all by default, and keep them unless told not to."""

    def on(model, steps=None, *, kept=True, queue=()):
        stretch = next_stretch(model, [model, *queue], folders)
        trainer = Trainer(stretch.recipe, stretch.run, resume=stretch.resume, start_from=stretch.start_from, workers=0)
        take_step = trainer.take_step

        def step(batches, number):
            if number + 1 == steps:
                signal.raise_signal(signal.SIGTERM)
            return take_step(batches, number)

        step.optimizers = take_step.optimizers
        trainer.take_step = step  # pyright: ignore[reportAttributeAccessIssue]
        trainer.run()
        if kept:
            keep(stretch, folders)
        return stretch, trainer

    return on


def assert_weights(network, state):
    assert all(torch.equal(network.state_dict()[name], tensor) for name, tensor in state.items())


def test_a_model_is_trained_through_its_stretches(model, go, folders):
    first, _ = go(model, 3)
    assert (first.number, first.resume, first.start_from, first.run) == (0, False, None, folders.runs / "tiny")
    again, trainer = go(model)
    assert (again.number, again.resume, trainer.step) == (0, True, 4)
    second = next_stretch(model, [model], folders)
    assert (second.number, second.resume, second.run) == (1, False, folders.runs / "tiny.2")
    begun = Trainer(second.recipe, second.run, start_from=second.start_from, workers=0)
    assert_weights(begun.network, trainer.average.state_dict())
    go(model)
    with pytest.raises(CascadeError, match="tiny: no steps left, all 4 of its last recipe are done"):
        next_stretch(model, [model], folders)
    record = json.loads((folders.checkpoints / "tiny" / "run.json").read_text())
    assert record["recipe"]["seed"] == 8
    assert [stretch["shots"] for stretch in record["earlier"]] == [4 * 16]
    assert load_kept(folders.checkpoints / "tiny" / "checkpoint.pt")["step"] == 4


def test_what_is_kept_has_no_model_file(model, go, folders):
    go(model, 3)
    names = {path.name for path in (folders.checkpoints / "tiny").iterdir()}
    assert names == {"checkpoint.pt", "run.json", "metrics.jsonl"}


@pytest.mark.parametrize(("steps", "head"), [(3, "logical"), (4, "logical"), (3, "local")])
def test_a_lost_run_folder_is_restored(steps, head, tiny, model, go, folders):
    if head == "local":
        model = QueuedModel("tiny", (tiny(optimizer={"steps": 4}, head="local"),), None, TARGETS)
    _, before = go(model, steps)
    shutil.rmtree(folders.runs)
    stretch = next_stretch(model, [model], folders)
    state = load_checkpoint(folders.runs / "tiny" / "checkpoint.pt")
    assert state["step"] == steps
    assert_weights(before.network, state["network"])
    network, description = load_network(folders.runs / "tiny" / "tiny.safetensors")
    assert_weights(network, before.average.state_dict())
    assert description == before.recipe.description()
    assert stretch.number == (0 if steps == 3 else 1)
    go(model)


def test_the_further_one_of_run_and_checkpoint_counts(model, go, folders):
    go(model, 2)
    shutil.copytree(folders.runs, folders.runs.parent / "old")
    go(model, 3)
    shutil.rmtree(folders.runs)
    (folders.runs.parent / "old").rename(folders.runs)  # behind
    assert next_stretch(model, [model], folders).resume
    assert load_checkpoint(folders.runs / "tiny" / "checkpoint.pt")["step"] == 3
    go(model, 4, kept=False)  # further, as after a kill
    exact = (folders.runs / "tiny" / "checkpoint.pt").read_bytes()
    assert next_stretch(model, [model], folders).number == 1
    assert (folders.runs / "tiny" / "checkpoint.pt").read_bytes() == exact


def test_a_complete_run_that_was_not_kept_is_kept(model, go, folders):
    go(model)
    go(model, kept=False)
    stretch = next_stretch(model, [model], folders)
    assert (stretch.number, stretch.resume) == (1, True)
    keep(stretch, folders)
    with pytest.raises(CascadeError, match="no steps left"):
        next_stretch(model, [model], folders)


def test_killed_before_the_first_checkpoint_of_a_stretch_it_begins_again(model, go, folders):
    go(model)
    for _ in range(2):
        stretch = next_stretch(model, [model], folders)
        assert (stretch.number, stretch.resume) == (1, False)
    shutil.rmtree(folders.runs)
    assert next_stretch(model, [model], folders).start_from.is_file()


@pytest.mark.parametrize("where", ["models", "checkpoints"])
def test_a_model_starts_from_the_weights_of_another(where, model, tiny, go, folders):
    larger = QueuedModel("larger", (tiny(name="larger", code="surface_d5", rounds=2),), "tiny", TARGETS)
    with pytest.raises(CascadeError, match="larger starts from tiny, which has not been trained yet"):
        next_stretch(larger, [model, larger], folders)
    with pytest.raises(CascadeError, match="larger: no model to start from: unknown model 'tiny'"):
        next_stretch(larger, [larger], folders)
    stretch, trainer = go(model, 3)
    if where == "models":
        folders.models.mkdir()
        shutil.copy(stretch.run / "tiny.safetensors", folders.models)
    shutil.rmtree(folders.runs)
    begun = next_stretch(larger, [model, larger], folders)
    assert begun.start_from == (folders.models if where == "models" else folders.runs / "tiny") / "tiny.safetensors"
    network, _ = load_network(begun.start_from)
    assert_weights(network, trainer.average.state_dict())


def test_runs_of_other_recipes_are_refused(model, tiny, go, folders):
    go(model)
    other = QueuedModel("tiny", (tiny(seed=9),), None, TARGETS)
    with pytest.raises(CascadeError, match="was made by none of the queue's recipes for tiny: seed = 7"):
        next_stretch(other, [other], folders)
    folders.runs.joinpath("tiny").rename(folders.runs / "tiny.2")
    with pytest.raises(CascadeError, match=r"tiny\.2: expected stretch 2 of tiny, found stretch 1"):
        next_stretch(model, [model], folders)


def test_a_checkpoint_without_its_record_cannot_be_restored(model, go, folders):
    go(model, 2)
    shutil.rmtree(folders.runs)
    (folders.checkpoints / "tiny" / "run.json").unlink()
    with pytest.raises(CascadeError, match=r"run\.json: expected a file of a training run"):
        next_stretch(model, [model], folders)
    assert not list((folders.runs / "tiny").iterdir())


def test_a_checkpoint_in_parts_is_restored_as_one_file(model, go, folders, monkeypatch):
    monkeypatch.setattr(kept_module, "_MOST_BYTES", 5000)
    go(model, 2)
    kept = load_kept(folders.checkpoints / "tiny" / "checkpoint.pt")
    assert len(list((folders.checkpoints / "tiny").glob("checkpoint-*.bin"))) > 1
    shutil.rmtree(folders.runs)
    assert next_stretch(model, [model], folders).resume
    assert not list(folders.runs.glob("*/checkpoint-*.bin"))
    found = load_checkpoint(folders.runs / "tiny" / "checkpoint.pt")
    assert found["step"] == kept["step"] == 2
    assert all(torch.equal(found["network"][name], tensor) for name, tensor in kept["network"].items())
