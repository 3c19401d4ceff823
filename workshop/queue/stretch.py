"""The next stretch of work on a model of the queue: where it goes on, and what is kept of it.

Every stretch of a model has a run folder of its own, RUNS/NAME for the first, RUNS/NAME.2 for the next. What is kept,
CHECKPOINTS/NAME, is a copy of the furthest one without the model file and with a compact checkpoint.

Nothing is moved or removed, and a checkpoint is what is written last: interrupted anywhere, it can be begun again.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from cascade_qec.errors import CascadeError
from cascade_qec.files import written_whole
from cascade_qec.model import model_bytes
from cascade_qec.nn import network_of, state_of
from cascade_qec.training.recipe import Recipe
from cascade_qec.training.run_files import CHECKPOINT, METRICS, RECORD, save_checkpoint
from cascade_qec.zoo import registry
from workshop.queue.kept import load_kept, save_kept
from workshop.queue.models import QueuedModel
from workshop.queue.record import record_earlier_stretch
from workshop.queue.standing import Position, position_in


@dataclass(frozen=True)
class Folders:
    """Where models are trained (`runs`), what is kept of it (`checkpoints`), and weights for use (`models`)."""

    runs: Path
    checkpoints: Path
    models: Path


@dataclass(frozen=True)
class Stretch:
    """A run that can be trained now.

    Attributes
    ----------
    number : int
        Of the stretch, counted from 0.
    recipe : Recipe
    run : Path
        Its folder.
    resume : bool
        Whether the folder has a checkpoint to go on from.
    start_from : Path or None
        Model file whose weights a new run begins with.
    """

    number: int
    recipe: Recipe
    run: Path
    resume: bool
    start_from: Path | None


def next_stretch(model: QueuedModel, queue: list[QueuedModel], folders: Folders) -> Stretch:
    """Bring a model's run folder to where its training has come to, or begin the next one.

    Parameters
    ----------
    model : QueuedModel
    queue : list of QueuedModel
        The whole queue, in which `model.start_from` is looked for.
    folders : Folders

    Raises
    ------
    CascadeError
        If no steps are left; if a checkpoint is damaged or of none of the model's recipes; or if there is no model to
        start from.
    """
    kept = position_in(model, folders.checkpoints / model.name)
    at = _furthest(model, folders, kept)
    if at is None:
        return Stretch(0, model.recipes[0], _run_folder(model, 0, folders), False, _weights(model, queue, folders))
    recipe, run = model.recipes[at.stretch], _run_folder(model, at.stretch, folders)
    if position_in(model, run) != at:
        _restore(recipe, folders.checkpoints / model.name, run)
    last = at.stretch == len(model.recipes) - 1
    if at.step < recipe.optimizer.steps or (last and at != kept):  # the latter is complete, but was not kept yet
        return Stretch(at.stretch, recipe, run, True, None)
    if last:
        raise CascadeError(
            f"{model.name}: no steps left, all {recipe.optimizer.steps} of its last recipe are done; "
            "add another recipe to `continued` in the queue"
        )
    begun = _run_folder(model, at.stretch + 1, folders)
    begun.mkdir(parents=True, exist_ok=True)
    record_earlier_stretch(run, begun)
    return Stretch(at.stretch + 1, model.recipes[at.stretch + 1], begun, False, run / f"{model.name}.safetensors")


def keep(stretch: Stretch, folders: Folders) -> None:
    """Copy what a run has reached to the checkpoints, compact.

    Raises
    ------
    CascadeError
        If a file of the run cannot be read.
    """
    folder = folders.checkpoints / stretch.recipe.name
    folder.mkdir(parents=True, exist_ok=True)
    state = load_kept(stretch.run / CHECKPOINT)
    for name in (RECORD, METRICS):
        _copy(stretch.run / name, folder / name)
    save_kept(folder / CHECKPOINT, state)


def _furthest(model: QueuedModel, folders: Folders, kept: Position | None) -> Position | None:
    found = [kept]
    for stretch in range(len(model.recipes)):
        run = _run_folder(model, stretch, folders)
        at = position_in(model, run)
        if at is not None and at.stretch != stretch:
            raise CascadeError(f"{run}: expected stretch {stretch + 1} of {model.name}, found stretch {at.stretch + 1}")
        found.append(at)
    return max((at for at in found if at is not None), key=lambda at: at.order, default=None)


def _run_folder(model: QueuedModel, stretch: int, folders: Folders) -> Path:
    return folders.runs / (model.name if stretch == 0 else f"{model.name}.{stretch + 1}")


def _weights(model: QueuedModel, queue: list[QueuedModel], folders: Folders) -> Path | None:
    """The file that a model starts from: of the models for use, or made of a checkpoint."""
    name = model.start_from
    if name is None:
        return None
    ready = folders.models / f"{name}.safetensors"
    if ready.is_file():
        return ready
    other = next((other for other in queue if other.name == name), None)
    at = None if other is None else _furthest(other, folders, position_in(other, folders.checkpoints / name))
    if other is None or at is None:
        try:
            return registry.path(name)
        except CascadeError as error:
            if other is not None:
                raise CascadeError(f"{model.name} starts from {name}, which has not been trained yet") from error
            raise CascadeError(f"{model.name}: no model to start from: {error}") from error
    run = _run_folder(other, at.stretch, folders)
    if position_in(other, run) != at:
        _restore(other.recipes[at.stretch], folders.checkpoints / name, run)
    return run / f"{name}.safetensors"


def _restore(recipe: Recipe, kept: Path, run: Path) -> None:
    """A run folder as training would have left it, from what was kept of it; the checkpoint comes last."""
    run.mkdir(parents=True, exist_ok=True)
    for name in (RECORD, METRICS):
        _copy(kept / name, run / name)
    state = load_kept(kept / CHECKPOINT)
    average = network_of(recipe.description())
    try:
        average.load_state_dict(state["average"])
    except RuntimeError as error:
        raise CascadeError(f"{kept / CHECKPOINT} does not fit the recipe's network: {error}") from error
    with written_whole(run / f"{recipe.name}.safetensors") as file:
        file.write(model_bytes(state_of(average), recipe.description()))
    save_checkpoint(run / CHECKPOINT, state)


def _copy(source: Path, target: Path) -> None:
    try:
        with source.open("rb") as read, written_whole(target) as file:
            shutil.copyfileobj(read, file)
    except FileNotFoundError:
        raise CascadeError(f"{source}: expected a file of a training run, found none of that name") from None
