"""How far the models of the queue have come, as their checkpoints tell."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from cascade_qec.errors import CascadeError
from cascade_qec.training.recipe import Recipe
from cascade_qec.training.run_files import CHECKPOINT, METRICS
from workshop.queue.kept import load_kept
from workshop.queue.models import QueuedModel


@dataclass(frozen=True)
class Position:
    """How far a model has come: so many steps of one of its stretches, counted from 0."""

    stretch: int
    step: int

    @property
    def order(self) -> tuple[int, int]:
        """Grows along the way."""
        return self.stretch, self.step


@dataclass(frozen=True)
class Standing:
    """What a model of the queue has reached.

    Attributes
    ----------
    model : QueuedModel
    position : Position or None
        None before the first step.
    block_errors : dict
        By noise rate, of the last validation up to the position; empty if there was none.
    problem : str
        Why its checkpoint is of no use, if so.
    """

    model: QueuedModel
    position: Position | None = None
    block_errors: dict[float, float] | None = None
    problem: str = ""

    @property
    def shots(self) -> int:
        """Shots seen over all stretches; those before the present one are complete."""
        if self.position is None:
            return 0
        before = self.model.recipes[: self.position.stretch]
        here = self.model.recipes[self.position.stretch]
        return sum(r.optimizer.steps * r.shots_per_step for r in before) + self.position.step * here.shots_per_step

    @property
    def steps_left(self) -> bool:
        """Whether any stretch has."""
        return self.position is None or self.position.order < (
            len(self.model.recipes) - 1,
            self.model.recipes[-1].optimizer.steps,
        )

    @property
    def targets_met(self) -> bool:
        """Whether the last validation was at or below every target."""
        found = self.block_errors or {}
        return all(found.get(p, 1.0) <= target for p, target in self.model.targets.items())

    @property
    def state(self) -> Literal["to begin", "under way", "targets met", "used up", "not usable"]:
        if self.problem:
            return "not usable"
        if self.position is None:
            return "to begin"
        if self.targets_met:
            return "targets met"
        return "under way" if self.steps_left else "used up"


def position_in(model: QueuedModel, folder: Path) -> Position | None:
    """Position of the checkpoint in a folder, None if it has none.

    Raises
    ------
    CascadeError
        If the checkpoint cannot be read, or is of none of the model's recipes, or of no step of it.
    """
    path = folder / CHECKPOINT
    if not path.exists():
        return None
    state = load_kept(path)
    try:
        recipe = Recipe.model_validate_json(state["recipe"])
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(map(str, problem["loc"]))
        raise CascadeError(f"the recipe in {path} cannot be read: {where}: {problem['msg']}") from error
    steps = recipe.optimizer.steps
    if not 0 <= state["step"] <= steps:
        raise CascadeError(f"{path}: expected one of the recipe's {steps:,} steps, got {state['step']:,}")
    for stretch, known in enumerate(model.recipes):
        if not known.differences(recipe):
            return Position(stretch, state["step"])
    differences = min((known.differences(recipe) for known in model.recipes), key=len)
    raise CascadeError(f"{path} was made by none of the queue's recipes for {model.name}: {', '.join(differences)}")


def standing(model: QueuedModel, checkpoints: Path) -> Standing:
    """What a model has reached, by its folder among the checkpoints. A checkpoint of no use is told, not raised."""
    folder = checkpoints / model.name
    try:
        position = position_in(model, folder)
        errors = {} if position is None else _last_validation(folder / METRICS, position.step)
    except CascadeError as error:
        return Standing(model, problem=str(error))
    return Standing(model, position, errors)


def next_of(standings: Sequence[Standing]) -> Standing | None:
    """The first that has steps left and not met its targets."""
    open_states = ("to begin", "under way")
    return next((found for found in standings if found.state in open_states), None)


def _last_validation(path: Path, step: int) -> dict[float, float]:
    if not path.exists():
        return {}
    try:
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        found = [row["block_error"] for row in rows if "block_error" in row and row["step"] <= step]
        return {float(p): error for p, error in found[-1].items()} if found else {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CascadeError(f"{path}: expected the metrics of a run: {error!r}") from error
