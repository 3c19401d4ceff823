"""The queue: which models are trained, by which recipes, one after another, and how good they shall get."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cascade_qec.errors import CascadeError
from cascade_qec.training.recipe import Recipe, load_recipe


@dataclass(frozen=True)
class QueuedModel:
    """A model of the queue.

    Attributes
    ----------
    name : str
    recipes : tuple of Recipe
        Of its stretches. Each begins with the averaged weights of the one before.
    start_from : str or None
        Model whose weights the first stretch begins with.
    targets : dict
        Block error, both bases pooled, by noise rate; the rates are among those that each stretch is validated at.
    """

    name: str
    recipes: tuple[Recipe, ...]
    start_from: str | None
    targets: dict[float, float]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    recipe: str
    continued: list[str] = []
    start_from: str | None = None
    targets: dict[str, Annotated[float, Field(gt=0, lt=1)]] = Field(min_length=1)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    model: list[_Entry] = Field(min_length=1)


def load_queue(path: Path) -> list[QueuedModel]:
    """Read a queue from a TOML file: a list of `[[model]]` in the order in which they are trained.

    Raises
    ------
    CascadeError
        If the file or one of its recipes cannot be read, or a field is wrong; file, model and field are named.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CascadeError(f"cannot read queue {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CascadeError(f"{path} is no TOML file: {error}") from error
    try:
        entries = _File.model_validate(data, strict=True).model
    except ValidationError as error:
        told = "; ".join(f"{_place(data, problem['loc'])}: {problem['msg']}" for problem in error.errors())
        raise CascadeError(f"queue {path}: {told}") from error
    models = []
    for number, entry in enumerate(entries, start=1):
        try:
            models.append(_model(entry, path.parent))
        except CascadeError as error:
            raise CascadeError(f"queue {path}, model {number} ({entry.recipe}): {error}") from error
    names = [model.name for model in models]
    if len(set(names)) != len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise CascadeError(f"queue {path}: expected each model once, got {', '.join(twice)} more often")
    return models


def _model(entry: _Entry, folder: Path) -> QueuedModel:
    recipes = tuple(load_recipe(folder / file) for file in (entry.recipe, *entry.continued))
    names = list(dict.fromkeys(recipe.name for recipe in recipes))
    if len(names) > 1:
        raise CascadeError(f"continued: expected recipes of one name, got {', '.join(names)}")
    if any(not earlier.differences(recipe) for n, recipe in enumerate(recipes) for earlier in recipes[:n]):
        raise CascadeError("continued: expected recipes that differ, such as in their seeds, got one of them twice")
    targets = {}
    for text, target in entry.targets.items():
        try:
            p = float(text)
        except ValueError:
            raise CascadeError(f"targets: expected noise rates as keys, got {text!r}") from None
        if p in targets:
            raise CascadeError(f"targets: expected each noise rate once, got {text} again")
        targets[p] = target
    for recipe in recipes:
        for p in sorted(targets.keys() - set(recipe.validation.p)):
            raise CascadeError(f"targets: expected rates that it is validated at, {recipe.validation.p}, got {p}")
    if entry.start_from == names[0]:
        raise CascadeError(f"start_from: expected another model, got {entry.start_from} itself")
    return QueuedModel(names[0], recipes, entry.start_from, targets)


def _place(data: dict, location: tuple[int | str, ...]) -> str:
    """A field as a reader of the file finds it; models are counted from 1."""
    if len(location) < 2 or not isinstance(location[1], int):
        return ".".join(map(str, location))
    entry = data["model"][location[1]]
    recipe = entry.get("recipe") if isinstance(entry, dict) else None
    named = f" ({recipe})" if isinstance(recipe, str) else ""
    return ", ".join([f"model {location[1] + 1}{named}", *[".".join(map(str, location[2:]))] * (len(location) > 2)])
