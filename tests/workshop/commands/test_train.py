"""`python -m workshop train` and `python -m workshop queue`: from a queue to checkpoints, weights and cards."""

import re
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from cascade_qec.decoders.loading import load
from cascade_qec.evaluation import model_guards
from cascade_qec.evaluation.tables import Row
from cascade_qec.guards import Guards
from cascade_qec.tables import read_rows, write_rows
from cascade_qec.training.step import Step
from cascade_qec.training.trainer import Trainer
from cascade_qec.zoo.card import Card
from workshop.app import main
from workshop.cards import making
from workshop.commands import train as train_command
from workshop.queue.kept import load_kept

RECIPE = """
name = "{name}"
code = "surface_d3"
rounds = 3
seed = {seed}
[network]
width = 8
depth = 1
convolution = "direct"
[noise]
p = 0.02
start = 0.01
[optimizer]
steps = 4
[batch]
shots = 16
[validation]
p = [0.01]
shots = 32
every = 2
statistics_batches = 2
"""
QUEUE = """
[[model]]
recipe = "a.toml"
continued = ["a2.toml"]
targets = { "0.01" = 1e-6 }
[[model]]
recipe = "b.toml"
targets = { "0.01" = 1e-6 }
"""
MODELS, RESULTS, CHECKPOINTS = "models", "results", "checkpoints"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for file, name, seed in [("a", "a", 1), ("a2", "a", 2), ("b", "b", 1)]:
        (tmp_path / f"{file}.toml").write_text(RECIPE.format(name=name, seed=seed))
    (tmp_path / "queue.toml").write_text(QUEUE)
    monkeypatch.setattr(making, "RATES", (0.01, 0.02))
    monkeypatch.setattr(making, "_FIRST_SHOTS", 200)
    monkeypatch.setattr(train_command, "_FAILURES", 20)
    monkeypatch.setattr(train_command, "_CALIBRATION", 100)
    monkeypatch.setattr(model_guards, "_SHOTS", 400)
    return tmp_path


@pytest.fixture
def train(folder: Path) -> Callable[..., int]:
    """Run `python -m workshop train`; there is always time enough."""
    where = [
        "queue",
        str(folder / "queue.toml"),
        "checkpoints",
        str(folder / CHECKPOINTS),
        "runs",
        str(folder / "runs"),
    ]
    where += ["out", str(folder / MODELS), "results", str(folder / RESULTS)]
    flags = [f"--{text}" if number % 2 == 0 else text for number, text in enumerate(where)]
    fixed = ["--threads", "1", "--workers", "0", "--precision", "float32", "--minutes", "60", *flags]
    return lambda *arguments: main(["train", *arguments, *fixed])


@pytest.fixture
def stop_after(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Ask the training to stop in this step, counted from 1, by SIGTERM."""
    take_step = Step.__call__

    def at(step: int) -> None:
        def stepped(self, batches, number):
            if number + 1 == step:
                signal.raise_signal(signal.SIGTERM)
            return take_step(self, batches, number)

        monkeypatch.setattr(Step, "__call__", stepped)

    return at


def shown(folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    queue = ["--queue", str(folder / "queue.toml"), "--checkpoints", str(folder / CHECKPOINTS)]
    assert main(["queue", *queue]) == 0
    return capsys.readouterr().out


@pytest.mark.slow
def test_the_queue_is_worked_off(folder, train, capsys):
    table = shown(folder, capsys)
    assert re.search(r"-> +a +1 of 2 +0 of 4 +0 +1 %: - / 1.00e-06 +to begin", table)
    assert train() == 0
    out = capsys.readouterr().out
    assert "a: stretch 1 of 2, step 0 of 4" in out
    assert f"a: stretch 1 of 2, step 4 of 4, kept in {folder / CHECKPOINTS / 'a'}" in out
    card = Card.read(folder / MODELS / "a.json")
    assert [row.p for row in card.measurements] == [0.01, 0.02]
    assert card.notes == "stretch 1 of 2, step 4 of 4."
    assert card.shots == 4 * 32
    assert load(folder / MODELS / "a.safetensors").description.name == "a"
    assert re.search(r"-> +a +1 of 2 +4 of 4 +128 .* under way", shown(folder, capsys))
    for name, shots in [("a", 256), ("b", 128)]:
        assert train("--measure", "0") == 0
        assert re.search(rf" {name} .* 4 of 4 +{shots} .* used up", shown(folder, capsys))
    assert Card.read(folder / MODELS / "a.json") == card
    assert not (folder / MODELS / "b.json").exists()
    assert train() == 2
    assert "nothing to train" in capsys.readouterr().err
    assert train("a") == 2
    assert "a: no steps left" in capsys.readouterr().err


def test_weights_whose_guards_break_replace_nothing(folder, train, monkeypatch, capsys):
    """A few steps of training break them; in an empty place that is told, and no hindrance."""
    assert train() == 0
    assert "a: guard does not hold: heads: worst" in capsys.readouterr().out
    card = Card.read(folder / MODELS / "a.json")
    assert card.guards is not None
    assert "heads" in [verdict.guard for verdict in card.guards.broken]
    before, measure = (folder / MODELS / "a.safetensors").read_bytes(), making.measure
    better = lambda *args, **kw: [r.model_copy(update={"failures": r.failures // 2}) for r in measure(*args, **kw)]  # noqa: E731
    monkeypatch.setattr(making, "measure", better)
    assert train() == 0
    assert "a: weights and card stay as they are" in capsys.readouterr().out
    assert (folder / MODELS / "a.safetensors").read_bytes() == before
    assert Card.read(folder / MODELS / "a.json") == card


@pytest.mark.slow
def test_weights_and_card_are_replaced_unless_worse_and_rivals_stay(folder, train, monkeypatch, capsys):
    monkeypatch.setattr(Guards, "broken", [])
    assert train() == 0
    table, weights = folder / RESULTS / "a.csv", folder / MODELS / "a.safetensors"
    rival = read_rows(table, Row)[0].model_copy(update={"decoder": "pymatching"})
    write_rows(table, [*read_rows(table, Row), rival])
    before, measure = weights.read_bytes(), making.measure

    def times(factor):
        def measured(*args, **kwargs):
            rows = measure(*args, **kwargs)
            return [row.model_copy(update={"failures": int(factor * row.failures)}) for row in rows]

        monkeypatch.setattr(making, "measure", measured)

    times(1.5)
    assert train("--measure", "5") == 0
    out = capsys.readouterr().out
    assert "geometric mean at 1, 2 %" in out
    assert "a: weights and card stay as they are" in out
    assert weights.read_bytes() == before
    assert load_kept(folder / CHECKPOINTS / "a" / "checkpoint.pt")["step"] == 4
    (folder / CHECKPOINTS / "a").rename(folder / "away")
    shutil.rmtree(folder / "runs" / "a.2")
    times(0.7)
    assert train() == 0
    assert weights.read_bytes() != before
    card = Card.read(folder / MODELS / "a.json")
    assert card.notes == "stretch 2 of 2, step 4 of 4."
    assert card.shots == 2 * 4 * 32
    assert [row.decoder for row in card.rivals] == ["pymatching"]
    assert rival in read_rows(table, Row)


def test_a_card_that_cannot_be_compared_stays(folder, train, monkeypatch, capsys):
    monkeypatch.setattr(train_command, "_FAILURES", 1)
    monkeypatch.setattr(Guards, "broken", [])
    assert train() == 0
    measure = making.measure
    few = lambda *args, **kw: [row.model_copy(update={"failures": 3}) for row in measure(*args, **kw)]  # noqa: E731
    monkeypatch.setattr(making, "measure", few)
    before = (folder / MODELS / "a.json").read_bytes()
    assert train() == 0
    assert "too few failures to compare" in capsys.readouterr().out
    assert (folder / MODELS / "a.json").read_bytes() == before


def test_a_signal_leaves_a_checkpoint_and_no_card(folder, train, stop_after, capsys):
    stop_after(3)
    assert train("b") == 0
    assert "b: stretch 1 of 1, step 3 of 4, kept" in capsys.readouterr().out
    assert load_kept(folder / CHECKPOINTS / "b" / "checkpoint.pt")["step"] == 3
    assert not (folder / MODELS).exists()
    shutil.rmtree(folder / "runs")
    stop_after(-1)
    assert train("b") == 0
    assert "b: stretch 1 of 1, step 3 of 4, in" in capsys.readouterr().out
    assert Card.read(folder / MODELS / "b.json").shots == 128


def test_the_minutes_are_shared(folder, train, monkeypatch):
    given = {}

    def run(self, *, minutes):
        given["training"] = minutes
        return ran(self)

    def measured(*args, seconds, **kwargs):
        given["measuring"] = seconds
        return measure(*args, seconds=seconds, **kwargs)

    ran, measure = Trainer.run, making.measure
    monkeypatch.setattr(Trainer, "run", run)
    monkeypatch.setattr(making, "measure", measured)
    assert train("b", "--measure", "20") == 0
    assert 38 < given["training"] < 40
    assert 58 < given["measuring"] / 60 < 60  # the training was done early


def test_a_checkpoint_of_another_recipe_is_told_and_passed_over(folder, train, capsys):
    assert train("a", "--measure", "0") == 0
    (folder / "a.toml").write_text(RECIPE.format(name="a", seed=5))
    shutil.rmtree(folder / "runs")
    table = shown(folder, capsys)
    assert "none of the" in table
    assert re.search(r"-> +b ", table)
    assert train("--measure", "0") == 0
    told = capsys.readouterr()
    assert "a: passed over" in told.err
    assert "b: stretch 1 of 1, step 4 of 4" in told.out
    assert train("a") == 2
    assert "was made by none of the queue's recipes for a" in capsys.readouterr().err


def test_refusals(folder, train, monkeypatch, capsys):
    assert train("c") == 2
    assert train("--measure", "60") == 2
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    assert train() == 2
    told = capsys.readouterr().err
    for part in ("expected a model of the queue (a, b), got c", "less than the 60 minutes", "expected one process"):
        assert part in told
    assert {path.name for path in folder.iterdir()} == {"a.toml", "a2.toml", "b.toml", "queue.toml"}


@pytest.mark.parametrize("name", [CHECKPOINTS, "runs", MODELS, RESULTS])
def test_folders_that_cannot_be_written_are_refused_before_any_training(name, folder, train, capsys):
    (folder / name).touch()
    assert train() == 2
    told = capsys.readouterr()
    assert f"{name}: expected a folder to write to, found the file" in told.err
    assert told.out == ""
